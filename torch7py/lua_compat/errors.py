"""Python's exceptions as Lua's errors."""

from __future__ import annotations

import re
import sys
from types import FrameType, TracebackType
from typing import Any

from torch7py.lua_compat.values import LuaError
from torch7py.ops.errors import TorchError

__all__ = ["CAUGHT", "thrown"]

CAUGHT = (LuaError, TorchError, RuntimeError, TypeError, AttributeError, MemoryError)
"""What pcall catches. Anything else is a fault of this library and passes."""

_KINDS = {"NoneType": "nil", "bool": "boolean", "int": "number", "float": "number", "str": "string"}
_NOT_CALLABLE = re.compile(r"'(\w+)' object is not callable")


def thrown(error: BaseException) -> Any:
    """The Lua value of an exception that was caught: a message with its place, or what ``error`` was given."""
    if isinstance(error, LuaError):
        return error.value
    where = place_of(error.__traceback__) or _here()
    if isinstance(error, RecursionError):
        return where + "stack overflow"
    if isinstance(error, MemoryError):
        return "not enough memory"
    if isinstance(error, TypeError):
        called = _NOT_CALLABLE.search(str(error))
        if called is None:
            raise error
        return f"{where}attempt to call a {_KINDS.get(called[1], called[1].lower())} value"
    if isinstance(error, AttributeError):
        if not str(error).startswith("'NoneType' object has no attribute"):
            raise error
        return f"{where}attempt to index a nil value"
    text = str(error).strip()
    return where + (text if isinstance(error, TorchError) else text.split("\n", 1)[0])


def place_of(trace: TracebackType | None) -> str:
    """``file.lua:LINE: `` of the innermost translated frame of a traceback."""
    found = ""
    while trace is not None:
        source = trace.tb_frame.f_globals.get("__lua__")
        if source is not None and not source.is_ours:
            found = f"{source.shown}:{source.line(trace.tb_lineno)}: "
        trace = trace.tb_next
    return found


def _here() -> str:
    """The same of the running functions: of what pcall itself called."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        source = frame.f_globals.get("__lua__")
        if source is not None and not source.is_ours:
            return f"{source.shown}:{source.line(frame.f_lineno)}: "
        frame = frame.f_back
    return ""
