"""Comments of a Lua program as Python's."""

from __future__ import annotations

from torch7py.translate.tree import Comment

__all__ = ["comment_lines"]


def comment_lines(comment: Comment) -> list[str]:
    """A comment in Python's form."""
    if (
        not comment.long and "\n" in comment.text
    ):  # an empty comment and a long one, taken for one by the grammar
        return [f"# {_decoded(line).strip()}".rstrip() for line in comment.text.strip().split("\n")]
    if not comment.long:
        text = (
            _decoded(comment.text).strip("-") if set(comment.text) <= set("-= ") else _decoded(comment.text)
        )
        if text and not text.startswith((" ", "!")):
            text = f" {text}"
        return [f"#{text}".rstrip()]
    lines = _decoded(comment.text).strip().split("\n")
    indent = min((len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()), default=0)
    return [f"# {line[indent:] if number else line}".rstrip() for number, line in enumerate(lines)]


def _decoded(text: str) -> str:
    try:
        return text.encode("latin1").decode()
    except UnicodeDecodeError:
        return text
