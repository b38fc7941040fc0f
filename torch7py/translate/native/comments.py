"""Comments of a Lua program as Python's."""

from __future__ import annotations

from torch7py.translate.quoting import comment as as_comment
from torch7py.translate.quoting import decoded
from torch7py.translate.tree import Comment

__all__ = ["comment_lines"]


def comment_lines(comment: Comment) -> list[str]:
    """A comment in Python's form."""
    text = decoded(comment.text)
    if not comment.long and "\n" in text:  # an empty comment and a long one, taken for one by the grammar
        return [as_comment(line.strip()) for line in text.strip().split("\n")]
    if not comment.long:
        return [as_comment((text.strip("-") if set(text) <= set("-= ") else text).removeprefix(" "))]
    lines = text.strip().split("\n")
    indent = min((len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()), default=0)
    return [as_comment(line[indent:] if number else line) for number, line in enumerate(lines)]
