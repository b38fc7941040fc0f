"""Lines of Lua and Python with their numbers, and with comments, texts and the words of the language marked."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Sequence

from torch7py.html.markup import Content, Markup, join, tag

__all__ = ["CodeLines", "lua_lines", "numbered", "python_lines"]

_LUA_WORDS = frozenset(
    """and break do else elseif end false for function goto if in local nil not or repeat return then true until
    while""".split()
)
_LUA = re.compile(
    r"(--.*$)|(\"(?:\\.|[^\"\\])*\"?|'(?:\\.|[^'\\])*'?|\[\[.*?(?:\]\]|$))|([A-Za-z_]\w*)|(\d[\w.]*)"
)
_PYTHON_WORDS = frozenset(keyword.kwlist)
_PYTHON = re.compile(
    r"(#.*$)|([rfbRFB]{0,2}(?:\"\"\".*?(?:\"\"\"|$)|\"(?:\\.|[^\"\\])*\"?|'(?:\\.|[^'\\])*'?))|([A-Za-z_]\w*)|(\d[\w.]*)"
)
# What may go over several lines: comments (the first group is not empty) and texts.
_LUA_LONG = re.compile(r"(--)?\[(=*)\[.*?\]\2\]", re.DOTALL)
_PYTHON_LONG = re.compile(r"(?!)()|\"\"\".*?\"\"\"", re.DOTALL)


class CodeLines:
    """The lines of a text with its comments, texts and the words of the language marked."""

    def __init__(
        self, lines: Sequence[str], pattern: re.Pattern[str], words: frozenset[str], long: re.Pattern[str]
    ) -> None:
        self.lines, self.pattern, self.words = lines, pattern, words
        self.inside: dict[int, str] = {}  # lines that are within a comment or a text as a whole
        text = "\n".join(lines)
        for match in long.finditer(text):
            first = text.count("\n", 0, match.start()) + 1
            last = first + match[0].count("\n")
            self.inside.update(dict.fromkeys(range(first + 1, last + 1), "c" if match[1] else "t"))

    def line(self, number: int) -> Markup:
        text = self.lines[number - 1]
        if number in self.inside:
            return tag("span", text, class_=self.inside[number])
        return join(self._pieces(text))

    def _pieces(self, line: str) -> Iterator[Content]:
        at = 0
        for match in self.pattern.finditer(line):
            yield line[at : match.start()]
            at = match.end()
            class_ = "c" if match[1] else "t" if match[2] else "w" if match[3] in self.words else None
            yield tag("span", match[0], class_=class_) if class_ else match[0]
        yield line[at:]


def lua_lines(lines: Sequence[str]) -> CodeLines:
    return CodeLines(lines, _LUA, _LUA_WORDS, _LUA_LONG)


def python_lines(lines: Sequence[str]) -> CodeLines:
    return CodeLines(lines, _PYTHON, _PYTHON_WORDS, _PYTHON_LONG)


def numbered(number: int, lines: CodeLines, class_: str | None = None) -> Markup:
    """A line with its number before it. Where it goes on below, it begins behind its indentation."""
    text = lines.lines[number - 1]
    indentation = len(text) - len(text.lstrip())
    return tag(
        "span",
        tag("i", number),
        tag("code", lines.line(number) or " ", style=f"--in:{indentation}" if indentation else None),
        class_=f"line {class_}" if class_ else "line",
    )
