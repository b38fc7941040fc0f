"""How long weights and the state of an optimizer live: a state must not go on with other weights than it was for."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from torch7py.translate import tree
from torch7py.translate.native.analysis.optimizers import Optimizer
from torch7py.translate.native.analysis.state_slots import Holder
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.scopes import Scope
from torch7py.translate.tree import Call, Statement
from torch7py.translate.tree_queries import LOOPS

__all__ = ["block_of", "stay_together"]

Called: TypeAlias = "Callable[[Translation, Call], set[str]]"


def stay_together(t: Translation, optimizer: Optimizer, weights: Holder | None, called: Called) -> bool:
    """Whether no other weights are made while a state goes on, which would be moved from then on."""
    flats = [] if weights is None else [statement for statement, _, _ in t.training.holders.assigned(weights)]
    flats = t.training.vectors.makers(s for s in flats if not _gives_weights(t, s, called))
    definitions = [d.statement for d in optimizer.definitions]
    if len(flats) == 1:
        return all(_is_reset_with(t, flats[0], s) for s in definitions) or (
            _keeps_nothing(optimizer)
            and len(definitions) == 1
            and definitions[0].span.start < flats[0].span.start
        )
    blocks = [block_of(t.surroundings.parents[s], s) for s in flats]
    ends = [*(s.span.start for s in sorted(flats, key=lambda s: s.span.start)[1:]), math.inf]
    return all(
        any(
            flat.span.start < s.span.start < end and block_of(t.surroundings.parents[s], s) is block
            for s in definitions
        )
        for flat, block, end in zip(sorted(flats, key=lambda s: s.span.start), blocks, ends, strict=True)
    )


def _gives_weights(t: Translation, statement: Statement, called: Called) -> bool:
    """Whether a statement is a step of optim, which gives the vector that it moves, or gives it up."""
    values = statement.values if isinstance(statement, tree.Assignment) else ()
    if values and all(isinstance(value, tree.Nil) for value in values):
        return True
    return len(values) == 1 and isinstance(values[0], Call) and bool(called(t, values[0]))


def _is_reset_with(t: Translation, flat: Statement, definition: Statement) -> bool:
    """Whether a state is made anew whenever weights are."""
    places = t.surroundings
    scope, other = places.owner[flat], places.owner[definition]
    loops = [s for s in places.parents[flat] if isinstance(s, LOOPS)]
    if scope is other:
        return all(loop in places.parents[definition] for loop in loops)
    if loops:
        return False
    outer = other.parent
    while outer is not None and outer is not scope:
        outer = outer.parent
    return outer is scope or _runs_once(t, scope)


def _runs_once(t: Translation, scope: Scope) -> bool:
    """Whether a function is called at one place, once; or is a constructor, whose object keeps the state."""
    function = scope.function
    if function is None:
        return True
    if any(function is lua_class.find("__init") for lua_class in t.types.classes.values()):
        return True
    calls = t.types.calls_of.get(function, [])
    at = [t.training.flow.statement(call) for call in calls]
    return (
        len(at) == 1
        and not any(isinstance(s, LOOPS) for s in t.surroundings.parents[at[0]])
        and _runs_once(t, t.surroundings.owner[at[0]])
    )


def _keeps_nothing(optimizer: Optimizer) -> bool:
    """Whether it is plain descent, for which it does not matter when it is made."""
    names = {
        item.key.value
        for _, t in optimizer.constructions
        for item in t.fields
        if isinstance(item.key, tree.String)
    }
    return optimizer.methods == {"sgd"} and not (names | optimizer.changed) - {"learningRate", "weightDecay"}


def block_of(around: tuple[Statement, ...], statement: Statement) -> tree.Block | None:
    """The block of the innermost statement around that a statement stands in."""
    for child in tree.walk(around[-1]) if around else ():
        if isinstance(child, tree.Block) and statement in child.statements:
            return child
    return None
