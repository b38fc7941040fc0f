"""Which calls of a program take one of Lua's patterns: find, match, gmatch and gsub, as functions or as methods."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.analysis.program_facts import Known
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Invoke
from torch7py.translate.tree_queries import bare

__all__ = ["has_methods_of_text", "matched", "origin"]

_NAMES = {"find", "match", "gsub", "gmatch"}


def has_methods_of_text(t: Known, node: Expression) -> bool:
    """Whether a receiver is a text, or a number or the message of an error: numbers have no methods."""
    kind = t.kind(node)
    return kind == "string" or (kind == "number" and t.type(node).has("message"))


def matched(t: Known, node: Expression) -> tuple[str, Expression, tuple[Expression, ...]] | None:
    """The function, the text and the other arguments of a call that takes a pattern."""
    node = bare(node)
    if isinstance(node, Invoke) and node.method in _NAMES and has_methods_of_text(t, node.receiver):
        return node.method, node.receiver, node.arguments
    if isinstance(node, Call) and node.arguments:
        path = t.path(node.callee) or ""
        name = path.removeprefix("string.")
        if path.startswith("string.") and name in _NAMES:
            return name, node.arguments[0], node.arguments[1:]
    return None


def origin(t: Known, variable: Variable) -> tuple[tuple[str, Expression, tuple[Expression, ...]] | None, int]:
    """The call of match or gmatch that a variable has its only value from, and which of its results it is."""
    if variable.writes:
        return None, 0
    for node in tree.walk(t.program):
        if not isinstance(node, (tree.Local, tree.GenericFor)) or len(node.values) != 1:
            continue
        if variable.declaration in node.names:
            return matched(t, node.values[0]), node.names.index(variable.declaration)
    return None, 0
