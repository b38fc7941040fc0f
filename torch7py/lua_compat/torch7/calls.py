"""The registered operations as Lua functions, through the dispatch that the bridge uses too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from torch7py.lua_compat.errors import LuaError
from torch7py.lua_compat.torch7.marshalling import (
    refresh,
    result_to_lua,
    tables_of_modules,
    to_lua,
    to_python,
)
from torch7py.lua_compat.values import Table
from torch7py.ops import types
from torch7py.ops.dispatch.adapters import Adapters, Mode
from torch7py.ops.dispatch.kinds import Kind
from torch7py.ops.error_messages import message_of
from torch7py.ops.errors import TorchError
from torch7py.ops.memory import Storage
from torch7py.ops.registry import operations

__all__ = ["function_of", "kind_of_argument", "method_of", "raised"]

_KINDS: dict[type, int] = {
    type(None): Kind.NIL,
    bool: Kind.BOOLEAN,
    int: Kind.NUMBER,
    float: Kind.NUMBER,
    str: Kind.STRING,
}
_CODES = {number_type.dtype: number_type.code for number_type in types.NUMBER_TYPES}
_adapters = Adapters(torch.device("cpu"))
_methods: dict[str, Callable[..., Any]] = {}
_functions: dict[str, Callable[..., Any]] = {}


def kind_of_argument(value: Any) -> int:
    """The ``Kind`` of a Lua value as an argument."""
    known = _KINDS.get(type(value))
    if known is not None:
        return known
    if isinstance(value, torch.Tensor):
        return _CODES[value.dtype]
    if isinstance(value, Storage):
        return Kind.STORAGE + value.type.code
    if isinstance(value, Table):
        return Kind.MODULE if tables_of_modules.is_module(value) else Kind.TABLE
    return Kind.FUNCTION if callable(value) else Kind.OBJECT


def raised(error: Exception) -> Exception:
    """What a program sees of an error below. To be raised."""
    if isinstance(error, (LuaError, TorchError, RecursionError, MemoryError)):
        return error
    return TorchError(message_of(error))


def method_of(name: str) -> Callable[..., Any]:
    """The method ``x:name(...)`` of an operation."""
    found = _methods.get(name)
    if found is None:
        found = _methods[name] = _caller(name, method=True)
    return found


def function_of(name: str) -> Callable[..., Any]:
    """The function ``torch.name(...)`` of an operation."""
    found = _functions.get(name)
    if found is None:
        found = _functions[name] = _caller(name, method=False)
    return found


def _caller(name: str, method: bool) -> Callable[..., Any]:
    adapters: dict[tuple[int, ...], tuple[Callable[..., Any], int]] = {}

    def call(*arguments: Any) -> Any:
        while arguments and arguments[-1] is None:
            arguments = arguments[:-1]
        kinds: list[int] = []
        given: list[Any] | None = None
        tables: list[Table] | None = None
        for at, value in enumerate(arguments):
            kind = _KINDS.get(type(value))
            if kind is None:
                kind = kind_of_argument(value)
                if kind in (Kind.TABLE, Kind.MODULE, Kind.FUNCTION):
                    given = list(arguments) if given is None else given
                    given[at] = to_python(value)
                    if kind == Kind.TABLE:
                        tables = [value] if tables is None else [*tables, value]
            elif type(value) is float and value.is_integer() and value:
                given = list(arguments) if given is None else given
                given[at] = int(value)
            kinds.append(kind)
        key = tuple(kinds)
        try:
            found = adapters.get(key)
            if found is None:
                adapter = _adapters.resolve(operations[name], method, kinds)
                found = adapters[key] = adapter.function, adapter.mode % Mode.MOVES
            function, mode = found
            result = function(*(arguments if given is None else given))
        except Exception as error:
            raise raised(error) from error
        if tables is not None:
            for table in tables:
                refresh(table)
        if mode == Mode.SELF:
            return arguments[0]
        if mode == Mode.MULTI:
            result = result[1:] if len(result) != 2 else result[1]
        elif mode == Mode.HANDLE:
            return to_lua(result)
        return result_to_lua(result)

    call.__name__ = call.__qualname__ = name
    return call
