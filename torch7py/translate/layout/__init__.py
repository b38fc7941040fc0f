"""Lays out Python source as ``ruff format`` does: lines that are too long are broken, at what binds least first."""

from __future__ import annotations

import re

from torch7py.translate.layout.document import print_document, width_of
from torch7py.translate.layout.spacing import spaced
from torch7py.translate.layout.statements import document_of
from torch7py.translate.layout.syntax import NotPython, items, split_comment

__all__ = ["WIDTH", "items", "lay_out", "lay_out_all", "lay_out_page", "spaced"]

WIDTH = 110

# A first line behind whose bracket a comment may stand: the bracket is the only one of the value, or around it.
_OPEN_HEAD = re.compile(
    r" *(?:(?:return|raise|if|elif|while|with|def|class) |for [\w, ]+ in |(?:[\w.]+(?:\[[^][(){}]*\])?(?:, | = ))*"
    r"[\w.]+(?:\[[^][(){}]*\])? (?:[-+*/%@]|//|\*\*)?= )?[\w.]*[\[({]"
)


def lay_out_all(lines: list[str], width: int = WIDTH) -> str:
    """Source from lines of statements, each laid out."""
    return "\n".join(part for line in lines for part in lay_out(line, width)) + "\n"


def lay_out_page(page: str, width: int = WIDTH) -> str:
    """A page of statements, each on one line: laid out, with empty lines as they should be."""
    lines: list[str] = []
    inside = False  # a text over several lines
    for line in page.split("\n"):
        marks = line.count('"""') if '"""' in line else 0
        if line.endswith("  #") and line.strip() != "#" and not inside:
            line = line[:-3]  # a comment that says nothing
        lines += [line] if inside or marks else lay_out(line, width)
        inside = inside != (marks % 2 == 1)
    return spaced("\n".join(lines))


def lay_out(line: str, width: int = WIDTH) -> list[str]:
    """One logical line, with its indentation, as physical lines no longer than ``width`` where that can be done.

    A comment behind it goes behind the first bracket where only this is broken, else onto lines before. What is no
    statement (a line of a text over several) stays as it is.
    """
    if (len(line) <= width and (line.isascii() or width_of(line) <= width)) or "\n" in line:
        return [line]
    code, comment = split_comment(line)
    text = code.lstrip()
    if not text:
        return [line]
    indent = len(code) - len(text)
    lines = [code] if width_of(code) <= width else _broken(text, indent, width)
    if not comment:
        return lines
    first = f"{lines[0]}  {comment}"
    if len(lines) > 1 and _is_one_bracket(lines, indent) and width_of(first) <= width:
        return [first, *lines[1:]]
    return [*_wrapped(" " * indent, comment, width), *lines]


def _broken(text: str, indent: int, width: int) -> list[str]:
    if text.startswith(("nonlocal ", "global ")):
        return _declared(text, indent, width)
    try:
        document = document_of(text)
    except NotPython:
        return [" " * indent + text]
    return print_document(document, indent, width)


def _declared(text: str, indent: int, width: int) -> list[str]:
    """Names that are declared: several statements, where the formatter would break one at backslashes."""
    word, _, names = text.partition(" ")
    lines: list[str] = []
    for name in names.split(", "):
        if lines and len(lines[-1]) + len(name) + 2 <= width:
            lines[-1] += f", {name}"
        else:
            lines.append(f"{' ' * indent}{word} {name}")
    return lines


def _is_one_bracket(lines: list[str], indent: int) -> bool:
    """Whether the first line ends with a bracket that the last one closes, with nothing behind but a colon."""
    inner = " " * (indent + 1)
    if lines[-1].strip() not in (")", "]", "}", "):", "]:", "}:") or not _OPEN_HEAD.fullmatch(lines[0]):
        return False
    return all(line.startswith(inner) for line in lines[1:-1])


def _wrapped(indent: str, comment: str, width: int) -> list[str]:
    lines, line = [], indent + "#"
    for word in comment.lstrip("# ").split():
        if len(line) + 1 + len(word) > width and not line.endswith("#"):
            lines.append(line)
            line = indent + "#"
        line += " " + word
    return [*lines, line]
