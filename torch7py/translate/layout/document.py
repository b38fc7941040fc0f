"""Documents: texts, places where a line may end, and groups of them; and how they become lines.

A group is printed on one line if what belongs to it, with all that follows up to the next possible line end, fits;
else each line end of its own is one. What is in brackets of its own may be broken without the group around it being
(``Inside``); parentheses that are there only when a line is too long (``Group`` with ``IfBroken``) and alternatives
(``Either``, ``Wrapped``) are chosen by what fits.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TypeAlias, Union

__all__ = [
    "HARD",
    "SOFT",
    "SPACE",
    "Doc",
    "Either",
    "Group",
    "GroupIf",
    "IfBroken",
    "IfFlat",
    "Indent",
    "IndentIf",
    "Inside",
    "Wrapped",
    "print_document",
    "width_of",
]


@dataclass(frozen=True, slots=True, eq=False)
class Break:
    """A possible line end; ``flat`` is what stands there where it is none. A ``hard`` one always is."""

    flat: str = ""
    hard: bool = False


SOFT, SPACE, HARD = Break(), Break(" "), Break(hard=True)


@dataclass(slots=True, eq=False)
class Group:
    """Broken or not as one; ``expand``: always broken."""

    content: Doc = ""
    expand: bool = False


@dataclass(slots=True, eq=False)
class Wrapped:
    """Put into parentheses on lines of its own if it does not fit, and does fit there."""

    content: Doc = ""


@dataclass(slots=True, eq=False)
class GroupIf:
    """A group where another one is broken; else just its content."""

    of: Group | Wrapped
    content: Doc


@dataclass(slots=True, eq=False)
class Indent:
    content: Doc


@dataclass(slots=True, eq=False)
class IndentIf:
    """Indented where a group is broken."""

    of: Group | Wrapped
    content: Doc


@dataclass(slots=True, eq=False)
class IfBroken:
    """There only where a group is broken: one that is named, or the one around it."""

    content: Doc
    of: Group | Wrapped | None = None


@dataclass(slots=True, eq=False)
class IfFlat:
    """There only where a group is not broken."""

    content: Doc
    of: Group | Wrapped


@dataclass(slots=True, eq=False)
class Inside:
    """What is in brackets: while its group is not broken, this may be, and the group still fits."""

    of: Group | Wrapped
    content: Doc


@dataclass(slots=True, eq=False)
class Either:
    """The first of several that fits, up to its first line end; else the last, broken."""

    choices: list[Doc]


Doc: TypeAlias = Union[
    str,
    "list[Doc]",
    Break,
    Group,
    GroupIf,
    Indent,
    IndentIf,
    IfBroken,
    IfFlat,
    Inside,
    Wrapped,
    Either,
]


def width_of(text: str) -> int:
    """How many columns a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def print_document(document: Doc, indent: int, width: int) -> list[str]:
    """A document as lines, the first one indented too."""
    return _Printer(width).run(document, indent)


# How far a measurement goes: up to the first line end; over all lines; over all lines, which may be too long.
_FIRST, _ALL, _ANY = range(3)
_Pending: TypeAlias = "tuple[Doc, int, bool]"  # what to print, how far indented, whether on one line
_Measured: TypeAlias = "tuple[Doc, int, bool, int]"


