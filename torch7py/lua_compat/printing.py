"""``print`` as ``th`` had it: tables written out level by level, a tab after every other value."""

from __future__ import annotations

from typing import Any

from torch7py.lua_compat.errors import fail
from torch7py.lua_compat.operators import tostring
from torch7py.lua_compat.system import write_text
from torch7py.lua_compat.values import Table, behaviour_of, kind_of, metamethod

__all__ = ["pretty_print", "print_plain", "set_print_level"]

_INDENT = 4
_settings = {"levels": 5}


def _inline(value: Any, nested: bool) -> str:
    if type(value) is str:
        return f'"{value}"' if nested else value
    if kind_of(value) == "userdata":
        summary = getattr(behaviour_of(value), "summary", None)
        return str(tostring(value) if summary is None else summary(value))
    return str(tostring(value))


def _is_empty(table: Table) -> bool:
    return next(iter(table.pairs_()), None) is None


def _write_table(table: Table, depth: int) -> None:
    margin = " " * (depth * _INDENT)
    if _is_empty(table):
        write_text(margin + "{}\n")
        return
    write_text(margin + "{\n")
    for key, value in table.pairs_():
        name = f"{margin}  {tostring(key)} : "
        if not isinstance(value, Table):
            write_text(name + _inline(value, True) + "\n")
        elif depth >= _settings["levels"] - 1 or _is_empty(value):
            write_text(name + "{...}\n")
        else:
            write_text(name + "\n")
            _write_table(value, depth + 1)
    write_text(margin + "}\n")


def pretty_print(*values: Any) -> tuple[()]:
    if _settings["levels"] == 0:
        return print_plain(*values)
    for i, value in enumerate(values):
        if isinstance(value, Table):
            if metamethod(value, "__tostring") is not None:
                write_text(tostring(value) + "\n")
            else:
                _write_table(value, 0)
        elif kind_of(value) in ("userdata", "table"):
            write_text(tostring(value) + "\n")
        else:
            write_text(_inline(value, False) + ("\t\n" if i == len(values) - 1 else "\t"))
    return ()


def print_plain(*values: Any) -> tuple[()]:
    """Lua's own print."""
    texts = [tostring(value) for value in values]
    if not all(type(text) is str for text in texts):
        raise fail("'tostring' must return a string to 'print'")
    write_text("\t".join(texts) + "\n")
    return ()


def set_print_level(levels: Any = None, *_: Any) -> tuple[()]:
    if type(levels) not in (int, float) or levels < 0:
        raise fail("setprintlevel expects a number that is not negative")
    _settings["levels"] = int(levels)
    return ()
