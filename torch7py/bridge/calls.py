"""Calls between the languages: Python functions as Lua calls them, Lua functions as Python calls them.

The convention both ways is a bit mask and values: bit i says that value i is a handle.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch7py.bridge.dispatch import encode_results
from torch7py.bridge.errors import Thrown
from torch7py.bridge.handles import Handles

if TYPE_CHECKING:
    from torch7py.bridge.runtime import Runtime

__all__ = ["LuaFunction", "LuaReference", "decode", "read_answer"]


def decode(handles: Handles, mask: int, values: Sequence[Any]) -> list[Any]:
    """The Python values of what Lua passed."""
    if not mask:
        return list(values)
    result = []
    for value in values:
        if mask & 1:
            obj = handles.objects[value]
            if isinstance(obj, LuaReference):
                handles.release(value)  # its handle was made for this call alone
            result.append(obj)
        else:
            result.append(value)
        mask >>= 1
    return result


class LuaReference:
    """A Lua value in Python's hands, kept alive in Lua until this object goes."""

    __slots__ = ("__weakref__", "_runtime", "number")

    def __init__(self, runtime: Runtime, number: int) -> None:
        self._runtime = weakref.ref(runtime)
        self.number = number

    def runtime(self) -> Runtime:
        runtime = self._runtime()
        if runtime is None or runtime.closed:
            raise RuntimeError("the Lua runtime of this object is closed")
        return runtime

    def __del__(self) -> None:
        runtime = self._runtime()
        if runtime is not None:
            runtime.dropped.append(self.number)


class LuaFunction(LuaReference):
    """A Lua function: callable."""

    __slots__ = ()

    def __call__(self, *arguments: Any) -> Any:
        runtime = self.runtime()
        return runtime.call_lua("call_function", self.number, *encode_results(runtime.handles, arguments))


def read_answer(handles: Handles, answer: Any) -> Any:
    """What Lua answered to a call: its results, or the error it threw."""
    if not isinstance(answer, tuple):
        answer = (answer,)
    if not answer[0]:
        raise Thrown(int(answer[1]), str(answer[2]))
    values = decode(handles, int(answer[1]), answer[2:])
    if not values:
        return None
    return values[0] if len(values) == 1 else tuple(values)
