"""The vectors and hashes of the package tds as lists and dicts."""

from __future__ import annotations

from torch7py.translate.inference import tds
from torch7py.translate.native import library_rules
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Invoke

__all__: list[str] = []


def _make(t: Translation, node: Call) -> Py:
    """``tds.Hash()``, ``tds.Vec()``, and both with what a table has."""
    representation = "dict" if tds.MAKERS[t.path(node.callee) or ""] == "dict" else "list"
    if t.representation(node) != representation or len(node.arguments) > 1:
        raise Problem("T7-306", node.line, "a vector or hash of tds of many values, or used as both")
    if not node.arguments:
        return atom("{}" if representation == "dict" else "[]")
    argument = node.arguments[0]
    known = t.kind(argument) == "table" and t.representation(argument) == representation
    if not known or t.type(argument).of_elements().kind not in ("number", "string", "boolean", "tensor"):
        raise Problem("T7-306", node.line, "a vector or hash of tds with tables in it")
    return atom(f"{representation}({t.value(argument)})")


for _path in tds.MAKERS:
    library_rules.functions[_path] = _make


def _as_call(t: Translation, node: Invoke) -> Call:
    """``table.insert(v, x)`` for ``v:insert(x)``."""
    if not t.type(node.receiver).has(tds.COUNTED):
        raise Problem("T7-202", node.line, f"the method {node.method} of a table")
    return Call(node.span, node.receiver, (node.receiver, *node.arguments))


def _insert(t: Translation, node: Invoke) -> None:
    library_rules.statements["table.insert"](t, _as_call(t, node))


def _remove(t: Translation, node: Invoke) -> None:
    call = _as_call(t, node)
    t.emit(library_rules.functions["table.remove"](t, call).text)


def _sort(t: Translation, node: Invoke) -> None:
    library_rules.statements["table.sort"](t, _as_call(t, node))


library_rules.method_statements["table", "insert"] = _insert
library_rules.method_statements["table", "remove"] = _remove
library_rules.method_statements["table", "sort"] = _sort
