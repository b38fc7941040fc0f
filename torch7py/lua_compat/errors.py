"""Lua's errors, the lines of Lua that they name, and Python's exceptions as errors of Lua's."""

from __future__ import annotations

import dis
import re
import sys
from bisect import bisect_right
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any

from torch7py.ops.errors import Torch7Error, TorchError

__all__ = ["CAUGHT", "LuaError", "Source", "callers", "fail", "fault", "place", "shown_name", "thrown"]


class LuaError(Torch7Error):
    """What Lua's ``error`` throws; ``value`` is any Lua value, most often a message with its place in front."""

    def __init__(self, value: Any, traceback: str = "") -> None:
        super().__init__(value)
        self.value = value
        self.traceback = traceback

    def __str__(self) -> str:
        return self.value if isinstance(self.value, str) else f"error object: {self.value!r}"


def shown_name(file: str) -> str:
    """A file's name as messages show it."""
    return file if len(file) <= 60 or file.startswith("[") else "..." + file[-56:]


class Source:
    """Where the lines of a translated file come from.

    ``lines`` reads ``12=1 15=3 16~4 ...``: from line 12 of Python on it is line 1 of Lua, from 15 on 3; ``~`` marks a
    line that returns a call, which in Lua replaces the function that makes it, ``^`` one with a lambda that does, and
    ``!`` one with both.
    """

    def __init__(self, file: str, lines: str = "") -> None:
        self.file = file
        self.shown = shown_name(file)
        self.is_ours = file.startswith("[torch7py]")  # a Lua part of this package, no program's
        self._starts: list[int] = []
        self._lines: list[int] = []
        self._marks: list[str] = []
        for start, mark, line in re.findall(r"(\d+)([=~^!])(\d+)", lines):
            self._marks.append(mark)
            self._starts.append(int(start))
            self._lines.append(int(line))

    def line(self, number: int) -> int:
        at = bisect_right(self._starts, number) - 1
        return self._lines[at] if at >= 0 else 0

    def is_tail(self, number: int, in_lambda: bool) -> bool:
        at = bisect_right(self._starts, number) - 1
        return at >= 0 and self._marks[at] in ("^!" if in_lambda else "~!")


# Frames of these modules are operators of the language, those of others functions of its libraries.
_TRANSPARENT = frozenset(
    f"torch7py.lua_compat.{name}"
    for name in (
        "operators",
        "values",
        "loops",
        "support",
        "arguments",
        "patterns",
        "scalars",
        "torch7.tensors",
    )
)


def _is_returned(frame: FrameType) -> bool:
    """Whether the call that a frame is at is the whole of what its ``return`` gives back."""
    code = frame.f_code.co_code
    at = frame.f_lasti + 2
    while at < len(code) and dis.opname[code[at]] == "CACHE":
        at += 2
    return at < len(code) and dis.opname[code[at]] == "RETURN_VALUE"


def callers(frame: FrameType | None) -> Iterator[tuple[Source, int, bool] | None]:
    """The running functions from a frame outward: translated ones as source, line and whether they return a call,
    None for one of a library."""
    in_library = False
    while frame is not None:
        names = frame.f_globals
        source = names.get("__lua__")
        if source is not None:
            if source.is_ours:
                if not in_library:
                    in_library = True
                    yield None
                frame = frame.f_back
                continue
            in_library = False
            tail = source.is_tail(frame.f_lineno, frame.f_code.co_name == "<lambda>") and _is_returned(frame)
            yield source, source.line(frame.f_lineno), tail
        elif names.get("__name__") not in _TRANSPARENT and not in_library:
            in_library = True
            yield None
        frame = frame.f_back


def _show(found: tuple[Source, int, bool] | None) -> str:
    return "" if found is None else f"{found[0].shown}:{found[1]}: "


def place(level: int = 1, frame: FrameType | None = None) -> str:
    """``file.lua:LINE: `` of the function that called the library function of a frame, or of one further out; ''
    where that is a library's."""
    running = callers(frame or sys._getframe(1))
    first = next(running, None)
    if first is not None:  # no library function between
        return _show(first)
    for found in running:
        if found is not None and found[2]:
            continue  # replaced by what it called
        level -= 1
        if level <= 0:
            return _show(found)
    return ""


def fail(message: str) -> LuaError:
    """An error of Lua's own at the place that is being run. To be raised."""
    return LuaError(place(1, sys._getframe(1)) + message)


def fault(message: str) -> LuaError:
    """An error of an operator: at the function that used it, if that is not a library's. To be raised."""
    return LuaError(_show(next(callers(sys._getframe(1)), None)) + message)


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
