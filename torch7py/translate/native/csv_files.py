"""csvigo: files of separated values, read with Python's csv module."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.library_rules import function
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Expression

__all__: list[str] = []

_SETTINGS = {"separator", "header", "skip", "verbose"}


@function("csvigo.load")
def load(t: Translation, node: Call) -> Py:
    """``load_columns(path)``, or ``load_rows(path)`` of mode raw."""
    arguments: dict[str, Expression] = {}
    only = node.arguments[0] if len(node.arguments) == 1 else None
    if isinstance(only, tree.Table):
        for item in only.fields:
            if not isinstance(item.key, tree.String):
                raise Problem("T7-203", node.line, "csvigo.load of a table without names")
            arguments[item.key.value] = item.value
    else:
        names = ("path", "separator", "mode", "header", "verbose")
        arguments = dict(zip(names, node.arguments, strict=False))
    mode = arguments.pop("mode", None)
    raw = isinstance(mode, tree.String) and mode.value == "raw"
    plain = mode is None or (isinstance(mode, tree.String) and mode.value in ("raw", "tidy"))
    path = arguments.pop("path", None)
    header = arguments.get("header")
    if not plain or path is None or set(arguments) - _SETTINGS:
        raise Problem("T7-203", node.line, "csvigo.load in another mode than raw or tidy")
    if header is not None and t.kind(header) != "boolean":
        raise Problem("T7-203", node.line, "csvigo.load with a header that is not true or false")
    if raw:
        arguments = {name: value for name, value in arguments.items() if name in ("separator", "verbose")}
    texts = [t.value(path).text, *(f"{name}={t.value(value)}" for name, value in arguments.items())]
    helper = "load_rows"
    t.need(helper)
    if not raw:
        t.need("to_number")
        helper = t.need("load_columns")
    return atom(f"{helper}({', '.join(texts)})")
