"""The style of a curve: Torch7's short forms and gnuplot's words."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from torch7py.ops.errors import ArgumentError
from torch7py.packages.optional_libraries import import_library

__all__ = ["COLORS", "SHORT", "Style", "color_of", "parse_style", "words_of"]

# The colours of curves in order; the numbers of line styles and types count them too.
COLORS = tuple(f"C{n}" for n in range(10))
SHORT = {
    "": "linespoints",
    "+": "points",
    ".": "dots",
    "-": "lines",
    "+-": "linespoints",
    "|": "boxes",
    "~": "csplines",
    "v": "vectors",
    "V": "vectors",
}
KINDS = frozenset(
    "points dots lines linespoints boxes csplines vectors impulses steps filledcurves yerrorbars".split()
)
LONGER = {
    "p": "points",
    "d": "dots",
    "l": "lines",
    "lp": "linespoints",
    "i": "impulses",
    "errorbars": "yerrorbars",
    "vector": "vectors",
    "filledcurve": "filledcurves",
    "linestyle": "ls",
    "linetype": "lt",
    "linewidth": "lw",
    "linecolor": "lc",
    "pointtype": "pt",
    "pointsize": "ps",
    "rgbcolor": "rgb",
}
_WORD = re.compile(r"\"([^\"]*)\"|'([^']*)'|([^\s\"']+)")


@dataclass(frozen=True)
class Style:
    """``kind`` is gnuplot's word for the style, ``point`` the number of a mark, ``fill`` the opacity of an area."""

    kind: str
    color: str | None = None
    width: float | None = None
    point: int | None = None
    size: float | None = None
    fill: float | None = None


def words_of(text: str) -> list[str]:
    """The words of a command; one in quotes may hold spaces."""
    return [a or b or c for a, b, c in _WORD.findall(text)]


def color_of(text: str) -> str:
    """A colour for matplotlib: a name, or ``#rrggbb``."""
    if not import_library("matplotlib.colors", "plots").is_color_like(text):
        raise ArgumentError(f"gnuplot: there is no colour {text!r}")
    return text


def parse_style(text: str) -> Style:
    """The style of a curve: a short form, or gnuplot's words after (or with) ``with``."""
    text = text.strip()
    if text in SHORT:
        return Style(SHORT[text])
    words = [LONGER.get(word, word) for word in words_of(text)]
    while words and words[0] in ("with", "smooth"):
        words.pop(0)
    if not words or words[0] not in KINDS:
        raise ArgumentError(
            f"gnuplot.plot: a curve cannot be drawn as {text!r}; there are '.', '-', '+', '+-', '~', '|', 'v', "
            + ", ".join(sorted(KINDS))
        )
    style = Style(words.pop(0))
    while words:
        style = _option(style, words, text)
    return style


def _option(style: Style, words: list[str], text: str) -> Style:
    """The style with the option that the words begin with, which is taken off them."""
    name = words.pop(0)
    if name in ("fill", "fs", "transparent", "noborder", "solid"):
        if name == "solid" and words and _is_number(words[0]):
            return replace(style, fill=float(words.pop(0)))
        return style
    if not words:
        raise ArgumentError(f"gnuplot.plot: {name!r} in {text!r} is not understood")
    value = words.pop(0)
    if name == "lc" and value == "rgb" and words:
        return replace(style, color=color_of(words.pop(0)))
    if name in ("ls", "lt", "lc", "lw", "pt", "ps") and _is_number(value):
        number = float(value)
        if name in ("ls", "lt", "lc"):
            return replace(style, color=COLORS[(int(number) - 1) % len(COLORS)])
        if name == "pt":
            return replace(style, point=int(number))
        return replace(style, width=number) if name == "lw" else replace(style, size=number)
    raise ArgumentError(f"gnuplot.plot: {name!r} in {text!r} is not understood")


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", text) is not None
