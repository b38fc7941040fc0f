"""Pages laid out by ``ruff format``, and what is prepared for it: comments, and names that are declared."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ruff.__main__ import find_ruff_bin

__all__ = ["WIDTH", "items", "lay_out", "lay_out_all"]

WIDTH = 110

_DECLARED = re.compile(r"( *)(nonlocal|global) (.*)")


def lay_out(page: str) -> str:
    """A page, laid out."""
    return lay_out_all([page])[0]


def lay_out_all(pages: Sequence[str]) -> list[str]:
    """Pages, laid out by one run of the formatter. One that is no Python is a SyntaxError."""
    with TemporaryDirectory() as folder:
        files = [Path(folder, f"page{number}.py") for number in range(len(pages))]
        for file, page in zip(files, pages, strict=True):
            file.write_text(_prepared(page), encoding="utf-8", newline="\n")
        command = [find_ruff_bin(), "format", "--isolated", "--no-cache", "--quiet", "--target-version=py310"]
        done = subprocess.run(
            [*command, f"--line-length={WIDTH}", folder], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SyntaxError(done.stderr.strip())
        return [file.read_text(encoding="utf-8") for file in files]


def items(text: str) -> list[str]:
    """The items of a list, a tuple or a dict that is written out, as texts."""
    node = ast.parse(text, mode="eval").body
    data = text.encode()  # which ast counts in
    if isinstance(node, ast.Dict):
        ends = [(key, value) for key, value in zip(node.keys, node.values, strict=True) if key is not None]
    else:
        ends = [
            (element, element) for element in (node.elts if isinstance(node, (ast.List, ast.Tuple)) else [])
        ]
    return [data[first.col_offset : last.end_col_offset].decode() for first, last in ends]


def _prepared(page: str) -> str:
    """A page as the formatter is given it.

    A comment behind a line that is too long with it goes before that line, since the formatter would break the line for
    the comment's sake; comments without words are left out; and many names that are declared become several statements.
    """
    lines = page.split("\n")
    inside: set[int] = set()  # the lines that begin inside of a text
    comments: dict[int, int] = {}  # where a comment begins in a line
    for token in tokenize.generate_tokens(io.StringIO(page).readline):
        if token.type == tokenize.COMMENT:
            comments[token.start[0] - 1] = token.start[1]
        elif token.type != tokenize.NEWLINE:
            inside.update(range(token.start[0], token.end[0]))
    result: list[str] = []
    for number, line in enumerate(lines):
        code = line[: comments.get(number, len(line))].rstrip()
        comment = line[len(code) :].strip()
        if not code and comment and not _says_something(lines, number, comments):
            continue
        if number in inside or not code or not comment:
            declared = None if number in inside else _DECLARED.fullmatch(line)
            result += _statements(*declared.groups()) if declared is not None else [line]
        elif comment == "#":
            result.append(code)
        elif _width(line) > WIDTH:
            indent = re.match(" *", code)
            result += [*_wrapped(indent[0] if indent is not None else "", comment), code]
        else:
            result.append(line)
    return "\n".join(result)


def _says_something(lines: list[str], number: int, comments: dict[int, int]) -> bool:
    """Whether a comment has words, or one of those does that stand in the lines around it."""
    for step in (-1, 1):
        at = number
        while at in comments and not lines[at][: comments[at]].strip():
            if lines[at].strip() != "#":
                return True
            at += step
    return False


def _statements(indent: str, word: str, names: str) -> Iterator[str]:
    """The statements that declare names, each short enough; the formatter would break one at backslashes."""
    line = f"{indent}{word} "
    for name in names.split(", "):
        if line.endswith(" "):
            line += name
        elif len(line) + len(name) + 2 <= WIDTH:
            line += f", {name}"
        else:
            yield line
            line = f"{indent}{word} {name}"
    yield line


def _wrapped(indent: str, comment: str) -> list[str]:
    """A comment on lines of its own."""
    lines, line = [], indent + "#"
    for word in comment.lstrip("# ").split():
        if len(line) + 1 + len(word) > WIDTH and not line.endswith("#"):
            lines.append(line)
            line = indent + "#"
        line += " " + word
    return [*lines, line]


def _width(text: str) -> int:
    """How many columns a text takes."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text) if not text.isascii() else 0
    return len(text) + wide
