"""What is known at one point of a program: which places may have memory of what a call of a module gave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Expression, Name

__all__ = ["NOTHING", "Cell", "Fact", "Facts", "State", "apart", "join", "key_of"]


class Fact(NamedTuple):
    """The memory of what a call gave, an output or (``backward``) a gradient.

    ``by`` is the call that wrote over it, ``old`` says that it is of an earlier run of a loop.
    """

    site: Expression
    module: Expression
    by: Expression | None = None
    old: bool = False
    backward: bool = False


Facts = frozenset[Fact]
NOTHING: Facts = frozenset()
Cell = tuple[Type, str]  # the element of a table: the table's type, and the key as text
State = dict["Variable | Cell", Facts]


def join(states: Sequence[State | None]) -> State | None:
    """What is known where ways through a program meet; None is a way that does not come there."""
    alive = [state for state in states if state is not None]
    if not alive:
        return None
    if len(alive) == 1:
        return dict(alive[0])
    first = alive[0]
    if all(state == first for state in alive[1:]):
        return dict(first)
    result: State = {}
    for location in {location: None for state in alive for location in state}:
        facts = NOTHING
        for state in alive:
            more = state.get(location)
            if more is None and isinstance(location, tuple):
                # What one of them has not stored at a key of a table may be anything in it.
                more = state.get((location[0], "*"))
            if more:
                facts = facts | more if facts else more
        result[location] = facts
    return result


def key_of(node: Expression) -> str:
    """A key of a table as text: a constant or a variable, ``*`` for others."""
    if isinstance(node, tree.String):
        return f".{node.value}"
    if isinstance(node, tree.Number):
        return str(node.value)
    return node.name if isinstance(node, Name) else "*"


def apart(one: str, other: str) -> bool:
    """Whether two keys are constants, and not the same."""
    constants = all(key.startswith(".") or key.isdigit() for key in (one, other))
    return constants and one != other
