"""Copies of what a program added to a layer: its raw fields, with everything they reach.

The layer copies itself and what is inside it, and asks here for the program's part. Tensors and layers met on the way
are copied under the same memo, so that what was shared is shared among the copies.
"""

from __future__ import annotations

from types import CellType, FunctionType
from typing import Any

import torch

from torch7py.lua_compat.basic import G
from torch7py.lua_compat.errors import Source
from torch7py.lua_compat.support import Cell
from torch7py.lua_compat.torch7 import classes
from torch7py.lua_compat.torch7.marshalling import tables_of_modules
from torch7py.lua_compat.values import Table, index
from torch7py.nn.copying import deep_copy

__all__ = ["copy_fields"]

_MEMO = "torch7py program memo"


def _is_furniture(table: Table) -> bool:
    """Whether a table is the program's furniture and not a layer's data."""
    if table is G or classes.registered.get(table.rawget_("__typename") or "") is table:
        return True
    loaded = index(G.package, "loaded")
    return any(value is table for _, value in loaded.pairs_())


def copy_fields(source: Table, target: Table, fields: list[tuple[Any, Any]], memo: dict[Any, Any]) -> None:
    """Give the table ``target`` of a copied layer copies of these fields of the original's."""
    done: dict[int, tuple[Any, Any]] = memo.setdefault(_MEMO, {})
    done[id(source)] = source, target

    def copy(value: Any) -> Any:
        known = done.get(id(value))
        if known is not None:
            return known[1]
        if isinstance(value, torch.Tensor):
            return deep_copy(value, memo)
        if isinstance(value, Table):
            return _copy_table(value)
        if isinstance(value, FunctionType):
            return _copy_function(value)
        if isinstance(value, Cell):
            made = Cell()
            done[id(value)] = value, made
            made.value = copy(value.value)
            return made
        return value if isinstance(value, (str, int, float, bool, type(None))) else deep_copy(value, memo)

    def _copy_table(table: Table) -> Table:
        if tables_of_modules.is_module(table):
            peer = tables_of_modules.peer_of(table)
            copied = tables_of_modules.table_of(deep_copy(peer, memo))
            done[id(table)] = table, copied
            return copied
        if _is_furniture(table):
            return table
        made = Table()
        made.meta_ = table.meta_
        done[id(table)] = table, made
        for key, value in list(table.pairs_()):
            made.rawset_(copy(key), copy(value))
        return made

    def _copy_function(f: FunctionType) -> Any:
        """A function with its own copies of the variables around it, as when it had been saved and loaded."""
        place: Source | None = f.__globals__.get("__lua__")
        if place is None or place.is_ours or not (f.__closure__ or f.__defaults__):
            return f
        made = FunctionType(
            f.__code__, f.__globals__, f.__name__, None, tuple(CellType() for _ in f.__closure__ or ())
        )
        done[id(f)] = f, made
        made.__defaults__ = None if f.__defaults__ is None else tuple(map(copy, f.__defaults__))
        made.__kwdefaults__ = f.__kwdefaults__ and {k: copy(v) for k, v in f.__kwdefaults__.items()}
        for mine, its in zip(made.__closure__ or (), f.__closure__ or (), strict=True):
            known = done.get(id(its))
            try:
                mine.cell_contents = copy(its.cell_contents) if known is None else known[1]
            except ValueError:  # a variable that has no value yet
                continue
        return made

    for key, value in fields:
        target.rawset_(copy(key), copy(value))
