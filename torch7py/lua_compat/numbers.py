"""Numbers and their texts, as LuaJIT writes and reads them."""

from __future__ import annotations

import math
import re
from typing import Any

from torch7py.ops.rounding import format_number

__all__ = ["EXACT", "number_text", "power", "read_number"]

EXACT = 1 << 53
"""Beyond this an int could hold what a double cannot."""

_DECIMAL = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(?:[eE]([-+]?\d+))?")
_HEX = re.compile(r"([-+]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?(?:[pP]([-+]?\d+))?")
_BINARY = re.compile(r"([-+]?)0[bB]([01]+)")
_WORD = re.compile(r"([-+]?)(inf|infinity|nan)", re.IGNORECASE)
_SPACE = " \t\n\v\f\r"


def number_text(value: Any) -> str:
    """A number as ``tostring`` and ``..`` write it: with 14 digits."""
    if type(value) is int:
        return str(value) if -(10**14) < value < 10**14 else format_number("%.14g", value)
    if value != value:
        return "nan"
    if value.is_integer() and -1e14 < value < 1e14:
        if value == 0.0 and math.copysign(1.0, value) < 0:
            return "-0"
        return str(int(value))
    return format_number("%.14g", value)


def read_number(text: str) -> int | float | None:
    """The number that a string holds, blanks around it aside; None when it holds none."""
    text = text.strip(_SPACE)
    if _DECIMAL.fullmatch(text):
        if text.lstrip("+-").isdecimal():
            whole = int(text)
            if whole == 0 and text[0] == "-":
                return -0.0
            return whole if -EXACT <= whole <= EXACT else float(whole)
        return float(text)
    word = _WORD.fullmatch(text)
    if word:
        return float(text)
    binary = _BINARY.fullmatch(text)
    if binary:
        return (-1 if binary[1] == "-" else 1) * int(binary[2], 2)
    found = _HEX.fullmatch(text)
    if found is None or not (found[2] or found[3]):
        return None
    digits = (found[2] or "") + (found[3] or "")
    value = int(digits, 16) * 2.0 ** (int(found[4] or 0) - 4 * len(found[3] or ""))
    if found[1] == "-":
        value = -value
    return int(value) if value.is_integer() and value and abs(value) <= EXACT else value


def power(x: float, y: float) -> float:
    """``x ^ y``, with C's results where Python raises."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return -math.inf if x < 0 and y % 2 == 1 else math.inf
    except ValueError:
        if x == 0:  # to a negative power
            return math.copysign(math.inf, x) if y % 2 == 1 else math.inf
        return math.nan
