"""Lines as a page: empty lines where the formatter wants them, long lines split, and the table of line numbers."""

from __future__ import annotations

from torch7py.translate.faithful.code import Line, quoted
from torch7py.translate.layout import lay_out

__all__ = ["bare", "finish"]

_HEAD = ["from torch7py import lua", "from torch7py.lua import G", "", ""]


def finish(lines: list[Line], file: str, rnn_api: int | None = None) -> str:
    """The whole file as text; ``rnn_api``: the generation of rnn and nn that its program was written for."""
    generation = "" if rnn_api is None else f", rnn_api={rnn_api}"
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
        marks.append((len(shown) + len(_HEAD) + 1, line.lua, line.mark))
        note = f"  {line.comment}" if line.comment else ""
        shown += lay_out(f"{'    ' * line.depth}{line.text}{note}")
        previous = line
    table = _table(marks)
    tail = ["", "", *lay_out(f'__lua__ = lua.Source({quoted(file)}, "{table}")'), ""]
    tail += ['if __name__ == "__main__":', *lay_out(f"    lua.main(chunk, {quoted(file)}{generation})")]
    return "\n".join([*_HEAD, *shown, *tail]) + "\n"


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
    return "\n".join([*_HEAD, *shown, f'__lua__ = lua.Source({quoted(file)}, "{_table(marks)}")']) + "\n"


def _table(marks: list[tuple[int, int, str]]) -> str:
    parts = []
    before: tuple[int, str] | None = None
    for physical, lua, mark in marks:
        if (lua, mark) != before:
            parts.append(f"{physical}{mark}{lua}")
            before = (lua, mark)
    return " ".join(parts)
