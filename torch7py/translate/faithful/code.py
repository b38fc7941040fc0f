"""Lines of Python as they are made, each with the Lua line it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch7py.translate.tree import Comment

__all__ = ["Code", "Line", "comment_lines", "literal", "quoted"]


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
    lines = [line.strip() if comment.long else line.rstrip() for line in text.split("\n")]
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    return ["# " + _plain(line) if line.strip() else "#" for line in lines] or ["#"]


def _plain(line: str) -> str:
    """A comment's text, without what Python or its tools would take for a directive."""
    line = "".join(c if c.isprintable() else " " for c in line).strip()
    if line.startswith(("type:", "fmt:", "noqa", "ruff:", "pragma:", "yapf:", "isort:")):
        return "- " + line
    return line


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
    try:
        characters = value.encode("latin1").decode("utf-8")
    except UnicodeDecodeError:
        return quoted(value)
    return f"lua.text({quoted(characters, decoded=True)})"


def quoted(value: str, decoded: bool = False) -> str:
    """A string as Python source; ``decoded``: of characters, not of bytes."""
    quote = "'" if value.count('"') > value.count("'") else '"'
    parts = []
    for char in value:
        if char == quote or char == "\\":
            parts.append("\\" + char)
        elif char in _ESCAPES:
            parts.append(_ESCAPES[char])
        elif char.isprintable() and (char.isascii() or decoded):
            parts.append(char)
        elif ord(char) < 256:
            parts.append(f"\\x{ord(char):02x}")
        else:
            parts.append(f"\\u{ord(char):04x}" if ord(char) < 65536 else f"\\U{ord(char):08x}")
    return quote + "".join(parts) + quote


_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
