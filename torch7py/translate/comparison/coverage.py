"""Which statements of a page a run comes to: what did not run was not compared.

Before each statement of a function stands, while the page is run for a comparison, a mark that notes its number. At
the level of a module all statements run; the page's helpers are tested with this project.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from torch7py.translate import page_library
from torch7py.translate.layers.helpers import HELPERS
from torch7py.translate.native.optimizers.classes import CLASSES

__all__ = ["NotRun", "Reached"]

_MARKS = "__reached__"
_OPTIMIZERS = re.compile(r"^class (\w+)", re.MULTILINE)


@functools.cache
def _helper(name: str) -> frozenset[str]:
    """What a page may have written out under a name, as trees: the program's own may have the same name."""
    texts = [text for text in CLASSES.values() if name in _OPTIMIZERS.findall(text)]
    if name in HELPERS:
        texts.append(HELPERS[name])
    return frozenset(ast.dump(statement) for text in texts for statement in ast.parse(text.strip()).body)


@dataclass(frozen=True)
class NotRun:
    """The statements of a page that did not run: their lines, as ranges, and how many there are."""

    page: str
    lines: tuple[tuple[int, int], ...]
    statements: int

    def __str__(self) -> str:
        """``lines 41-60, 71 of train.py``"""
        ranges = [f"{first}-{last}" if first < last else str(first) for first, last in self.lines]
        several = len(ranges) > 1 or "-" in ranges[0]
        return f"line{'s' * several} {', '.join(ranges)} of {self.page}"


class Reached:
    """The marks of all pages of a program in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.marks = bytearray()
        self.marked: list[tuple[str, ast.stmt]] = []

    def mark(self, page: str, statement: ast.stmt) -> ast.stmt:
        """A statement of a page with its marks."""
        is_library = Path(page).name == page_library.FILE  # which is tested with this project, as helpers are
        if is_library or not isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            return statement
        helper = _helper(statement.name)
        if helper and ast.dump(statement) in helper:
            return statement
        for node in list(ast.walk(statement)):
            if isinstance(node, ast.ClassDef):
                continue
            for part in ("body", "orelse", "finalbody"):
                block = getattr(node, part, None)
                if isinstance(block, list):
                    setattr(node, part, list(self._with_marks(page, block)))
        return ast.fix_missing_locations(statement)

    def _with_marks(self, page: str, block: list[ast.stmt]) -> Iterator[ast.stmt]:
        for number, statement in enumerate(block):
            docstring = (
                number == 0 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            )
            if not docstring and not isinstance(statement, (ast.Nonlocal, ast.Global, ast.Pass)):
                yield self._mark(page, statement)
            yield statement

    def _mark(self, page: str, statement: ast.stmt) -> ast.stmt:
        self.marked.append((page, statement))
        self.marks.append(0)
        (marker,) = ast.parse(f"{_MARKS}[{len(self.marks) - 1}] = 1").body
        return ast.copy_location(marker, statement)

    def names(self) -> dict[str, bytearray]:
        """What the marks need among the names of a page."""
        return {_MARKS: self.marks}

    def not_run(self) -> list[NotRun]:
        """By page, in the order in which they began."""
        pages: dict[str, list[tuple[ast.stmt, bool]]] = {}
        for (page, statement), mark in zip(self.marked, self.marks, strict=True):
            pages.setdefault(page, []).append((statement, bool(mark)))
        result = []
        for page, statements in pages.items():
            missed = [statement for statement, ran in statements if not ran]
            if missed:
                ran_lines = sorted(statement.lineno for statement, ran in statements if ran)
                shown = Path(page).relative_to(self.folder).as_posix()
                result.append(NotRun(shown, tuple(_ranges(missed, ran_lines)), len(missed)))
        return result


def _ranges(missed: list[ast.stmt], ran: list[int]) -> Iterator[tuple[int, int]]:
    """The lines of statements, those in a row with no line between them that ran as one."""
    first = last = 0
    for statement in sorted(missed, key=lambda stmt: stmt.lineno):
        end = statement.end_lineno or statement.lineno
        if first and not any(last < line < statement.lineno for line in ran):
            last = max(last, end)
            continue
        if first:
            yield first, last
        first, last = statement.lineno, end
    if first:
        yield first, last
