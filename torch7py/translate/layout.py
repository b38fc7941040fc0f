"""Lays out Python source as a formatter would: lines that are too long are split at their brackets."""

from __future__ import annotations

import io
import tokenize

__all__ = ["WIDTH", "lay_out", "lay_out_all"]

WIDTH = 110

_OPEN, _CLOSE = "([{", ")]}"


def lay_out_all(lines: list[str], width: int = WIDTH) -> str:
    """Source from lines of statements, each laid out."""
    return "\n".join(part for line in lines for part in lay_out(line, width)) + "\n"


def lay_out(line: str, width: int = WIDTH) -> list[str]:
    """One logical line, with its indentation, as physical lines no longer than ``width`` where that can be done.

    As the formatter does it: the contents of the last brackets go onto a line of their own; if that is still too
    long, or they are those of a list or dict, each of its items goes onto one, with a comma after the last.
    """
    code, comment = _split_comment(line)
    if len(line) <= width or "\n" in line or not code.strip():
        return [line]
    if len(code) <= width:  # the comment alone is too long: it goes before
        indent = code[: len(code) - len(code.lstrip())]
        return [*_wrapped(indent, comment, width), code]
    split = _brackets(code, width)
    if split is None:
        return [line]
    start, end = split
    head, body, tail = code[: start + 1], code[start + 1 : end], code[end:]
    indent = " " * (len(head) - len(head.lstrip()))
    inner = indent + "    "
    if not body.strip():
        return [line]
    note = f"  {comment}" if comment else ""
    items = _items(body)
    subscript = (
        head.endswith("[") and len(head.rstrip("[")) > 0 and (head[-2].isalnum() or head[-2] in "_])}\"'")
    )
    whole = body.strip()
    trailing = whole.endswith(",")
    display = head[-1] in "[{" and not subscript and not (len(items) == 1 and _is_loose(items[0]))
    if len(inner + whole) <= width and not trailing and not display:
        return [head + note, inner + whole, indent + tail.lstrip()]
    groups = head.endswith("(") and not (head[-2:-1].isalnum() or head[-2:-1] in ("_", ")", "]"))
    if len(items) == 1 and not trailing and (subscript or groups or _is_loose(items[0])):
        lines = lay_out(inner + items[0], width)
    else:
        lines = [part for item in items for part in lay_out(f"{inner}{item},", width)]
    return [head + note, *lines, *lay_out(indent + tail.lstrip(), width)]


def _is_loose(item: str) -> bool:
    """Whether a lone item takes no comma after it: a comprehension, or what is unpacked."""
    return " for " in item and " in " in item


def _wrapped(indent: str, comment: str, width: int) -> list[str]:
    lines, line = [], indent + "#"
    for word in comment.lstrip("# ").split():
        if len(line) + 1 + len(word) > width:
            lines.append(line)
            line = indent + "#"
        line += " " + word
    return [*lines, line]


def _tokens(code: str) -> list[tokenize.TokenInfo]:
    try:
        return list(tokenize.generate_tokens(io.StringIO(code.strip() + "\n").readline))
    except (tokenize.TokenError, IndentationError):
        # A line that opens a block or closes a bracket is not complete; its tokens come before the error.
        found: list[tokenize.TokenInfo] = []
        try:
            for token in tokenize.generate_tokens(io.StringIO(code.strip() + "\n").readline):
                found.append(token)  # noqa: PERF402
        except (tokenize.TokenError, IndentationError):
            pass
        return found


def _split_comment(line: str) -> tuple[str, str]:
    if "#" not in line:
        return line, ""
    shift = len(line) - len(line.lstrip())
    for token in _tokens(line):
        if token.type == tokenize.COMMENT:
            at = token.start[1] + shift
            return line[:at].rstrip(), line[at:]
    return line, ""


def _brackets(code: str, width: int) -> tuple[int, int] | None:
    """Where the last outermost brackets with something in them open and close, of those that open on the line."""
    shift = len(code) - len(code.lstrip())
    depth, start = 0, 0
    found = None
    for token in _tokens(code):
        if token.type != tokenize.OP:
            continue
        if token.string in _OPEN:
            if depth == 0:
                start = token.start[1] + shift
            depth += 1
        elif token.string in _CLOSE:
            depth -= 1
            if depth == 0:
                end = token.start[1] + shift
                if code[start + 1 : end].strip() and (found is None or start < width):
                    found = (start, end)
    return found


def _items(body: str) -> list[str]:
    """The items of a bracket's contents, at its commas."""
    text = body.strip()
    depth, start = 0, 0
    found = []
    for token in _tokens(text):
        if token.type != tokenize.OP:
            continue
        if token.string in _OPEN:
            depth += 1
        elif token.string in _CLOSE:
            depth -= 1
        elif token.string == "," and depth == 0:
            found.append(text[start : token.start[1]].strip())
            start = token.end[1]
    rest = text[start:].strip()
    return found + ([rest] if rest else [])
