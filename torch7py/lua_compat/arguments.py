"""Arguments of the libraries' functions, checked and converted as LuaJIT does, with its messages."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from torch7py.lua_compat import values
from torch7py.lua_compat.errors import LuaError, Source, callers, fail
from torch7py.lua_compat.numbers import number_text, read_number
from torch7py.lua_compat.values import Table, kind_of

__all__ = ["MISSING", "a_long", "a_number", "a_string", "a_table", "an_int", "bad_argument"]


_OVERFLOW = -(1 << 31)  # what the processor makes of a number that no 32-bit integer holds


class _Missing:
    """What stands for an argument that was not given."""


MISSING: Any = _Missing()


def bad_argument(number: int, function: str, reason: str) -> LuaError:
    frame: FrameType | None = sys._getframe(1)
    found = next(iter(skipped(frame)), None)
    if found is None or found[2]:  # called by a library's function, which gives no name
        return fail(f"bad argument #{number} to '?' ({reason})")
    if _as_method(frame):
        number -= 1
        if number == 0:
            return fail(f"calling '{function}' on bad self ({reason})")
    return fail(f"bad argument #{number} to '{function}' ({reason})")


def skipped(frame: FrameType | None) -> Iterator[tuple[Source, int, bool] | None]:
    """The callers of the library function that a frame belongs to."""
    running = callers(frame)
    first = next(running, None)
    if first is not None:
        yield first
    yield from running


def _as_method(frame: FrameType | None) -> bool:
    while frame is not None and "__lua__" not in frame.f_globals:
        if frame.f_code.co_name in ("method", "invoke") and frame.f_globals is values.__dict__:
            return True
        frame = frame.f_back
    return False


def _expected(number: int, function: str, kind: str, value: Any) -> LuaError:
    got = "no value" if value is MISSING else kind_of(value)
    return bad_argument(number, function, f"{kind} expected, got {got}")


def a_number(value: Any, number: int, function: str) -> int | float:
    if type(value) is int or type(value) is float:
        return value
    if type(value) is str:
        read = read_number(value)
        if read is not None:
            return read
    raise _expected(number, function, "number", value)


def an_int(value: Any, number: int, function: str) -> int:
    """A number cut to an integer."""
    read = a_number(value, number, function)
    if isinstance(read, float):
        read = int(read) if math.isfinite(read) else _OVERFLOW
    return read if -(1 << 31) <= read < 1 << 31 else _OVERFLOW


def a_long(value: Any, number: int, function: str) -> int:
    """A number cut to an integer of 64 bits."""
    read = a_number(value, number, function)
    return int(read) if math.isfinite(read) and abs(read) < 1 << 63 else -(1 << 63)


def a_string(value: Any, number: int, function: str) -> str:
    if type(value) is str:
        return value
    if type(value) is int or type(value) is float:
        return number_text(value)
    raise _expected(number, function, "string", value)


def a_table(value: Any, number: int, function: str) -> Table:
    if isinstance(value, Table):
        return value
    raise _expected(number, function, "table", value)


def a_function(value: Any, number: int, function: str) -> Callable[..., Any]:
    if kind_of(value) != "function":
        raise _expected(number, function, "function", value)
    return value  # type: ignore[no-any-return]
