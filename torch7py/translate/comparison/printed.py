"""Two lines that two programs print: the same words, and how far apart their numbers are."""

from __future__ import annotations

import math
import re
from pathlib import Path

__all__ = ["line_error", "numbers_of"]

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|inf|nan)\b|[-+]?\.\d+", re.IGNORECASE)
_PLACE = re.compile(r"(?<![\w./-])[\w./-]+\.lua:\d+: ")


def line_error(theirs: str, ours: str, rounded: bool = False) -> tuple[float, int]:
    """The largest relative error of the numbers in a line, infinite where its words differ, and how many there are.

    A path within the directory that both run in is the same with it and without: ``paths.concat`` writes it in full.
    The place that Lua writes before an error's message is none of the other's. ``rounded``: what two numbers may have
    lost where they were rounded for print is no error.
    """
    theirs = _PLACE.sub("", theirs)
    theirs, ours = (line.replace(f"{Path.cwd()}/", "") for line in (theirs, ours))
    if _NUMBER.sub("#", theirs).split() != _NUMBER.sub("#", ours).split():
        return math.inf, 0
    pairs = list(zip(_NUMBER.findall(theirs), _NUMBER.findall(ours), strict=True))
    return max((_error(x, y, rounded) for x, y in pairs), default=0.0), len(pairs)


def numbers_of(line: str) -> str:
    """The numbers of a line alone."""
    return " ".join(_NUMBER.findall(_PLACE.sub("", line)))


def _error(x: str, y: str, rounded: bool) -> float:
    a, b = float(x), float(y)
    if a == b or (a != a and b != b):
        return 0.0
    if rounded and abs(a - b) <= _lost(x) + _lost(y):
        return 0.0
    return abs(a - b) / max(abs(a), abs(b), 1e-6)


def _lost(text: str) -> float:
    """Half of the last digit of a number that is no whole one."""
    mantissa, _, exponent = text.lower().partition("e")
    if "." not in mantissa:
        return 0.0
    decimals = len(mantissa.partition(".")[2])
    return 0.50001 * 10.0 ** (int(exponent or 0) - decimals)
