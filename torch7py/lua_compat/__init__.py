"""Lua 5.1 for translated programs, as LuaJIT and ``th`` ran it: operators, libraries and globals.

A translated file uses this package as ``lua``: ``lua.add(a, b)`` is ``a + b``, ``lua.index(t, k)`` is ``t[k]``,
``lua.method(x, "name", ...)`` is ``x:name(...)``. ``G`` holds the globals: ``G.print``, ``G.string.format``.
"""

from __future__ import annotations

from typing import Any

from torch7py.lua_compat.basic import G, assert_, reset, select
from torch7py.lua_compat.errors import LuaError, Source
from torch7py.lua_compat.loops import ipairs, iterate, pairs
from torch7py.lua_compat.modules import main, use_torch
from torch7py.lua_compat.operators import (
    add,
    concat,
    div,
    eq,
    ge,
    gt,
    le,
    length,
    lt,
    mod,
    mul,
    ne,
    pow,
    range,
    sub,
    unm,
)
from torch7py.lua_compat.package_loader import set_package_loader
from torch7py.lua_compat.support import Cell, not_translated, table, table_of, take, text
from torch7py.lua_compat.values import Table, bound, call, first, index, method, multi, setindex, truth

__all__ = [
    "Cell",
    "G",
    "LuaError",
    "Source",
    "Table",
    "add",
    "assert_",
    "bound",
    "call",
    "concat",
    "div",
    "eq",
    "first",
    "ge",
    "gt",
    "index",
    "ipairs",
    "iterate",
    "le",
    "length",
    "lt",
    "main",
    "method",
    "mod",
    "mul",
    "multi",
    "ne",
    "not_translated",
    "pairs",
    "pow",
    "range",
    "reset",
    "select",
    "setindex",
    "sub",
    "table",
    "table_of",
    "take",
    "text",
    "truth",
    "unm",
    "use_torch",
]


def _load_package(name: str) -> Any:
    # Imported at the first use: a program without tensors need not wait for PyTorch.
    from torch7py.lua_compat.torch7.packages import load

    return load(name)


set_package_loader(_load_package)
