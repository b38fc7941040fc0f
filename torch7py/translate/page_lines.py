"""Which line of Lua a line of a page was written for.

The translator notes for which statement it writes a line. Later passes move lines, rename what is in them and lay them
out anew, so the lines of the finished page are found again by what stands in them: the same words in the same order,
and of several such lines the one whose statement comes next.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Sequence

from torch7py.translate.quoting import comment
from torch7py.translate.tree import If, Node, Statement

__all__ = ["lua_lines"]


def lua_lines(
    origins: Sequence[tuple[str, Node]],
    file_statements: Sequence[Statement],
    lua: Sequence[str],
    python: Sequence[str],
) -> list[int | None]:
    """For each line of a page its line of Lua. ``origins``: the lines as they were first written, and for what."""
    inside = (file_statements[0].span.start, file_statements[-1].span.start) if file_statements else (0, -1)
    here = [(text, node) for text, node in origins if inside[0] <= node.span.start <= inside[1]]
    return _Origins([*_comments(lua), *_lines_of(here, lua)]).match(python)


class _Origins:
    """Where lines of a page come from."""

    def __init__(self, written: Iterable[tuple[str, int]]) -> None:
        self._by_words: dict[str, list[int]] = {}
        for text, line in written:
            for part in text.split("\n"):
                self._by_words.setdefault(_words(part), []).append(line)

    def match(self, python: Sequence[str]) -> list[int | None]:
        """For each line of the page the line of Lua that it was written for."""
        lua_lines: list[int | None] = [None] * len(python)
        at = 0
        for first, last in _logical_lines(python):
            lines = self._by_words.get(_words("\n".join(python[first:last])))
            if lines:
                at = min(lines, key=lambda line: (line < at, abs(line - at)))
                if len(lines) > 1:  # of the same words each place is written for once
                    lines.remove(at)
                lua_lines[first:last] = [at] * (last - first)
        return lua_lines


def _lines_of(written: Iterable[tuple[str, Node]], lua: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Lines of a page with the line of Lua that each was written for; branches of a choice have their own."""
    branches: dict[int, int] = {}
    for text, node in written:
        line = node.line
        if isinstance(node, If) and text.startswith("elif "):
            number = branches[id(node)] = min(branches.get(id(node), 0) + 1, len(node.branches) - 1)
            line = node.branches[number][0].line
        elif isinstance(node, If) and text == "else:" and node.otherwise and node.otherwise.statements:
            line, first = node.branches[-1][0].line, node.otherwise.statements[0].line
            line = next((n for n in range(first, line, -1) if re.match(r"\s*else\b", lua[n - 1])), line)
        yield text, line


def _comments(lua: Sequence[str]) -> Iterator[tuple[str, int]]:
    """The comments of a program that are lines of their own, as they would be in Python."""
    for number, line in enumerate(lua, 1):
        match = re.match(r"\s*---*(?!\[)\s*(.*)$", line)
        if match and match[1]:
            yield comment(match[1]), number


# What a formatter changes: brackets around what goes over several lines, commas before they close, quotes, spaces.
_LAYOUT = re.compile(r"[\s(),\\]+")


def _words(text: str) -> str:
    text = text.strip()
    if not text.startswith("#"):
        text = text.partition("  # ")[0].replace("'", '"')
    return _LAYOUT.sub("", text)


def _logical_lines(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The physical lines of each logical one, from a first one to behind the last; comments are by themselves."""
    start: int | None = None
    try:
        for token in tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline):
            if token.type in (tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER):
                continue
            if token.type == tokenize.COMMENT and start is None:
                yield token.start[0] - 1, token.start[0]
            elif token.type == tokenize.NEWLINE:
                if start is not None:
                    yield start, token.start[0]
                start = None
            elif start is None:
                start = token.start[0] - 1
    except (tokenize.TokenError, IndentationError):  # no page is like this
        return
