"""Curves in the logs of programs: the files of optim.Logger, tables of numbers, and lines that a program prints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

__all__ = ["Curve", "curves_in"]

# A unit may follow, as in 0.36s, but no more of a name, a version or an address.
_NUMBER = re.compile(
    r"(?<![\w.])[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+|nan\b|inf\b)(?!\d|\.\w|[A-Za-z]*[\d_]|[A-Za-z]{4})"
)
_UNIT = re.compile(r"^[A-Za-z]{1,3}\b")
_TIME = re.compile(r"\b\d+(?::\d+)+(?:\.\d+)?|\b\d+-\d+-\d+\b")
EMPTY = frozenset("a after and at for in is of on the to was with".split())  # words that name nothing
WORDS = 4  # of the text before a number that name it


class Curve(NamedTuple):
    """The numbers of one column, over those of another or over their own places from 1 on."""

    name: str
    x: list[float]
    y: list[float]


def curves_in(text: str) -> list[Curve]:
    """The curves in a log; none where it has no numbers that follow each other."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return _table(lines) or _printed(lines)


# -- tables -----------------------------------------------------------------------------------------------


def _table(lines: Sequence[str]) -> list[Curve]:
    """Columns: a line of headings or none, then lines with as many numbers, as optim.Logger writes them."""
    rows = [_cells(line) for line in lines]
    if not rows:
        return []
    width = len(rows[0])
    counted = rows[0] == [
        str(column) for column in range(1, width + 1)
    ]  # as a Logger calls columns without names
    headed = not all(map(_is_number, rows[0])) or (counted and not all(cell.isdigit() for cell in rows[-1]))
    data = [row for row in rows[headed:] if len(row) == width and any(map(_is_number, row))]
    if not data or len(data) < 0.9 * (len(rows) - headed) or (headed and "\t" not in lines[0] and width > 1):
        return []
    names = rows[0] if headed else [str(column) for column in range(1, width + 1)]
    curves = []
    for column, name in enumerate(names):
        points = [(number, row[column]) for number, row in enumerate(data, 1) if _is_number(row[column])]
        if points:
            curves.append(Curve(name, [float(x) for x, _ in points], [float(y) for _, y in points]))
    return curves


def _cells(line: str) -> list[str]:
    cells = (
        line.split("\t")
        if "\t" in line
        else re.split(r"[,;\s]+", line)
        if _starts_with_number(line)
        else [line]
    )
    return [cell.strip() for cell in cells]


def _starts_with_number(line: str) -> bool:
    return _NUMBER.match(line) is not None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


# -- printed lines ----------------------------------------------------------------------------------------


def _printed(lines: Iterable[str]) -> list[Curve]:
    """Numbers in lines that are the same but for them: ``error for iteration 100 is 3.3``."""
    groups: dict[str, list[list[str]]] = {}
    for line in lines:
        plain = _TIME.sub(" ", line)
        template = re.sub(r"\s+", " ", _NUMBER.sub("#", plain))  # numbers are filled up to a width
        groups.setdefault(template, []).append(_NUMBER.findall(plain))
    curves: list[Curve] = []
    for template, rows in groups.items():
        if len(rows) > 1 and rows[0]:
            curves += _columns(template, rows)
    return curves


def _columns(template: str, rows: Sequence[Sequence[str]]) -> list[Curve]:
    columns = list(zip(*rows, strict=True))
    counter = next((column for column in columns if _counts(column)), None)
    x = [float(n) for n in range(1, len(rows) + 1)] if counter is None else list(map(float, counter))
    fractions = [column for column in columns if any(re.search("[.en]", text) for text in column)]
    chosen = fractions or [column for column in columns if column is not counter]
    if counter is not None:  # 0.25 epochs after 100 iterations are the same time in another unit
        chosen = [column for column in chosen if not _in_step(column, counter)] or chosen
    names = template.split("#")
    names[1:] = [_UNIT.sub("", name) for name in names[1:]]
    for number, column in enumerate(columns, 1):
        if len(set(column)) == 1:  # a part of what follows: "Content 1 loss"
            names[number] = names[number - 1] + names[number]
    curves = []
    for number, column in enumerate(columns, 1):
        if any(column is selected for selected in chosen) and len(set(column)) > 1:
            curves.append(Curve(_name(names[:number]), x, list(map(float, column))))
    return curves


def _counts(column: Sequence[str]) -> bool:
    """Whether whole numbers grow from line to line, as those of iterations do."""
    if not all(re.fullmatch(r"\d+", text) for text in column):
        return False
    numbers = list(map(int, column))
    return all(a < b for a, b in pairwise(numbers))


def _in_step(column: Sequence[str], counter: Sequence[str]) -> bool:
    """Whether numbers grow with those that count, but for their rounding."""
    if len(column) < 4:  # of fewer it may be chance
        return False
    x, y = list(map(float, counter)), list(map(float, column))
    slope = (y[-1] - y[0]) / (x[-1] - x[0])
    digits = min(len(text.partition(".")[2]) for text in column)
    rounding: float = 10**-digits
    return slope > 0 and all(
        abs(y[0] + slope * (at - x[0]) - value) <= rounding for at, value in zip(x, y, strict=True)
    )


def _name(parts: Sequence[str]) -> str:
    """What a number is called: the words before it, or where they say nothing, those before the number before."""
    pieces = [piece for part in parts for piece in re.split(r"[,;|()\[\]]", part)]
    for part in reversed(pieces):
        words = re.findall(r"[^\W\d_][\w%]*|%", part)
        while words and words[-1].lower() in EMPTY:
            words.pop()
        while words and words[0].lower() in EMPTY:
            words.pop(0)
        if words:
            return " ".join(words[-WORDS:])
    return "value"
