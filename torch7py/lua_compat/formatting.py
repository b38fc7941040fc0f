"""``string.format``."""

from __future__ import annotations

import math
import re
from typing import Any

from torch7py.lua_compat.arguments import MISSING, a_long, a_number, a_string, an_int, bad_argument
from torch7py.lua_compat.errors import fail
from torch7py.lua_compat.operators import tostring
from torch7py.ops.rounding import format_number

__all__ = ["format_values"]

_DIRECTIVE = re.compile(r"%([-+ #0]*)(\d*)(?:(\.)(\d*))?(.?)", re.DOTALL)
_QUOTED = {'"': '\\"', "\\": "\\\\", "\n": "\\\n", "\r": "\\r", "\0": "\\0"}


def format_values(pattern: Any = MISSING, *values: Any) -> str:
    """``string.format(pattern, ...)``"""
    text = a_string(pattern, 1, "format")
    parts: list[str] = []
    at = used = 0
    for found in _DIRECTIVE.finditer(text):
        parts.append(text[at : found.start()])
        at = found.end()
        flags, width, point, digits, letter = found.groups()
        if letter == "%" and not (flags or width or point):
            parts.append("%")
            continue
        if not letter or letter not in "diuoxXceEfFgGaAqsp" or len(width) > 2 or len(digits or "") > 2:
            raise fail(f"invalid option '{found.group()}' to 'format'")
        value = values[used] if used < len(values) else MISSING
        used += 1
        if value is MISSING:
            raise bad_argument(used + 1, "format", "value expected")
        precision = None if point is None else int(digits or 0)
        parts.append(_one(letter, flags, width, precision, value, used + 1))
    parts.append(text[at:])
    return "".join(parts)


def _one(letter: str, flags: str, width: str, precision: int | None, value: Any, number: int) -> str:
    if letter in "diuoxX":
        whole = a_long(value, number, "format")
        if letter in "uoxX" and whole < 0:
            whole &= (1 << 64) - 1
        dot = "" if precision is None else f".{precision}"
        kind = "d" if letter in "diu" else letter
        return _integer(f"%{flags}{width}{dot}{kind}", whole, letter, flags)
    if letter in "eEfFgG":
        real = float(a_number(value, number, "format"))
        if not math.isfinite(real):
            return _not_finite(real, letter, flags, width)
        dot = "" if precision is None else f".{precision}"
        return format_number(f"%{flags}{width}{dot}{letter}", real)
    if letter in "aA":
        return _padded(_hexadecimal(float(a_number(value, number, "format")), letter), flags, width)
    if letter == "c":
        return _padded(chr(an_int(value, number, "format") & 255), flags, width)
    if letter == "q":
        quoted = str(tostring(value))
        return '"' + "".join(_quote(quoted, i) for i in range(len(quoted))) + '"'
    shown = tostring(value) if letter == "s" else f"0x{id(value):014x}"
    if type(shown) is not str:
        raise fail("'tostring' must return a string")
    return _padded(shown if precision is None else shown[:precision], flags, width)


def _integer(directive: str, value: int, letter: str, flags: str) -> str:
    if letter == "o" and "#" in flags:
        raise fail("'%#o' is not supported")
    if "#" in flags and letter in "diu":
        directive = directive.replace("#", "")
    if value == 0 and "#" in flags and letter in "xX":  # C writes no 0x before a 0
        directive = directive.replace("#", "")
    if "." in directive:  # a precision makes C disregard the flag 0
        directive = "%" + directive[1:].split(".")[0].lstrip("-+ #0") + "." + directive.split(".")[1]
        if "-" in flags:
            directive = "%-" + directive[1:]
        for flag in "+ #":
            if flag in flags:
                directive = "%" + flag + directive[1:]
    return directive % value


def _padded(text: str, flags: str, width: str) -> str:
    size = int(width or 0)
    return text.ljust(size) if "-" in flags else text.rjust(size)


def _not_finite(value: float, letter: str, flags: str, width: str) -> str:
    text = "nan" if value != value else "inf"
    sign = "-" if value == -math.inf else "+" if "+" in flags else " " if " " in flags else ""
    return _padded(sign + (text.upper() if letter.isupper() else text), flags, width)


def _hexadecimal(value: float, letter: str) -> str:
    if not math.isfinite(value):
        return _not_finite(value, letter, "", "")
    text = value.hex()
    text = re.sub(r"\.?0*p", "p", text)
    return text.upper() if letter == "A" else text


def _quote(text: str, at: int) -> str:
    char = text[at]
    if char in _QUOTED:
        if char == "\0" and text[at + 1 : at + 2].isdigit():
            return "\\000"
        return _QUOTED[char]
    if ord(char) < 32 or ord(char) == 127:
        return f"\\{ord(char):03d}" if text[at + 1 : at + 2].isdigit() else f"\\{ord(char)}"
    return char
