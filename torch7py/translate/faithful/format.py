"""Lines as a page: empty lines where the formatter wants them, long lines split, and the table of line numbers."""

from __future__ import annotations

import re
from dataclasses import replace

from torch7py.translate.faithful.code import Line
from torch7py.translate.layout import lay_out
from torch7py.translate.quoting import quoted

__all__ = ["bare", "finish"]

_GLOBALS = re.compile(r"\bG\b")
_HEAD = ["from torch7py import lua_compat as lua", "from torch7py.lua_compat import G", "", ""]


def finish(lines: list[Line], file: str, rnn_api: int | None = None) -> str:
    """The whole file as text; ``rnn_api``: the generation of rnn and nn that its program was written for."""
    lines = _with_words(lines)
    generation = "" if rnn_api is None else f", rnn_api={rnn_api}"
    uses_globals = any(_GLOBALS.search(line.text) for line in lines)
    head = [line for line in _HEAD if uses_globals or not line.endswith(" G")]
    shown: list[str] = []
    marks: list[tuple[int, int, str]] = []  # physical line -> Lua line
    after_def: list[int] = []  # depths of functions that have just ended
    previous: Line | None = None
    for at, line in enumerate(lines):
        blank = line.blank
        opens = previous is not None and previous.text.endswith(":") and previous.depth < line.depth
        while after_def and line.depth <= after_def[-1]:
            after_def.pop()
            blank = blank or not line.text.startswith(("else:", "elif "))
        if previous is not None and not previous.text.startswith("#") and _begins_function(lines, at):
            blank = True
            opens = opens and (previous.text.startswith("def ") or line.text.startswith("#"))
        if line.text.startswith("def "):
            after_def.append(line.depth)
        if blank and not opens and shown:
            shown.append("")
        marks.append((len(shown) + len(head) + 1, line.lua, line.mark))
        note = f"  {line.comment}" if line.comment else ""
        shown += lay_out(f"{'    ' * line.depth}{line.text}{note}")
        previous = line
    tail = ["", "", *lay_out(_source(file, marks)), ""]
    tail += ['if __name__ == "__main__":', *lay_out(f"    lua.main(chunk, {quoted(file)}{generation})")]
    return "\n".join([*head, *shown, *tail]) + "\n"


def _with_words(lines: list[Line]) -> list[Line]:
    """The lines without comments that say nothing, unless they part others."""
    found: list[Line] = []
    blank = False  # an empty line before what was left out
    at = 0
    while at < len(lines):
        end = at + 1
        if lines[at].text.startswith("#"):
            while end < len(lines) and lines[end].text.startswith("#") and not lines[end].blank:
                end += 1
        if all(line.text == "#" for line in lines[at:end]):
            blank = blank or lines[at].blank
        else:
            if blank:
                lines[at] = replace(lines[at], blank=True)
            found += lines[at:end]
            blank = False
        at = end
    return [replace(line, comment="") if line.comment == "#" else line for line in found]


def _begins_function(lines: list[Line], at: int) -> bool:
    """Whether a line is a function's first, or that of the comments right before it."""
    while at < len(lines) and lines[at].text.startswith("#"):
        at += 1
        if at < len(lines) and lines[at].blank:
            return False
    return at < len(lines) and lines[at].text.startswith("def ")


def bare(lines: list[Line], file: str) -> str:
    """The same for nobody to read: a line each, as it is."""
    shown = ["    " * line.depth + line.text for line in lines]
    marks = [(number, line.lua, line.mark) for number, line in enumerate(lines, len(_HEAD) + 1)]
    return "\n".join([*_HEAD, *shown, _source(file, marks)]) + "\n"


def _source(file: str, marks: list[tuple[int, int, str]]) -> str:
    return f"__lua__ = lua.Source({quoted(file)}, {quoted(_table(marks))})"


def _table(marks: list[tuple[int, int, str]]) -> str:
    parts = []
    before: tuple[int, str] | None = None
    for physical, lua, mark in marks:
        if (lua, mark) != before:
            parts.append(f"{physical}{mark}{lua}")
            before = (lua, mark)
    return " ".join(parts)
