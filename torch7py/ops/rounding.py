"""Numbers as text, rounded as by Torch7's LuaJIT: half away from zero.

C's ``printf``, Python and later versions of LuaJIT round half to even: ``%.4f`` of 0.03125 is 0.0312, and was 0.0313.
A number is half way between two results with q decimals when ``2^(q+1)`` times it is odd.
"""

from __future__ import annotations

import functools
import math
import re

__all__ = ["format_number"]

_DIRECTIVE = re.compile(r"%([-+ #0]*)(\d*)(?:\.(\d*))?([eEfFgG])")


def format_number(directive: str, x: float) -> str:
    """A number by a directive of ``%e``, ``%f`` or ``%g`` with flags, width and precision."""
    text = directive % x
    if not x or not math.isfinite(x):
        return text
    flags, width, precision, letter = _read(directive)
    kind = letter.lower()
    size = abs(x)
    if kind == "f":
        if not _is_tie(size, precision):
            return text
        raised = _raised(size, precision, "f")
    else:
        digits = max(precision, 1) - 1 if kind == "g" else precision
        exponent = int(f"{size:.{digits}e}".partition("e")[2])
        if not _is_tie(size, digits - exponent):
            return text
        raised = _raised(size, digits, "e")
        if raised and kind == "g":
            raised = _general(raised, digits)
    if raised is None:
        return text
    body = raised
    if "#" in flags and "." not in body:
        body = re.sub(r"^\d+", r"\g<0>.", body)
    if letter != kind:
        body = body.upper()
    sign = "-" if x < 0 else "+" if "+" in flags else " " if " " in flags else ""
    if "-" in flags:
        return (sign + body).ljust(width)
    return sign + body.zfill(width - len(sign)) if "0" in flags else (sign + body).rjust(width)


@functools.cache
def _read(directive: str) -> tuple[str, int, int, str]:
    match = _DIRECTIVE.fullmatch(directive)
    if match is None:
        raise ValueError(f"{directive!r} formats no number")
    flags, width, precision, letter = match.groups()
    return flags, int(width or 0), 6 if precision is None else int(precision or 0), letter


def _is_tie(size: float, decimals: int) -> bool:
    """Whether a positive number is half way between two with so many decimals (below 0: tens, hundreds, ...)."""
    if decimals >= 0:
        return decimals < 1100 and size < 2.0**53 and math.ldexp(size, decimals + 1) % 2 == 1
    if decimals < -22:  # 5^23 has more digits than a number
        return False
    return size % 10.0**-decimals == 5 * 10.0 ** (-decimals - 1)


def _raised(size: float, precision: int, kind: str) -> str | None:
    """The greater of the two results where C takes the lower one, which ends in an even digit; else None."""
    text = f"{size:.{precision}{kind}}"
    number, _, exponent = text.partition("e")
    cut = f"{size:.{precision + 1}{kind}}".partition("e")[0][:-1].rstrip(".")
    if number != cut:
        return None
    number = f"{number[:-1]}{int(number[-1]) + 1}"
    return f"{number}e{exponent}" if exponent else number


def _general(text: str, digits: int) -> str:
    """``%g`` from the text of ``%e``. Its last digit has been raised, so it is no zero to be left out."""
    number, _, power = text.partition("e")
    exponent = int(power)
    if not -4 <= exponent <= digits:
        return text
    number = number.replace(".", "")
    if exponent < 0:
        return f"0.{'0' * (-exponent - 1)}{number}"
    return number if exponent == digits else f"{number[: exponent + 1]}.{number[exponent + 1 :]}"
