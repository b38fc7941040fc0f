"""Lines of Python as they are made, each with the Lua line it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch7py.translate.quoting import comment as as_comment
from torch7py.translate.quoting import decoded, quoted
from torch7py.translate.tree import Comment

__all__ = ["Code", "Line", "comment_lines", "literal"]


@dataclass(slots=True)
class Line:
    """``text`` is one logical line without its indentation; ``blank``: an empty line stands before it."""

    depth: int
    text: str
    lua: int
    blank: bool = False
    comment: str = ""  # behind the code
    mark: str = "="  # how the table of lines marks it, see lua.Source


def comment_lines(comment: Comment) -> list[str]:
    """A comment as Python's, a line each."""
    text = comment.text.encode("latin1").decode("utf-8", "replace")
    lines = [line.strip() for line in text.split("\n")]
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    return [as_comment(line) for line in lines] or ["#"]


@dataclass
class Code:
    """The lines of one Python function or page, at a depth of indentation."""

    lines: list[Line] = field(default_factory=list)
    depth: int = 0

    def add(self, text: str, lua: int, blank: bool = False, comment: str = "") -> None:
        self.lines.append(Line(self.depth, text, lua, blank, comment))

    def comments(self, comments: tuple[Comment, ...], lua: int, blank: bool = False) -> None:
        for comment in comments:
            first = True
            for text in comment_lines(comment):
                self.add(text, lua, blank=first and (blank or comment.blank))
                first = blank = False


def literal(value: str) -> str:
    """A Lua string as Python source."""
    if value.isascii():
        return quoted(value)
    characters = decoded(value)
    return quoted(value, ascii_only=True) if characters == value else f"lua.text({quoted(characters)})"
