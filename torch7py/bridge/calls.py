"""Calls between the languages: Python functions as Lua calls them, Lua functions as Python calls them.

The convention both ways is a bit mask and values: bit i says that value i is a handle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch7py.bridge.dispatch import encode_results
from torch7py.bridge.errors import LuaError, LuaSyntaxError, RuntimeClosed
from torch7py.bridge.handles import Handles
from torch7py.bridge.runtime_interface import RuntimeInterface

__all__ = ["ForOneCall", "LuaCallback", "LuaReference", "decode", "read_answer", "read_values"]


def decode(handles: Handles, mask: int, values: Sequence[Any]) -> list[Any]:
    """The Python values of what Lua passed."""
    if not mask:
        return list(values)
    result = []
    for value in values:
        if mask & 1:
            obj = handles.objects[value]
            if isinstance(obj, ForOneCall):
                handles.release(value)
            result.append(obj)
        else:
            result.append(value)
        mask >>= 1
    return result


class ForOneCall:
    """What has a handle for the length of one call alone."""

    __slots__ = ()


class LuaReference(ForOneCall):
    """A Lua value in Python's hands, kept alive in Lua until this object goes. It keeps its runtime."""

    __slots__ = ("__weakref__", "_runtime", "number")

    def __init__(self, runtime: RuntimeInterface, number: int) -> None:
        self._runtime = runtime
        self.number = number

    def runtime(self) -> RuntimeInterface:
        if self._runtime.closed:
            raise RuntimeClosed("the Lua runtime of this object is closed")
        return self._runtime

    def __del__(self) -> None:
        self._runtime.dropped.append(self.number)


class LuaCallback(LuaReference):
    """A Lua function that an operation, a layer or a package was given: takes and gives what they do."""

    __slots__ = ()

    def __call__(self, *arguments: Any) -> Any:
        runtime = self.runtime()
        return runtime.call_lua("call_function", self.number, *encode_results(runtime.handles, arguments))


def read_answer(runtime: RuntimeInterface, answer: Any) -> Any:
    """What Lua answered to a call: its results, or the error it threw."""
    values = read_values(runtime, answer)
    if not values:
        return None
    return values[0] if len(values) == 1 else tuple(values)


def read_values(runtime: RuntimeInterface, answer: Any) -> list[Any]:
    """The same as a list."""
    if not isinstance(answer, tuple):
        answer = (answer,)
    if not answer[0]:
        raise _error(runtime, *answer[1:])
    return decode(runtime.handles, int(answer[1]), answer[2:])


def _error(
    runtime: RuntimeInterface, number: float, text: Any, stack: str = "", is_syntax: bool = False
) -> BaseException:
    """What a call from Python raises for an error in Lua; see ``core.tell`` in core.lua."""
    if number < 0:
        return SystemExit(text)
    message = str(text).encode("latin1", "replace").decode("utf-8", "replace")
    if number == 0:
        return runtime.final_exception(message)
    kind = LuaSyntaxError if is_syntax else LuaError
    error = kind(message, stack, LuaReference(runtime, int(number)))
    error.__cause__ = runtime.cause_of(message)
    return error
