"""Lua 5.1 for translated programs, as LuaJIT and ``th`` ran it: operators, libraries and globals.

A translated file uses this package as ``lua``: ``lua.add(a, b)`` is ``a + b``, ``lua.index(t, k)`` is ``t[k]``,
``lua.method(x, "name", ...)`` is ``x:name(...)``. ``G`` holds the globals: ``G.print``, ``G.string.format``.
"""

from __future__ import annotations

from torch7py.lua_compat.basic import G, assert_, reset, select
from torch7py.lua_compat.loops import ipairs, iterate, pairs
from torch7py.lua_compat.modules import main, use_torch
from torch7py.lua_compat.operators import (
    add,
    bound,
    call,
    concat,
    div,
    eq,
    ge,
    gt,
    index,
    le,
    length,
    lt,
    method,
    mod,
    mul,
    ne,
    pow,
    range,
    setindex,
    sub,
    unm,
)
from torch7py.lua_compat.support import Cell, not_translated, table, table_of, take, text
from torch7py.lua_compat.values import LuaError, Source, Table, first, multi, truth

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
