"""Lists that the libraries give, where the program uses them as tables with other keys, or with gaps."""

from __future__ import annotations

from torch7py.translate import library
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Invoke

__all__ = ["as_table"]


def as_table(t: Translation, node: Call | Invoke, written: Py) -> Py:
    """The value of a call: a dict with the keys 1, 2, 3, ... where a library's list is a dict in the page."""
    if not _is_used_as_dict(t, node):
        return written
    elements = t.type(node).of_elements()
    if elements.kind == "table" and t.tables.representation(elements) != "list":
        raise Problem("T7-306", node.line, "a list of lists, into tables that are no lists")
    return atom(f"dict(enumerate({written}, 1))")


def _is_used_as_dict(t: Translation, node: Call | Invoke) -> bool:
    if t.kind(node) != "table" or t.representation(node) != "dict" or t.types.function_called(node):
        return False
    if isinstance(node, Invoke):
        return node.method in library.LISTS_OF_METHODS and t.kind(node.receiver) not in ("object", "table")
    return t.path(node.callee) in library.LISTS_OF_FUNCTIONS
