"""Numbers and sizes as pictures say them."""

from __future__ import annotations

from torch7py.show.structure import Part

__all__ = ["arrows", "seconds", "share", "sizes", "what_it_does"]

# What a container does with its parts, for those of which the picture does not tell.
_ARRANGEMENTS = {
    "branches": "each is given the input",
    "entries": "each is given its entry of the table",
    "slices": "each is given its slice",
    "each": "applied to every entry or step",
    "one": "wraps",
    "steps": "a network for each step",
    "built": "made by the layer itself",
    "fixed": "made by the layer itself",
    "graph": "a graph",
}


def what_it_does(part: Part) -> str:
    return _ARRANGEMENTS.get(part.arrangement, "")


def sizes(text: str) -> str:
    """Sizes with a sign of multiplication: ``1×3×32×32``."""
    return "".join(
        "×" if c == "x" and text[n - 1 : n].isdigit() and text[n + 1 : n + 2].isdigit() else c
        for n, c in enumerate(text)
    )


def arrows(text: str) -> str:
    """A layer's text with arrows and signs of multiplication: ``3 → 64, 7×7, 2,2``."""
    return sizes(text.replace("->", "→"))


def seconds(value: float) -> str:
    """``12.3 ms``, with three digits or fewer."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        number = value * factor
        if number >= 1 or unit == "µs":
            return f"{number:.0f} {unit}" if number >= 100 or unit == "µs" else f"{number:.1f} {unit}"
    raise AssertionError


def share(part: float, whole: float) -> str:
    """Whole per cent."""
    percent = 100 * part / whole if whole else 0.0
    return "<1 %" if 0 < percent < 1 else f"{percent:.0f} %"
