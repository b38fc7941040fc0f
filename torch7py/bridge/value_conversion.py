"""Conversion of values between a Lua program and its user in Python.

=========================================  ===========================================
Python, into Lua                           Lua, into Python
=========================================  ===========================================
None                                       nil: None
bool, numpy.bool_                          boolean: bool
int, float, numpy's numbers, 0-dim tensor  number: int where it is whole, else float
str: its UTF-8 bytes; bytes                string: str where it is UTF-8, else bytes
list, tuple, dict, torch7py.Table: a copy  table: LuaTable, the table itself
LuaTable, LuaFunction: what they stand for function: LuaFunction
callable: a function                       (such a function: the callable)
torch.Tensor, numpy.ndarray: same memory   tensor: torch.Tensor
Storage, files, timers, ...: as they are   storage, file, timer, ...: as they are
torch.nn.Module: a module                  module: torch.nn.Module
anything else: TypeError                   coroutine, userdata, cdata: TypeError
=========================================  ===========================================

docs/value_conversion.md states all conditions. Calls of layers, operations and packages convert values in another way
(``dispatch.py``, ``calls.py``): there tables are lists and dicts, and a string has one character for each byte.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from torch7py.bridge.calls import decode
from torch7py.bridge.dispatch import encode_results
from torch7py.bridge.lua_values import Foreign, LuaFunction, LuaTable, LuaValue, PythonFunction, from_lua
from torch7py.bridge.runtime_interface import RuntimeInterface
from torch7py.nn.foreign import as_layer
from torch7py.nn.object import TorchObject
from torch7py.ops import memory, types
from torch7py.ops.dispatch.kinds import Kind
from torch7py.ops.registry import classes
from torch7py.t7.objects import Function, Object, Table

__all__ = ["conversion_functions", "encode", "to_latin1", "to_lua"]


MOST = 50  # arguments or results of a call


# -- into Lua ---------------------------------------------------------------------------------------------


def encode(runtime: RuntimeInterface, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Values for Lua: which of them are handles (a bit each), then the values."""
    if len(values) > MOST:
        raise TypeError(f"{len(values)} values at once, where Lua takes {MOST}: put them into a list")
    return encode_results(runtime.handles, tuple(to_lua(runtime, value) for value in values))


def to_lua(runtime: RuntimeInterface, value: Any, memo: dict[int, Any] | None = None) -> Any:
    """What stands for a value in Lua, in the terms of ``encode_results``. TypeError where nothing does.

    ``memo`` has the copies of the lists and dicts around it, so that what was one table is one again.
    """
    kind = type(value)
    if value is None or kind is bool or kind is float:
        return value
    if kind is str:
        return value if value.isascii() else to_latin1(value)
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return _number(int(value))
    if isinstance(value, torch.Tensor):
        return _tensor(value)
    if isinstance(value, (list, tuple, dict, Table)):
        return _table(runtime, value, {} if memo is None else memo)
    if isinstance(value, LuaValue):
        if value.runtime() is not runtime:
            raise TypeError(f"this {kind.__name__} belongs to another runtime: {value!r}")
        return value
    if isinstance(value, np.ndarray):
        return _tensor(_of_array(value))
    if isinstance(value, (np.bool_, np.floating)):
        return _scalar(value)
    if isinstance(value, torch.nn.Module):
        return value if isinstance(value, TorchObject) else as_layer(value)
    if isinstance(value, bytes):
        return value.decode("latin1")
    if isinstance(value, (str, float)):  # of classes derived from them
        return to_latin1(str(value)) if isinstance(value, str) else float(value)
    if isinstance(value, (memory.Storage, *classes.values())):
        return value
    if callable(value) and not isinstance(value, (Object, Function)):
        return runtime.python_function(value)
    raise TypeError(f"the type {_name(kind)} has no counterpart in Lua (docs/value_conversion.md)")


