"""Tables whose metatable is no class of the program's, but a function that gives what they do not have.

``setmetatable(examples, {__index = function(self, i) return {self.data[i], self.labels[i]} end})`` is how a data set
gives its examples: a dict that computes them. Tables with other metatables are the pages' library's.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.native.code import ATOM, Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.library_rules import function, statement
from torch7py.translate.native.plain_calls import library_call
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.tree import Call
from torch7py.translate.tree_queries import index_alone

__all__ = ["with_metatable"]


def with_metatable(t: Translation, table: Type, text: str) -> str:
    """A dict that the program gives a metatable."""
    if not table.has("metatable") or table.find().classes:
        return text
    if _computes_items(t, table):
        return f"{t.need('ComputedItems')}({text})"
    return library_call(t, "Table", [text]).text


def _computes_items(t: Translation, table: Type) -> bool:
    """Whether a table's items are computed by functions that always give one value."""
    if not table.has("computed items") or table.has("metamethods") or t.plain_values:
        return False
    calls = [call for call in tree.every(t.program, Call) if t.path(call.callee) == "setmetatable"]
    given = [
        index_alone(c.arguments[-1])
        for c in calls
        if c.arguments and t.type(c.arguments[0]).find() is table.find()
    ]
    functions = [function for items in given if items is not None for function in t.type(items).functions]
    return all(t.counts.of_function(function) in (None, (1, 1)) for function in functions)


def _parts(t: Translation, node: Call) -> tuple[str, str]:
    """The table that ``setmetatable`` gives a function for its items, and that function."""
    if t.kind(node.arguments[-1]) == "class" or t.types.class_named(node.arguments[-1]) is not None:
        raise Problem("T7-242", node.line, "an object of a class, made of a table that is not written there")
    items = index_alone(node.arguments[-1])
    if len(node.arguments) != 2 or not _computes_items(t, t.type(node.arguments[0])) or items is None:
        raise Undecided("T7-201", node.line, "setmetatable has no native form")
    if t.kind(items) != "function":
        raise Problem("T7-201", node.line, "setmetatable has no native form")
    return t.value(node.arguments[0]).at(ATOM), t.value(items).text


@statement("setmetatable")
def set_items(t: Translation, node: Call) -> None:
    table, items = _parts(t, node)
    t.emit(f"{table}.item = {items}")


@function("setmetatable")
def with_items(t: Translation, node: Call) -> Py:
    table, items = _parts(t, node)
    return atom(f"{table}.with_items({items})")
