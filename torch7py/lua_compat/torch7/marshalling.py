"""Values between a translated program and the floors below: tables as lists and dicts, functions as callables.

A list or dict that stands for a table belongs to it: the same table gives the same list again, and the same list the
same table, brought up to what it holds now.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

import torch

from torch7py.lua_compat.errors import LuaError
from torch7py.lua_compat.numbers import EXACT
from torch7py.lua_compat.values import Table, call, index, multi, setindex
from torch7py.nn.object import TorchObject
from torch7py.t7.objects import Function as SavedFunction
from torch7py.t7.objects import Table as SavedTable

__all__ = [
    "ScriptForeign",
    "ScriptFunction",
    "ScriptTable",
    "is_plain",
    "refresh",
    "result_to_lua",
    "tables_of_modules",
    "to_lua",
    "to_python",
]

_AS_THEY_ARE = frozenset(
    {type(None), bool, float, str, torch.Tensor, torch.nn.Parameter, Table},
)
_tables: weakref.WeakValueDictionary[int, Table] = weakref.WeakValueDictionary()  # id of a list -> its table
_active: set[int] = set()  # ids of the tables being taken over, against cycles


class ModulesAsTables:
    """What ``modules.py`` knows of tables: set there, since it stands on this."""

    is_module: Callable[[Table], bool]
    peer_of: Callable[[Table], TorchObject]
    table_of: Callable[[TorchObject], Table]
    catch_up: Callable[[], None]
    settle: Callable[[], None]


tables_of_modules = ModulesAsTables()


class ScriptFunction:
    """A program's function in Python's hands."""

    __slots__ = ("__weakref__", "function")

    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, *arguments: Any) -> Any:
        values = [to_python(value) for value in multi(call(self.function, *map(to_lua, arguments)))]
        if not values:
            return None
        return values[0] if len(values) == 1 else tuple(values)


class ScriptTable(MutableMapping[str, Any]):
    """The string keys of a program's table, read and written where it is."""

    __slots__ = ("__weakref__", "table")

    def __init__(self, table: Table) -> None:
        self.table = table

    def get(self, key: str, default: Any = None) -> Any:
        value = to_python(index(self.table, key))
        return default if value is None else value

    def pick(self, *keys: str) -> tuple[Any, ...]:
        """Several values at once, None for each that is not there."""
        return tuple(to_python(index(self.table, key)) for key in keys)

    def __getitem__(self, key: str) -> Any:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: str, value: Any) -> None:
        setindex(self.table, key, to_lua(value))

    def __delitem__(self, key: str) -> None:
        self[key]
        self.table.rawset_(key, None)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(k for k, v in self.table.hash_.items() if type(k) is str and v is not None))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def is_plain(value: Any) -> bool:
    """Whether a value is a table that is no layer."""
    return isinstance(value, Table) and not tables_of_modules.is_module(value)


# To Python


def to_python(value: Any) -> Any:
    """A Lua value as the floors below take it."""
    kind = type(value)
    if kind is int or (kind in _AS_THEY_ARE and kind is not Table):
        return value
    if isinstance(value, Table):
        if tables_of_modules.is_module(value):
            return tables_of_modules.peer_of(value)
        return _list_or_dict(value)
    if kind is ScriptForeign:
        return value.saved
    if callable(value) and not isinstance(value, (torch.Tensor, SavedFunction)):
        return ScriptFunction(value)
    return value


def _list_or_dict(table: Table) -> list[Any] | dict[Any, Any]:
    twin = table.extra_
    if id(table) in _active:
        assert isinstance(twin, (list, dict))
        return twin
    as_map = any(value is not None for value in table.hash_.values())
    if not isinstance(twin, dict if as_map else list):
        twin = table.extra_ = {} if as_map else []
        _tables[id(twin)] = table
    _active.add(id(table))
    try:
        if isinstance(twin, dict):
            entries = [(to_python(key), to_python(value)) for key, value in table.pairs_()]
            twin.clear()
            twin.update(entries)
        else:
            twin[:] = [to_python(value) for value in table.array_]
    finally:
        _active.discard(id(table))
    return twin


# To Lua


def to_lua(value: Any) -> Any:
    """What Python gave as a Lua value."""
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind is int:
        return value if -EXACT <= value <= EXACT else float(value)
    if kind is list or kind is dict:
        return _table_of(value)
    if kind is ScriptFunction:
        return value.function
    if kind is ScriptTable:
        return value.table
    if isinstance(value, TorchObject):
        return tables_of_modules.table_of(value)
    if isinstance(value, SavedTable):
        return _table_of_saved(value)
    if isinstance(value, SavedFunction):
        return ScriptForeign(value)
    if isinstance(value, tuple):
        return _table_of(list(value))
    for plain in (float, int, str):  # numpy's numbers are of subclasses
        if isinstance(value, plain):
            return plain(value)
    return value


def result_to_lua(result: Any) -> Any:
    """What a Python function returned: a tuple is several values."""
    if type(result) is tuple:
        return tuple(map(to_lua, result))
    return to_lua(result)


def _table_of(twin: list[Any] | dict[Any, Any]) -> Table:
    table = _tables.get(id(twin))
    if table is None or table.extra_ is not twin:
        table = Table()
        table.extra_ = twin
        _tables[id(twin)] = table
    refresh(table)
    return table


def refresh(table: Table) -> None:
    """Bring a table up to what its list or dict holds."""
    twin = table.extra_
    if id(table) in _active or not isinstance(twin, (list, dict)):
        return
    _active.add(id(table))
    try:
        if isinstance(twin, list):
            values = [to_lua(value) for value in twin]
            while values and values[-1] is None:
                values.pop()
            table.array_[:] = values
        else:
            entries = [(to_lua(key), to_lua(value)) for key, value in twin.items()]
            table.array_.clear()
            table.hash_.clear()
            for key, value in entries:
                if value is not None:
                    table.rawset_(key, value)
    finally:
        _active.discard(id(table))


def _table_of_saved(saved: SavedTable) -> Table:
    done: dict[int, Table] = {}

    def convert(value: Any) -> Any:
        if not isinstance(value, SavedTable):
            return to_lua(value)
        known = done.get(id(value))
        if known is None:
            known = done[id(value)] = Table()
            for key, item in value.items():
                known.rawset_(convert(key), convert(item))
        return known

    made: Table = convert(saved)
    return made


class ScriptForeign:
    """A function that was read from a file: it can be saved again, not called."""

    def __init__(self, saved: SavedFunction) -> None:
        self.saved = saved

    def __call__(self, *_: Any) -> Any:
        raise LuaError("this function was saved by another program: its compiled code cannot run here")
