"""Calls between the languages: of Python functions by Lua, and of Lua functions by Python.

Both directions pass a bit mask, followed by the values. Bit i is set if value i is a handle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch7py.bridge.dispatch import encode_results
from torch7py.bridge.errors import LuaError, LuaSyntaxError, RuntimeClosed
from torch7py.bridge.handles import Handles
from torch7py.bridge.runtime_interface import RuntimeInterface
from torch7py.ops.dispatch.kinds import Kind

__all__ = [
    "ForOneCall",
    "LuaCallback",
    "LuaReference",
    "decode",
    "read_answer",
    "read_values",
    "saved_and_read",
]


def decode(handles: Handles, mask: int, values: Sequence[Any]) -> list[Any]:
    """Turn the values that Lua passed into Python's; bit i of ``mask`` is set if value i is a handle."""
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
    """Base of objects whose handle is valid for one call only."""

    __slots__ = ()


class LuaReference(ForOneCall):
    """A reference to a Lua value. It keeps the value, and its runtime, alive."""

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
    """A Lua function passed to an operation, a layer or a package."""

    __slots__ = ()

    def __call__(self, *arguments: Any) -> Any:
        runtime = self.runtime()
        return runtime.call_lua("call_function", self.number, *encode_results(runtime.handles, arguments))


def saved_and_read(runtime: RuntimeInterface, step: bool, module: Any) -> Any:
    """Copy a module by saving and reading it, with the ``write`` and ``read`` methods of Lua's classes.

    The copy for another ``step`` of a sequence lives as long as the original.
    """
    return runtime.call_lua("saved_and_read", runtime.handles.give(module, Kind.MODULE), step)


def read_answer(runtime: RuntimeInterface, answer: Any) -> Any:
    """Decode what a Lua function returned to Python, or raise the error that it threw."""
    values = read_values(runtime, answer)
    if not values:
        return None
    return values[0] if len(values) == 1 else tuple(values)


def read_values(runtime: RuntimeInterface, answer: Any) -> list[Any]:
    """``read_answer`` as a list of all results."""
    if not isinstance(answer, tuple):
        answer = (answer,)
    if not answer[0]:
        raise _error(runtime, *answer[1:])
    return decode(runtime.handles, int(answer[1]), answer[2:])


def _error(
    runtime: RuntimeInterface, number: float, text: Any, stack: str = "", is_syntax: bool = False
) -> BaseException:
    """The Python exception for a Lua error, as ``core.tell`` in core.lua describes it."""
    if number < 0:
        return SystemExit(text)
    message = str(text).encode("latin1", "replace").decode("utf-8", "replace")
    if number == 0:
        return runtime.final_exception(message)
    kind = LuaSyntaxError if is_syntax else LuaError
    error = kind(message, stack, LuaReference(runtime, int(number)))
    error.__cause__ = runtime.cause_of(message)
    return error
