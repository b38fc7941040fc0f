"""Lua's values in Python, and errors.

nil is None, booleans are bool, numbers int or float (an int stands for the double of the same value), strings are
str with one character a byte, functions are Python callables, tables are ``Table``. Several results are a tuple,
which no Lua value is; no result is ``()``.
"""

from __future__ import annotations

import dis
import re
import sys
from bisect import bisect_right
from collections.abc import Iterator
from types import FrameType
from typing import Any, ClassVar

from torch7py.ops.errors import Torch7Error

__all__ = [
    "Globals",
    "Library",
    "LuaError",
    "Source",
    "Table",
    "fail",
    "fault",
    "first",
    "multi",
    "place",
    "truth",
]

_TRUE, _FALSE = object(), object()  # True == 1 in Python, so booleans are other keys
_BOOLEANS = {_TRUE: True, _FALSE: False}


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
        "behaviour",
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


def truth(value: Any) -> bool:
    """Whether a value counts as true: all do but nil and false."""
    return value is not None and value is not False


def first(result: Any) -> Any:
    """The first of a call's results, nil when there is none."""
    if type(result) is tuple:
        return result[0] if result else None
    return result


def multi(result: Any) -> tuple[Any, ...]:
    """All results of a call."""
    return result if type(result) is tuple else (result,)


class Table:
    """A Lua table: ``array_`` holds 1..n, ``hash_`` all other keys (removed ones stay, as None, for ``next``)."""

    __slots__ = ("__weakref__", "array_", "extra_", "hash_", "meta_", "order_")

    array_: list[Any]
    hash_: dict[Any, Any]
    meta_: Table | None
    order_: tuple[int, list[Any], dict[Any, int]] | None
    extra_: Any  # what the torch package keeps of a table

    def __init__(self, array: list[Any] | None = None, fields: dict[Any, Any] | None = None) -> None:
        self.array_ = [] if array is None else array
        while self.array_ and self.array_[-1] is None:
            self.array_.pop()
        self.hash_ = {}
        self.meta_ = None
        self.order_ = None
        self.extra_ = None
        if fields:
            for key, value in fields.items():
                self.rawset_(key, value)

    def rawget_(self, key: Any) -> Any:
        kind = type(key)
        if kind is str:
            return self.hash_.get(key)
        if kind is float:
            if not key.is_integer():
                return self.hash_.get(key)
            key = int(key)
        elif kind is bool:
            return self.hash_.get(_TRUE if key else _FALSE)
        elif kind is not int:
            return self.hash_.get(key)
        if 0 < key <= len(self.array_):
            return self.array_[key - 1]
        return self.hash_.get(key)

    def rawset_(self, key: Any, value: Any) -> None:
        kind = type(key)
        if kind is str:
            self.hash_[key] = value
            return
        if kind is float:
            if key.is_integer():
                key = int(key)
                kind = int
            elif key != key:
                raise fault("table index is NaN")
        elif kind is bool:
            key = _TRUE if key else _FALSE
        elif key is None:
            raise fault("table index is nil")
        if kind is int:
            array = self.array_
            size = len(array)
            if 0 < key <= size:
                array[key - 1] = value
                if value is None and key == size:
                    while array and array[-1] is None:
                        array.pop()
                return
            if key == size + 1:
                if value is not None:
                    self.hash_.pop(key, None)
                    array.append(value)
                    if self.hash_:
                        self._take_over()
                return
        if value is not None or key in self.hash_:
            self.hash_[key] = value

    def _take_over(self) -> None:
        array, fields = self.array_, self.hash_
        while True:
            value = fields.pop(len(array) + 1, None)
            if value is None:
                return
            array.append(value)

    def border_(self) -> int:
        """The length, without metamethods."""
        return len(self.array_)

    def keys_(self) -> list[Any]:
        """All keys but 1..n, in the order of ``pairs``: numbers ascending, strings ascending, the others."""
        numbers, strings, others = [], [], []
        for key, value in self.hash_.items():
            if value is None:
                continue
            if type(key) is str:
                strings.append(key)
            elif type(key) in (int, float):
                numbers.append(key)
            else:
                others.append(key)
        strings.sort()
        if numbers:
            numbers.sort()
            if numbers[0] < len(self.array_):
                numbers = sorted([*numbers, *range(1, len(self.array_) + 1)])
                return [*numbers, *strings, *others]
        return [*numbers, *strings, *others]

    def pairs_(self) -> Any:
        """Keys and values, in order; fields may be set and removed meanwhile."""
        keys = self.keys_() if self.hash_ else []
        if not (keys and type(keys[0]) in (int, float) and keys[0] < len(self.array_)):
            at = 0
            while at < len(self.array_):
                value = self.array_[at]
                at += 1
                if value is not None:
                    yield at, value
        for key in keys:
            value = self.rawget_(key)
            if value is not None:
                yield _BOOLEANS.get(key, key) if type(key) is object else key, value

    def next_(self, key: Any) -> tuple[Any, ...]:
        """The key after ``key`` and its value; ``(None,)`` at the end."""
        if type(key) is bool:
            key = _TRUE if key else _FALSE
        elif type(key) is float and key.is_integer():
            key = int(key)
        stamp = len(self.hash_)
        if self.order_ is None or self.order_[0] != stamp or (key is None):
            order = self.keys_()
            if not (order and type(order[0]) in (int, float) and order[0] < len(self.array_)):
                order = [*range(1, len(self.array_) + 1), *order]
            self.order_ = (stamp, order, {k: i for i, k in enumerate(order)})
        _, order, places = self.order_
        if key is None:
            at = 0
        elif key in places:
            at = places[key] + 1
        else:
            raise LuaError("invalid key to 'next'")
        while at < len(order):
            key = order[at]
            value = self.rawget_(key)
            if value is not None:
                return (_BOOLEANS.get(key, key) if type(key) is object else key), value
            at += 1
        self.order_ = None
        return (None,)

    def __call__(self, *args: Any) -> Any:
        from torch7py.lua_compat.operators import call

        return call(self, *args)

    def __getattr__(self, name: str) -> Any:  # where a library of that name is expected
        if name.startswith("__"):
            raise AttributeError(name)
        from torch7py.lua_compat.operators import index

        return index(self, name)

    def __repr__(self) -> str:
        return f"Table({self.array_!r}, {self.hash_!r})"