def to_latin1(text: str) -> str:
    """A text as Lua has it: a character for each byte of its UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "surrogatepass").decode("latin1")


def _name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _number(value: int) -> float:
    if -(2**53) <= value <= 2**53:
        return value
    try:
        number = float(value)
    except OverflowError:
        number = 0.0
    if number != value:
        raise OverflowError(f"{value} is no Lua number: those are doubles, whole up to 2^53")
    return number


def _scalar(value: Any) -> Any:
    number = value.item()
    if not isinstance(number, (bool, float)):
        raise TypeError(f"the type {_name(type(value))} has no counterpart in Lua (docs/value_conversion.md)")
    return number


def _tensor(value: torch.Tensor) -> Any:
    if value.layout != torch.strided:
        raise TypeError(f"a tensor of layout {value.layout} has no counterpart in Lua: it is no dense one")
    if value.dim() == 0 and not value.is_complex() and value.device.type != "meta":
        number = value.item()
        return _number(number) if isinstance(number, int) and not isinstance(number, bool) else number
    if value.dtype == torch.bool:
        return value.detach().view(torch.uint8)
    if value.dtype not in types.BY_DTYPE:
        raise TypeError(f"a tensor of {value.dtype} has no counterpart in Lua: Torch7 has no such type")
    return value


def _of_array(array: np.ndarray[Any, Any]) -> torch.Tensor:
    if array.ndim and not array.flags.writeable:
        raise TypeError("a numpy.ndarray that is read-only has no counterpart in Lua: pass a copy of it")
    try:
        return torch.from_numpy(array)
    except (TypeError, ValueError) as error:
        raise TypeError(f"a numpy.ndarray of {array.dtype} has no counterpart in Lua: {error}") from None


def _table(runtime: RuntimeInterface, value: Any, memo: dict[int, Any]) -> Any:
    copy = memo.get(id(value))
    if copy is not None:
        return copy
    if isinstance(value, (list, tuple)):
        copy = memo[id(value)] = []
        for number, item in enumerate(value):
            if item is None:
                raise TypeError(
                    f"None at index {number} of a {type(value).__name__}: a Lua table holds no nil"
                )
            copy.append(to_lua(runtime, item, memo))
        return copy
    copy = memo[id(value)] = Table() if isinstance(value, Table) else {}
    for key, item in value.items():
        name = to_lua(runtime, key, memo)
        if name is None or name != name:
            raise TypeError(f"{key!r} is no key of a Lua table")
        if isinstance(key, tuple):
            raise TypeError(f"the key {key!r}: a Lua table that is a key is found by its identity alone")
        if name in copy:
            raise TypeError(f"the key {key!r} is in Lua the same as another of the keys")
        copy[name] = to_lua(runtime, item, memo)
    return copy


def conversion_functions(runtime: RuntimeInterface) -> dict[str, Callable[..., Any]]:
    """The functions for ``value_conversion.lua``."""
    handles = runtime.handles

    def known_value(number: int) -> int | None:
        """The handle of what Python holds under a number, if it still does."""
        held = runtime.values.get(number)
        return None if held is None else handles.give(held, Kind.OBJECT)

    def new_value(number: int, is_table: bool) -> int:
        value = (LuaTable if is_table else LuaFunction)(runtime, number)
        runtime.values[number] = value
        return handles.give_new(value, Kind.OBJECT)

    def new_foreign(name: str) -> int:
        """The handle of a value by its type, or of a whole number of C by its text."""
        return handles.give_new(Foreign(name), Kind.OBJECT)

    def call_python(handle: int, mask: int, *arguments: Any) -> tuple[Any, ...]:
        function: PythonFunction = handles.objects[handle]
        values = [from_lua(value) for value in decode(handles, int(mask), arguments)]
        with runtime.left(), torch.enable_grad():
            result = function.function(*values)
        return encode(runtime, result if isinstance(result, tuple) else (result,))

    return {
        "known_value": known_value,
        "new_value": new_value,
        "new_foreign": new_foreign,
        "call_python": call_python,
    }
