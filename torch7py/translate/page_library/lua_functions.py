"""Functions of Lua's own libraries, as values too: each gives what Lua's gives, several values as a tuple."""

from __future__ import annotations

import functools
import io
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection
from typing import Any

from torch7py.translate.page_library.metatables import Table, new_table
from torch7py.translate.page_library.text import to_word
from torch7py.translate.page_library.values import (
    NotInPage,
    call_all,
    equal,
    handed_on,
    index,
    items_of,
    pairs,
    pcall,
    text_of,
    truth,
)


@functools.cache
def named(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A function of a library by its name, which is one thing wherever it is used as a value."""

    def called(*args: Any) -> Any:
        return handed_on(call_all(function, name, *args))

    return called


def name_of_function(functions: Collection[str], name: Any) -> str:
    """The name of a function of a library, of which a page has those."""
    if name not in functions:
        raise NotInPage(f"the function {name} of a library")
    return str(name)


@functools.cache
def as_value(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function with several values or nil as a value."""

    def called(*args: Any) -> Any:
        return handed_on(call_all(function, *args))

    return called


def asserted(*values: Any) -> tuple[Any, ...]:
    """``assert(value, message, ...)``, which gives all that it is given."""
    if not values:
        raise TypeError("bad argument #1 to '?' (value expected)")
    if not truth(values[0]):
        message = values[1] if len(values) > 1 else "assertion failed!"
        raise AssertionError(text_of(message))
    return values


def protected(function: Any, handler: Any, *args: Any) -> tuple[Any, ...]:
    """``xpcall(function, handler, ...)``: of an error what the handler makes of its message."""
    went_well, *values = pcall(function, *args)
    return (True, *values) if went_well else (False, *call_all(handler, *values))


def next_entry(table: Any, key: Any = None) -> tuple[Any, ...]:
    """``next(table, key)``: the entry behind that of a key, or nil."""
    for name, value in pairs(table):
        if key is None:
            return name, value
        if equal(name, key):
            key = None
    if key is not None:
        raise KeyError(f"next of {key!r:.40}, which is no key")
    return (None,)


def without_results(function: Callable[..., Any]) -> Callable[..., tuple[()]]:
    """A function of Lua's that gives nothing, not even nil."""

    def called(*args: Any) -> tuple[()]:
        function(*args)
        return ()

    return called


def for_each_entry(table: Any, function: Any) -> tuple[Any, ...]:
    """``table.foreach(table, function)``, which ends with what the function gives."""
    for key, value in pairs(table):
        results = call_all(function, key, value)
        if results and results[0] is not None:
            return results[:1]
    return ()


def for_each_item(table: Any, function: Any) -> tuple[Any, ...]:
    """``table.foreachi(table, function)``: of the items in their order."""
    for place in range(1, len(items_of(table)) + 1):
        results = call_all(function, place, index(table, place))
        if results and results[0] is not None:
            return results[:1]
    return ()


def largest_key(table: Any) -> Any:
    """``table.maxn(table)``: the largest number among the keys, or 0."""
    numbers = [key for key, _ in pairs(table) if isinstance(key, (int, float)) and not isinstance(key, bool)]
    return max([0, *numbers])


def packed(*values: Any) -> Table:
    """``table.pack(...)``: the values, and how many they are."""
    return new_table({"n": len(values)}, *values)


def raw_equal(a: Any, b: Any) -> bool:
    """``rawequal(a, b)``"""
    return equal(a, b)


def hexadecimal(value: Any, digits: Any = 8) -> str:
    """``bit.tohex(value, digits)``: in capitals where the digits are counted below 0."""
    count = min(abs(int(digits)), 8)
    text = f"{to_word(value):08x}"[8 - count :]
    return text.upper() if digits < 0 else text


def collect_garbage(option: Any = "collect", *_: Any) -> Any:
    """``collectgarbage(option)``: Python frees by itself; ``count`` gives the kilobytes of the process."""
    if option == "count":
        return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return option == "step" or 0


# Files and the system


def refusal(problem: OSError, path: str) -> tuple[None, str, int]:
    """What a function of files gives where the system refuses: nil, what is wrong and its number."""
    number = problem.errno or 0
    return None, f"{path}: {os.strerror(number)}", number


def remove_file(path: str) -> tuple[Any, ...]:
    """``os.remove(path)`` of a file or an empty folder: true, or nil, what is wrong and its number."""
    try:
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        else:
            os.remove(path)
    except OSError as problem:
        return refusal(problem, path)
    return (True,)


def rename_file(path: str, new: str) -> tuple[Any, ...]:
    """``os.rename(path, new)``: true, or nil, what is wrong and its number."""
    try:
        os.rename(path, new)
    except OSError as problem:
        return refusal(problem, path)
    return (True,)


def open_file(path: str, mode: str = "r") -> tuple[Any, ...]:
    """``io.open(path, mode)``: the file, or nil, what is wrong and its number."""
    encoding = None if "b" in mode else "utf-8"
    errors = None if "b" in mode else "surrogateescape"
    try:
        return (open(path, mode, encoding=encoding, errors=errors),)
    except OSError as problem:
        return refusal(problem, path)


def lines_of_file(path: str) -> Callable[..., str | None]:
    """``io.lines(path)``: a function that gives the next line at each call."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        lines = iter(file.readlines())

    def next_line(*_: Any) -> str | None:
        line = next(lines, None)
        return None if line is None else line.removesuffix("\n")

    return next_line


def kind_of_file(value: Any) -> str | None:
    """``io.type(value)``"""
    if not isinstance(value, io.IOBase):
        return None
    return "closed file" if value.closed else "file"


def temporary_file() -> Any:
    """``io.tmpfile()``, which is gone when it is closed."""
    return tempfile.TemporaryFile("w+", encoding="utf-8")


def executed(command: Any = None) -> tuple[Any, ...]:
    """``os.execute(command)``: whether it ended well, how, and with which number; of no command that it can be."""
    if command is None:
        return (True,)
    sys.stdout.flush()
    status = subprocess.run(["/bin/sh", "-c", command], check=False).returncode
    how = "signal" if status < 0 else "exit"
    return (None if status else True), how, abs(status)


def date(shown: str = "%c", at: float | None = None) -> Any:
    """``os.date(shown, at)``: of now, or of a time in seconds; of Greenwich behind ``!``, as a table by ``*t``."""
    local = not shown.startswith("!")
    moment = time.localtime(at) if local else time.gmtime(at)
    shown = shown.removeprefix("!")
    if not shown.startswith("*t"):
        return time.strftime(shown, moment)
    return new_table(
        {
            "year": moment.tm_year,
            "month": moment.tm_mon,
            "day": moment.tm_mday,
            "hour": moment.tm_hour,
            "min": moment.tm_min,
            "sec": moment.tm_sec,
            "wday": (moment.tm_wday + 1) % 7 + 1,
            "yday": moment.tm_yday,
            "isdst": moment.tm_isdst > 0,
        }
    )


def seconds_of(table: Any = None) -> int:
    """``os.time(table)``: now, or the seconds of a date."""
    if table is None:
        return int(time.time())
    values = [index(table, name) for name in ("year", "month", "day", "hour", "min", "sec")]
    if None in values[:3]:
        raise TypeError("os.time of a table without its year, month or day")
    year, month, day, hour, minute, second = (
        int(value if value is not None else start)
        for value, start in zip(values, (0, 0, 0, 12, 0, 0), strict=True)
    )
    summer = index(table, "isdst")
    is_summer = -1 if summer is None else int(truth(summer))
    return int(time.mktime((year, month, day, hour, minute, second, 0, 0, is_summer)))


def difference_of_times(end: float, begin: float = 0) -> float:
    """``os.difftime(end, begin)``"""
    return end - begin


def variable_of_process(name: str) -> str | None:
    """``os.getenv(name)``"""
    return os.environ.get(name)