class Later(dict[str, Any]):
    """Names of a library's fields that are made when a program first asks for one: what makes each."""


class Library(Table):
    """A table whose fields are Python attributes too: ``G.string.format``."""

    RESERVED: ClassVar[frozenset[str]]

    def __init__(self, fields: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.hash_ = self.__dict__
        if fields:
            self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:
        if type(self.extra_) is Later and name in self.extra_:
            return self.rawget_(name)
        if self.meta_ is None:
            return None
        from torch7py.lua_compat.operators import index

        return index(self, name)

    def add_later(self, makers: dict[str, Any]) -> None:
        """Let fields be made when a program first asks for one."""
        self.extra_ = Later(makers)

    def rawget_(self, key: Any) -> Any:
        found = super().rawget_(key)
        if found is None and type(self.extra_) is Later and type(key) is str:
            make = self.extra_.pop(key, None)
            if make is not None:
                make()
                return super().rawget_(key)
        return found

    def keys_(self) -> list[Any]:
        while type(self.extra_) is Later and self.extra_:
            self.extra_.popitem()[1]()
        return super().keys_()


class Globals(Library):
    """``_G``. A global that was never set is nil."""


class GuardedGlobals(Globals):
    """``_G`` once it has a metatable: an assignment to a new global asks its ``__newindex``."""

    def __setattr__(self, name: str, value: Any) -> None:
        from torch7py.lua_compat.operators import setindex

        if name.endswith("_") and hasattr(Table, name):
            object.__setattr__(self, name, value)
        else:
            setindex(self, name, value)


class Environment(GuardedGlobals):
    """Another table in the place of ``_G``."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self.extra_ = table
        self.meta_ = Table(None, {"__index": table, "__newindex": table})

    @property
    def table(self) -> Table:
        return self.extra_  # type: ignore[no-any-return]


Library.RESERVED = frozenset(dir(Library))
