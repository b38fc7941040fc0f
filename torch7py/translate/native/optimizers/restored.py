"""States of optimizers that come from files: an optimizer is made, and then given the state that was saved of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from torch7py.translate import tree
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Binary, Call, Expression, Index, Name

if TYPE_CHECKING:
    from torch7py.translate.native.training import Training

__all__ = ["Restored", "restored"]


class Restored(NamedTuple):
    """A state from a file. ``condition``: whether there is one; always, where that is None."""

    state: Expression
    condition: Expression | None


def restored(training: Training, value: Expression | None) -> tuple[Expression | None, Restored | None]:
    """What a state is given: settings, what a file has of it, or one of both: ``saved and saved.state or {...}``."""
    while isinstance(value, tree.Paren):
        value = value.inner
    if isinstance(value, Binary) and value.operator == "or" and isinstance(value.right, tree.Table):
        state = _inner(value.left)
        if _is_loaded(training, state):
            return value.right, Restored(state, value.left)
    elif value is not None and _is_loaded(training, value):
        return tree.Table(value.place, ()), Restored(value, None)
    return value, None


def _inner(node: Expression) -> Expression:
    """What ``a and b`` gives where both are there."""
    while isinstance(node, tree.Paren) or (isinstance(node, Binary) and node.operator == "and"):
        node = node.inner if isinstance(node, tree.Paren) else node.right
    return node


def _is_loaded(training: Training, node: Expression, seen: frozenset[Variable] = frozenset()) -> bool:
    """Whether something comes from a file, if it is there at all."""
    t = training.t
    while isinstance(node, (tree.Paren, Index)):
        node = node.inner if isinstance(node, tree.Paren) else node.base
    if isinstance(node, Binary):
        sides = [node.right] if node.operator == "and" else [node.left, node.right]
        logical = node.operator in ("and", "or")
        return logical and all(_is_loaded(training, side, seen) for side in sides)
    if isinstance(node, Call):
        return t.path(node.callee) == "torch.load"
    if not isinstance(node, Name):
        return False
    variable = t.scopes.of_name[node]
    if variable in seen:
        return False
    found = [s for s in t.wholes.sources(variable) if not isinstance(s, (bool, tree.Nil))]
    return bool(found) and all(_is_loaded(training, source, seen | {variable}) for source in found)
