"""Whether a number is surely 1 or more, as a place in a text must be for a slice to mean the same in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.native import matching
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Binary, Call, Expression, Name, Number, Unary

if TYPE_CHECKING:
    from torch7py.translate.native.translator import Translator

__all__ = ["is_positive"]

Seen = frozenset[Variable]


def is_positive(t: Translator, node: Expression, seen: Seen = frozenset()) -> bool:
    """Whether a whole number is surely 1 or more; a variable is, if all that it is ever given is."""
    if isinstance(node, tree.Paren):
        return is_positive(t, node.inner, seen)
    if isinstance(node, Number):
        return node.value >= 1
    if isinstance(node, Binary) and node.operator == "+":
        left, right = is_positive(t, node.left, seen), is_positive(t, node.right, seen)
        return (left and (right or _is_natural(node.right))) or (right and _is_natural(node.left))
    if isinstance(node, Binary) and node.operator in ("and", "or", "*"):
        return is_positive(t, node.left, seen) and is_positive(t, node.right, seen)
    if isinstance(node, Name):
        return _variable(t, t.scopes.of_name[node], seen)
    if isinstance(node, Call):
        path = t.path(node.callee)
        if path == "math.max":
            return any(is_positive(t, argument, seen) for argument in node.arguments)
        if path in ("math.random", "torch.random"):
            return len(node.arguments) == 1 or (
                len(node.arguments) == 2 and is_positive(t, node.arguments[0], seen)
            )
    found = matching.matched(t, node)
    return found is not None and found[0] == "find"


def _is_natural(node: Expression) -> bool:
    """0 or more."""
    while isinstance(node, tree.Paren):
        node = node.inner
    if isinstance(node, Number):
        return node.value >= 0
    if isinstance(node, Unary):
        return node.operator == "#"
    return isinstance(node, Binary) and node.operator == "%"


def _variable(t: Translator, variable: Variable, seen: Seen) -> bool:
    if variable in seen:
        return True
    sources = t.wholes.sources(variable)
    return bool(sources) and all(
        source if isinstance(source, bool) else is_positive(t, source, seen | {variable})
        for source in sources
        if not isinstance(source, tree.Nil)
    )