@dataclass
class _Printer:
    width: int
    lines: list[str] = field(default_factory=list)
    line: str = ""
    column: int = 0
    pending: int = 0  # blanks to come before the next text
    broken: dict[object, bool] = field(default_factory=dict)  # of groups
    sure: bool = False  # whether what is on one line now was found to fit

    def run(self, document: Doc, indent: int) -> list[str]:
        self.pending = indent
        stack: list[_Pending] = [(document, indent, False)]
        while stack:
            doc, level, flat = stack.pop()
            if isinstance(doc, str):
                self.write(doc)
            elif isinstance(doc, list):
                stack += [(part, level, flat) for part in reversed(doc)]
            elif isinstance(doc, Break):
                if flat and not doc.hard:
                    self.write(doc.flat)
                else:
                    self.end_line(level)
            elif isinstance(doc, Group):
                kept = not doc.expand and self.stays(doc, doc.content, level, flat, stack)
                self.broken[doc] = not kept
                stack.append((doc.content, level, kept))
            elif isinstance(doc, GroupIf):
                if self.broken[doc.of]:
                    flat = self.stays(doc, doc.content, level, flat, stack)
                stack.append((doc.content, level, flat))
            elif isinstance(doc, Indent):
                stack.append((doc.content, level + 4, flat))
            elif isinstance(doc, IndentIf):
                stack.append((doc.content, level + 4 * self.broken[doc.of], flat))
            elif isinstance(doc, IfBroken):
                if not flat if doc.of is None else self.broken[doc.of]:
                    stack.append((doc.content, level, flat))
            elif isinstance(doc, IfFlat):
                if not self.broken[doc.of]:
                    stack.append((doc.content, level, flat))
            elif isinstance(doc, Inside):
                if not self.broken[doc.of]:
                    self.sure = False
                stack.append((doc.content, level, flat))
            elif isinstance(doc, Wrapped):
                self.wrap(doc, level, flat, stack)
            else:
                self.choose(doc, level, flat, stack)
        self.lines.append(self.line.rstrip())
        return self.lines

    def write(self, text: str) -> None:
        if self.pending:
            self.line += " " * self.pending
            self.column += self.pending
            self.pending = 0
        self.line += text
        self.column += width_of(text)

    def end_line(self, level: int) -> None:
        if self.line:
            self.lines.append(self.line.rstrip())
            self.line, self.column, self.sure = "", 0, False
        self.pending = level

    def stays(self, group: object, content: Doc, level: int, flat: bool, rest: list[_Pending]) -> bool:
        """Whether a group is printed on one line."""
        if flat and self.sure:
            return True
        self.sure = True
        self.broken[group] = False
        return self.fits([(content, level, True, _FIRST)], rest)

    def wrap(self, doc: Wrapped, level: int, flat: bool, rest: list[_Pending]) -> None:
        wrapped = False
        if not self.stays(doc, doc.content, level, flat, rest):
            self.broken[doc] = True
            inside = level + 4
            wrapped = self.fits(
                [
                    (")", level, flat, _FIRST),
                    (_RETURN, level, flat, _FIRST),
                    (doc.content, inside, flat, _ALL),
                    (HARD, inside, flat, _ALL),
                    ("(", level, flat, _ALL),
                ],
                rest,
            )
        self.broken[doc] = wrapped
        if wrapped:
            inner: list[_Pending] = [(HARD, level + 4, False), ("(", level, False)]
            rest += [(")", level, False), (HARD, level, False), (doc.content, level + 4, False), *inner]
        else:
            rest.append((doc.content, level, True))

    def choose(self, doc: Either, level: int, flat: bool, rest: list[_Pending]) -> None:
        if flat and self.sure:
            rest.append((doc.choices[0], level, flat))
            return
        self.sure = True
        for choice in doc.choices[:-1]:
            if self.fits([(choice, level, True, _FIRST)], rest):
                rest.append((choice, level, True))
                return
        rest.append((doc.choices[-1], level, False))

    def fits(self, stack: list[_Measured], rest: list[_Pending]) -> bool:
        """Whether documents fit on this line, with what comes behind them up to the next line end."""
        column, pending, at = self.column, self.pending, len(rest)
        while True:
            if stack:
                doc, level, flat, measure = stack.pop()
            elif at:
                at -= 1
                (doc, level, flat), measure = rest[at], _FIRST
            else:
                return True
            if isinstance(doc, Break):
                if flat and not doc.hard:
                    doc = doc.flat
                elif doc is not _RETURN and (flat or measure == _FIRST):
                    return True
                else:
                    column, pending = 0, level
                    continue
            if isinstance(doc, str):
                column += pending + width_of(doc)
                pending = 0
                if column > self.width and measure != _ANY:
                    return False
            elif isinstance(doc, list):
                stack += [(part, level, flat, measure) for part in reversed(doc)]
            elif isinstance(doc, Group):
                flat = flat and not doc.expand
                self.broken[doc] = not flat
                stack.append((doc.content, level, flat, measure))
            elif isinstance(doc, (GroupIf, Wrapped)):
                if isinstance(doc, Wrapped):
                    self.broken[doc] = not flat
                stack.append((doc.content, level, flat, measure))
            elif isinstance(doc, Indent):
                stack.append((doc.content, level + 4, flat, measure))
            elif isinstance(doc, IndentIf):
                stack.append((doc.content, level + 4 * self.broken[doc.of], flat, measure))
            elif isinstance(doc, IfBroken):
                if not flat if doc.of is None else self.broken[doc.of]:
                    stack.append((doc.content, level, flat, measure))
            elif isinstance(doc, IfFlat):
                if not self.broken[doc.of]:
                    stack.append((doc.content, level, flat, measure))
            elif isinstance(doc, Inside):
                if flat and not self.broken[doc.of]:
                    flat, measure = False, _ANY
                stack.append((doc.content, level, flat, measure))
            else:
                choice = doc.choices[0 if flat else -1]
                stack.append((choice, level, flat, measure))


_RETURN = Break(hard=True)  # a line end behind which a measurement goes on
