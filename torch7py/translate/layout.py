"""Lays out Python source as a formatter would: lines that are too long are split at their brackets."""

from __future__ import annotations

import io
import itertools
import keyword
import re
import tokenize

__all__ = ["WIDTH", "items", "lay_out", "lay_out_all"]

WIDTH = 110

_OPEN, _CLOSE = "([{", ")]}"
_LEVELS = {"+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "%": 2, "@": 2}
_OTHERS = frozenset({"<", ">", "<=", ">=", "==", "!=", "|", "&", "^", "~", "<<", ">>", ":=", "=", ":", "->"})
_STATEMENT = re.compile(r"\s*(?:return |[\w.]+(?:\[[^\]=]*\])? (?:[-+*/@]|//|%)?= )")


def lay_out_all(lines: list[str], width: int = WIDTH) -> str:
    """Source from lines of statements, each laid out."""
    return "\n".join(part for line in lines for part in lay_out(line, width)) + "\n"


def lay_out(line: str, width: int = WIDTH) -> list[str]:
    """One logical line, with its indentation, as physical lines no longer than ``width`` where that can be done.

    As the formatter does it: the contents of the last brackets go onto a line of their own; if that is still too
    long, or they are those of a list or dict, each of its items goes onto one, with a comma after the last.
    """
    if len(line) <= width or "\n" in line:
        return [line]
    code, comment = _split_comment(line)
    if not code.strip():
        return [line]
    if len(code) <= width:  # the comment alone is too long: it goes before
        indent = code[: len(code) - len(code.lstrip())]
        return [*_wrapped(indent, comment, width), code]
    split = _brackets(code, width)
    parts = _statement_of_choice(code, width) or _statement_of_operators(code, split, width)
    if parts is not None:
        return [parts[0] + (f"  {comment}" if comment else ""), *parts[1:]]
    if split is None:
        return [line]
    start, end = split
    head, body, tail = code[: start + 1], code[start + 1 : end], code[end:]
    indent = " " * (len(head) - len(head.lstrip()))
    inner = indent + "    "
    if not body.strip():
        return [line]
    note = f"  {comment}" if comment else ""
    each = items(body)
    subscript = (
        head.endswith("[") and len(head.rstrip("[")) > 0 and (head[-2].isalnum() or head[-2] in "_])}\"'")
    )
    whole = body.strip()
    trailing = whole.endswith(",")
    display = head[-1] in "[{" and not subscript and not (len(each) == 1 and _is_loose(each[0]))
    if len(inner + whole) <= width and not trailing and not display:
        return [head + note, inner + whole, indent + tail.lstrip()]
    groups = head.endswith("(") and not (head[-2:-1].isalnum() or head[-2:-1] in ("_", ")", "]"))
    if len(each) == 1 and not trailing and _is_loose(each[0]) and len(inner + each[0]) > width:
        places = [0, *_clauses(each[0]), len(each[0])]
        clauses = [each[0][a:b].strip() for a, b in itertools.pairwise(places)]
        lines = [part for clause in clauses for part in lay_out(inner + clause, width)]
    elif len(each) == 1 and not trailing and (subscript or groups or _is_loose(each[0])):
        lines = lay_out(inner + each[0], width)
    else:
        lines = [part for item in each for part in _item(inner, item, width)]
    return [head + note, *lines, *lay_out(indent + tail.lstrip(), width)]


def _item(indent: str, item: str, width: int) -> list[str]:
    """An item of brackets, each on lines of its own: at its operators, where it is too long."""
    line = f"{indent}{item},"
    if len(line) <= width or not _operators(item):
        return lay_out(line, width)
    return _at_operators(indent, f"{item},", width)


def _statement_of_operators(code: str, split: tuple[int, int] | None, width: int) -> list[str] | None:
    """``x = a + b`` in parentheses, an operand a line; None where the formatter splits brackets instead.

    It does that where one operator binds least, and what is behind it, or before it, are brackets.
    """
    found = _STATEMENT.match(code)
    if found is None:
        return None
    value = code[found.end() :]
    operators = _operators(value)
    if not operators:
        return None
    least = [at for at, _, level in operators if level == min(level for *_, level in operators)]
    if len(least) == 1 and split is not None and split[0] < width:
        start, end = split
        first = code[found.end() : found.end() + operators[0][0]].strip()
        if end == len(code) - 1 or (
            start < found.end() + len(first) == end + 1 and _is_first(code[found.end() : start])
        ):
            return None
    indent = code[: len(code) - len(code.lstrip())]
    return [f"{found[0]}(", *_at_operators(indent + "    ", value, width), f"{indent})"]


def _statement_of_choice(code: str, width: int) -> list[str] | None:
    """A value that is chosen by a condition, in brackets: each branch a line, its word before it."""
    start = _STATEMENT.match(code)
    if start is None:
        return None
    indent, value = code[: len(code) - len(code.lstrip())], code[start.end() :]
    places, depth = [0], 0
    for token in _tokens(value):
        if token.type == tokenize.OP:
            depth += (token.string in _OPEN) - (token.string in _CLOSE)
        elif token.type == tokenize.NAME and depth == 0:
            if token.string in ("lambda", "for"):
                return None
            if token.string in ("if", "else"):
                places.append(token.start[1])
    if len(places) < 3:
        return None
    inner = indent + "    "
    if len(inner + value) <= width:
        return [f"{start[0]}(", inner + value, f"{indent})"]
    pieces = [value[a:b].strip() for a, b in itertools.pairwise([*places, len(value)])]
    return [
        f"{start[0]}(",
        *(line for piece in pieces for line in lay_out(inner + piece, width)),
        f"{indent})",
    ]


def _is_first(text: str) -> bool:
    """Whether a text is what stands before the brackets of a call or a subscript: a name with dots."""
    return re.fullmatch(r"[\w.]*", text) is not None


def _at_operators(indent: str, text: str, width: int) -> list[str]:
    """A sum or a product in brackets: an operand a line, its operator before it."""
    operators = _operators(text)
    if len(indent + text) <= width or not operators:
        return lay_out(indent + text, width)
    lowest = min(level for *_, level in operators)
    places = [0, *(at for at, _, level in operators if level == lowest), len(text)]
    pieces = [text[a:b].strip() for a, b in itertools.pairwise(places)]
    return [line for piece in pieces for line in _at_operators(indent, piece, width)]


def _operators(text: str) -> list[tuple[int, str, int]]:
    """The arithmetic operators outside of brackets: where, which, and how they bind. None if there are others too."""
    found: list[tuple[int, str, int]] = []
    depth, operand = 0, False  # whether an operand stands before
    for token in _tokens(text):
        if token.type == tokenize.OP and token.string in _OPEN:
            depth += 1
        elif token.type == tokenize.OP and token.string in _CLOSE:
            depth -= 1
        elif depth == 0 and token.type == tokenize.NAME and keyword.iskeyword(token.string):
            if token.string not in ("None", "True", "False"):
                return []
        elif depth == 0 and token.type == tokenize.OP and operand and token.string in _LEVELS:
            found.append((token.start[1], token.string, _LEVELS[token.string]))
        elif depth == 0 and token.type == tokenize.OP and token.string in _OTHERS:
            return []
        operand = token.type in (tokenize.NAME, tokenize.NUMBER, tokenize.STRING) or token.string in _CLOSE
    return found


def _is_loose(item: str) -> bool:
    """Whether a lone item takes no comma after it: a comprehension."""
    return bool(_clauses(item))


def _clauses(text: str) -> list[int]:
    """Where the clauses of a comprehension begin: ``for``, and ``if`` behind one, outside of brackets."""
    if " for " not in text:
        return []
    found: list[int] = []
    depth = 0
    for token in _tokens(text):
        if token.type == tokenize.OP and token.string in _OPEN:
            depth += 1
        elif token.type == tokenize.OP and token.string in _CLOSE:
            depth -= 1
        elif (
            depth == 0
            and token.type == tokenize.NAME
            and token.string in (("for", "if") if found else ("for",))
        ):
            found.append(token.start[1])
    return found


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


def items(body: str) -> list[str]:
    """The items of a bracket's contents, at its commas."""
    text = body.strip()
    depth, start = 0, 0
    found = []
    for token in _tokens(text) if not _clauses(text) else ():
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
