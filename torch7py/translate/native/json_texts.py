"""Texts in JSON: objects are dicts, arrays lists. Which of the two a table is to be is told from its use."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.library_rules import constants, function, statement
from torch7py.translate.native.plain_calls import library_attribute, library_call
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.tree import Call

__all__ = ["asks_for_nulls"]

_PLAIN = ("number", "string", "boolean")


@function("cjson.decode")
def decode(t: Translation, node: Call) -> Py:
    """``cjson.decode(text)``; a null in it is None, false where cjson's is true, unless the program asks for it."""
    if asks_for_nulls(t):
        return library_call(t, "from_json", [t.value(node.arguments[0]).text])
    if len(node.arguments) != 1 or t.kind(node.arguments[0]) not in ("string", None):
        raise Undecided("T7-203", node.line, "a text in JSON of unknown kind")
    _check(t, t.type(node), node.line, is_read=True)
    t.imports.add("json")
    return atom(f"json.loads({t.value(node.arguments[0])})")


@function("cjson.encode")
def encode(t: Translation, node: Call) -> Py:
    """``cjson.encode(value)``; the order of keys is another, and numbers have all their digits."""
    if len(node.arguments) != 1:
        raise Problem("T7-203", node.line, "JSON of several values")
    if asks_for_nulls(t):
        return library_call(t, "to_json", [t.value(node.arguments[0]).text])
    _check(t, t.type(node.arguments[0]), node.line)
    t.imports.add("json")
    return atom(f'json.dumps({t.value(node.arguments[0])}, separators=(",", ":"))')


def _null(t: Translation, path: str) -> Py:
    """``cjson.null``"""
    return library_attribute(t, "NULL")


constants["cjson.null"] = _null


def asks_for_nulls(t: Translation) -> bool:
    """Whether the program compares with ``cjson.null``, or has it somewhere."""
    return any(t.path(node) == "cjson.null" for node in tree.every(t.program, tree.Index))


@statement("cjson.encode_sparse_array")
def sparse_arrays(t: Translation, node: Call) -> None:
    """How tables with numbers for keys are written, which have no form here."""


def _check(
    t: Translation, value: Type, line: int, *, is_read: bool = False, above: tuple[Type, ...] = ()
) -> None:
    """Refuse what is not the same in JSON as in a page: a table under numbers is a list, one under texts a dict."""
    value = value.find()
    if value in above or value.kind in _PLAIN or (value.kind is None and (is_read or value.has("json"))):
        return
    if value.kind != "table":
        kind = "something of unknown kind" if value.kind is None else f"a {value.kind}"
        raise Undecided("T7-203", line, f"JSON with {kind} in it")
    form = t.tables.representation(value)
    keys = value.of_keys().kind if value.key is not None else None
    if (form == "dict" and keys != "string") or (value.fields and (keys == "number" or value.has("array"))):
        raise Undecided("T7-306", line, "JSON with a table that has other keys than texts, and is no list")
    if form not in ("list", "dict", "record"):
        raise Undecided("T7-203", line, "JSON with a table that is no list or dict in the page")
    inner = [*value.fields.values()]
    if form != "record":
        inner.append(value.of_elements())
    for part in inner:
        _check(t, part, line, is_read=is_read, above=(*above, value))
