"""Optimizers whose settings a function is given, ``fit(model, {learningRate = 0.1})``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from torch7py.translate import tree
from torch7py.translate.native.holders import Holder
from torch7py.translate.native.optimizers.methods import Definition, Optimizer
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Index, Name, String, Table

if TYPE_CHECKING:
    from torch7py.translate.native.training.steps import Training

__all__ = ["from_parameter"]

Called: TypeAlias = "Callable[[Training, Call], set[str]]"


def from_parameter(
    training: Training, holder: Holder, nodes: list[Call], module: Expression, called: Called
) -> None:
    """Note the optimizer of a state that is a function's parameter, where every call gives it a table of its own."""
    t, (first, *_) = training.t, nodes
    if (
        not isinstance(holder, Variable)
        or holder.kind != "parameter"
        or holder.writes
        or holder.scope is None
    ):
        return
    state, methods = first.arguments[-1], {name for node in nodes for name in called(training, node)}
    weights = training.holders.of(first.arguments[1])
    made = [] if weights is None else training.holders.assigned(weights)
    settings = _given(training, holder)
    if len(made) != 1 or len(methods) != 1 or settings is None or any(len(n.arguments) != 3 for n in nodes):
        return
    flat = made[0][0]
    if training.places.owner[flat] is not holder.scope or not isinstance(state, Name):
        return
    if not _only_read(training, holder, {node.arguments[-1] for node in nodes}):
        return
    fields = []
    for key, value in settings.items():
        setting = Index(state.place, state, String(state.place, key), True)
        t.types.by_node[setting] = t.type(value)
        fields.append(tree.Field(state.place, setting.key, setting, True, (), None))
    table = Table(state.place, tuple(fields))
    definition = Definition(flat, state, table, methods.pop(), module)
    optimizer = Optimizer(definition.option, module, table, flat, [definition], calls=nodes)
    optimizer.name = t.names.fresh("optimizer", holder.scope)
    training.optimizers.append(optimizer)
    training.made_at.setdefault(flat, []).append((optimizer, definition))


def _given(training: Training, parameter: Variable) -> dict[str, Expression] | None:
    """The settings that the calls of a function give it, where all give the same ones."""
    types = training.t.types
    function = parameter.scope.function if parameter.scope is not None else None
    found: dict[str, Expression] | None = None
    if function is None or not types.calls_of.get(function):
        return None
    for call in types.calls_of[function]:
        (value,) = [v for name, v in types.given(function, call) if name is parameter.declaration] or (None,)
        if not isinstance(value, Table):
            return None
        settings = {item.key.value: item.value for item in value.fields if isinstance(item.key, String)}
        if len(settings) != len(value.fields) or (found is not None and set(found) != set(settings)):
            return None
        found = settings
    return found


def _only_read(training: Training, parameter: Variable, states: set[Expression]) -> bool:
    """Whether a function does nothing with its settings but to look at them."""
    program = training.t.program
    changed = {target for node in tree.every(program, tree.Assign) for target in node.targets}
    looked_at = {
        node.base
        for node in tree.every(program, Index)
        if isinstance(node.key, String) and node not in changed
    }
    return set(parameter.reads) <= states | looked_at
