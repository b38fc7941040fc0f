"""The string library."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from torch7py.lua_compat.arguments import MISSING, a_string, an_int, bad_argument
from torch7py.lua_compat.errors import fail
from torch7py.lua_compat.formatting import format_values
from torch7py.lua_compat.operators import tostring
from torch7py.lua_compat.patterns import Found, compiled
from torch7py.lua_compat.values import Library, Table, call, first, index, kind_of

__all__ = ["string", "string_metatable"]

_SPECIAL = re.compile(r"[\^$*+?.(\[%\-]")


def _bounds(text: str, i: int, j: int) -> tuple[int, int]:
    """The slice of positions i..j (from 1; negative ones from the end)."""
    size = len(text)
    if i < 0:
        i = max(size + i + 1, 1)
    elif i == 0:
        i = 1
    if j < 0:
        j = size + j + 1
    return i - 1, min(j, size)


def byte(s: Any = MISSING, i: Any = None, j: Any = None, *_: Any) -> Any:
    text = a_string(s, 1, "byte")
    at = 1 if i is None else an_int(i, 2, "byte")
    start, end = _bounds(text, at, at if j is None else an_int(j, 3, "byte"))
    codes = tuple(ord(c) for c in text[start:end]) if end > start else ()
    return codes[0] if len(codes) == 1 else codes


def char(*codes: Any) -> str:
    values = [an_int(code, i + 1, "char") for i, code in enumerate(codes)]
    for i, value in enumerate(values):
        if not 0 <= value <= 255:
            raise bad_argument(i + 1, "char", "invalid value")
    return "".join(map(chr, values))


def _start(text: str, init: Any, name: str) -> int:
    """Where a search starts, from 0."""
    at = 1 if init is None else an_int(init, 3, name)
    if at < 0:
        at = max(len(text) + at + 1, 1)
    at = max(at, 1) - 1
    return min(at, len(text))


def find(s: Any = MISSING, pattern: Any = MISSING, init: Any = None, plain: Any = None, *_: Any) -> Any:
    text, wanted = a_string(s, 1, "find"), a_string(pattern, 2, "find")
    at = _start(text, init, "find")
    if (plain is not None and plain is not False) or not _SPECIAL.search(wanted):
        found = text.find(wanted, at)
        return (found + 1, found + len(wanted)) if found >= 0 else None
    match = compiled(wanted).find(text, at)
    return None if match is None else (match.start + 1, match.end, *match.captures)


def _captures(text: str, match: Found) -> Any:
    captures = match.captures
    if not captures:
        return text[match.start : match.end]
    return captures[0] if len(captures) == 1 else captures


def match(s: Any = MISSING, pattern: Any = MISSING, init: Any = None, *_: Any) -> Any:
    text, wanted = a_string(s, 1, "match"), a_string(pattern, 2, "match")
    at = _start(text, init, "match")
    found = compiled(wanted).find(text, at)
    return None if found is None else _captures(text, found)


def gmatch(s: Any = MISSING, pattern: Any = MISSING, *_: Any) -> Callable[..., Any]:
    text, wanted = a_string(s, 1, "gmatch"), a_string(pattern, 2, "gmatch")
    # Here a ^ matches itself, unlike in the other functions.
    matches = compiled("%^" + wanted[1:] if wanted.startswith("^") else wanted).all(text)

    def following(*_: Any) -> Any:
        found = next(matches, None)
        return None if found is None else _captures(text, found)

    return following


_ESCAPE = re.compile(r"%(.?)", re.DOTALL)


def _by_text(replacement: str) -> Callable[[str, Found], str]:
    if "%" not in replacement:
        return lambda whole, found: replacement

    def replace(whole: str, found: Found) -> str:
        def part(escape: re.Match[str]) -> str:
            letter = escape[1]
            if letter == "0" or (letter == "1" and not found.captures):
                return whole
            if letter.isdigit():
                if int(letter) > len(found.captures):
                    raise fail("invalid capture index")
                return str(tostring(found.captures[int(letter) - 1]))
            return letter

        return _ESCAPE.sub(part, replacement)

    return replace


def _by_table(table: Table) -> Callable[[str, Found], Any]:
    return lambda whole, found: index(table, found.captures[0] if found.captures else whole)


def _by_call(function: Any) -> Callable[[str, Found], Any]:
    return lambda whole, found: first(call(function, *(found.captures or (whole,))))


def gsub(s: Any = MISSING, pattern: Any = MISSING, repl: Any = MISSING, n: Any = None, *_: Any) -> Any:
    text, wanted = a_string(s, 1, "gsub"), a_string(pattern, 2, "gsub")
    limit = None if n is None else max(an_int(n, 4, "gsub"), 0)
    replace: Callable[[str, Found], Any]
    if isinstance(repl, Table):
        replace = _by_table(repl)
    elif type(repl) in (str, int, float):
        replace = _by_text(a_string(repl, 3, "gsub"))
    elif kind_of(repl) == "function" and repl is not MISSING:
        replace = _by_call(repl)
    else:
        raise bad_argument(3, "gsub", "string/function/table expected")
    parts: list[str] = []
    at = count = 0
    for found in compiled(wanted).all(text, limit):
        whole = text[found.start : found.end]
        value = replace(whole, found)
        if value is None or value is False:
            value = whole
        elif type(value) is not str:
            if type(value) not in (int, float):
                raise fail(f"invalid replacement value (a {kind_of(value)})")
            value = tostring(value)
        parts += [text[at : found.start], value]
        at = found.end
        count += 1
    return "".join([*parts, text[at:]]), count


def sub(s: Any = MISSING, i: Any = MISSING, j: Any = None, *_: Any) -> str:
    text = a_string(s, 1, "sub")
    start, end = _bounds(text, an_int(i, 2, "sub"), -1 if j is None else an_int(j, 3, "sub"))
    return text[start:end] if end > start else ""


def rep(s: Any = MISSING, n: Any = MISSING, sep: Any = None, *_: Any) -> str:
    text, count = a_string(s, 1, "rep"), an_int(n, 2, "rep")
    between = "" if sep is None else a_string(sep, 3, "rep")
    return between.join([text] * count) if between else text * max(count, 0)


_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def upper(s: Any = MISSING, *_: Any) -> str:
    return a_string(s, 1, "upper").translate(_UPPER)


def lower(s: Any = MISSING, *_: Any) -> str:
    return a_string(s, 1, "lower").translate(_LOWER)


def reverse(s: Any = MISSING, *_: Any) -> str:
    return a_string(s, 1, "reverse")[::-1]


def length(s: Any = MISSING, *_: Any) -> int:
    return len(a_string(s, 1, "len"))


def dump(*_: Any) -> Any:
    raise fail("string.dump: a translated function has no bytecode")


FUNCTIONS: dict[str, Any] = {
    "byte": byte,
    "char": char,
    "dump": dump,
    "find": find,
    "format": format_values,
    "gmatch": gmatch,
    "gsub": gsub,
    "len": length,
    "lower": lower,
    "match": match,
    "rep": rep,
    "reverse": reverse,
    "sub": sub,
    "upper": upper,
}
string = Library(FUNCTIONS)
string_metatable = Table(None, {"__index": string})
