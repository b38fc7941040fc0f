"""Calls between the languages: Python functions as Lua calls them, Lua functions as Python calls them.

The convention both ways is a bit mask and values: bit i says that value i is a handle.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from torch7py.bridge.dispatch import encode_results
from torch7py.bridge.errors import Thrown
from torch7py.bridge.handles import Handles
from torch7py.ops.errors import ArgumentError

if TYPE_CHECKING:
    from torch7py.bridge.runtime import Runtime

__all__ = ["LuaFunction", "LuaReference", "adapt", "decode", "read_answer"]


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


def adapt(function: Callable[..., Any], label: str, bound: int = 0) -> Callable[[list[Any]], Any]:
    """A Python function called as Lua calls: nil takes the default, what is too much is dropped.

    ``bound`` arguments at the front belong to the caller (a method's object).
    """
    parameters = list(inspect.signature(function).parameters.values())
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    takes_more = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    defaults = [p.default for p in positional]
    required = sum(p.default is p.empty for p in positional)

    def call(arguments: list[Any]) -> Any:
        if not takes_more and len(arguments) > len(positional):
            del arguments[len(positional) :]
        while required < len(arguments) <= len(positional) and arguments[-1] is None:
            arguments.pop()
        for number, value in enumerate(arguments):
            if value is None and number < len(positional) and number >= required:
                arguments[number] = defaults[number]
        if len(arguments) < required:
            missing = positional[len(arguments)]
            raise ArgumentError(
                f"{label}: argument #{len(arguments) - bound + 1} ('{missing.name}') is missing"
            )
        return function(*arguments)

    return call


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
