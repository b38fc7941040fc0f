"""The one writer of text in a page: literals, docstrings, comments, f-strings and names.

What a program, a model or the name of a file says may be any text. In a page it stands within quotes, behind ``#`` or
as a name, and never becomes anything else there: whatever puts it there calls one of these functions, and nothing in
the translator puts quotes around a text itself. Texts are of characters here; ``decoded`` makes them of Lua's bytes.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Sequence
from typing import TypeAlias

__all__ = [
    "Piece",
    "cannot_be_inside",
    "chunk_name",
    "comment",
    "comments",
    "decoded",
    "docstring",
    "f_string",
    "identifier",
    "is_name",
    "lua_quoted",
    "quoted",
    "raw",
    "said",
    "without_special",
]

Piece: TypeAlias = "str | tuple[str, str]"  # of an f-string: text, or an expression and its format

_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\"}
# How a comment must not begin, as Python's tools would take it for a word to them.
_DIRECTIVES = ("type:", "fmt:", "noqa", "ruff:", "pragma:", "yapf:", "isort:", "mypy:", "pylint:", "coding")


def decoded(text: str) -> str:
    """A text of Lua, a character a byte, as characters where its bytes are UTF-8."""
    if text.isascii():
        return text
    try:
        return text.encode("latin1").decode()
    except UnicodeError:
        return text


def _escaped(text: str, quote: str, ascii_only: bool = False) -> str:
    """The inside of a literal in these quotes."""
    if text.isascii() and text.isprintable() and '"' not in text and "'" not in text and "\\" not in text:
        return text
    parts = []
    for char in text:
        if char == quote:
            parts.append(f"\\{char}")
        elif char in _ESCAPES:
            parts.append(_ESCAPES[char])
        elif char.isprintable() and (char.isascii() or not ascii_only):
            parts.append(char)
        elif ord(char) < 0x100:
            parts.append(f"\\x{ord(char):02x}")
        else:
            parts.append(f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}")
    return "".join(parts).replace(TRIPLE, '\\"' * 3)


def quoted(text: str, ascii_only: bool = False) -> str:
    """A text as a literal, in double quotes unless single ones need fewer escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + _escaped(text, quote, ascii_only) + quote


def raw(text: str) -> str:
    """A regular expression or a template of one as a literal: without escapes where it can have none."""
    plain = text.isprintable() and '"' not in text and not text.endswith("\\")
    return f'r"{text}"' if plain and "\\" in text else quoted(text)


def lua_quoted(text: str) -> str:
    """A text of bytes as a literal of Lua, for what is written as a Lua program."""
    inner = re.sub(r"[\\'\0-\x1f\x7f]", lambda match: f"\\{ord(match[0]):03d}", text)
    return f"'{inner}'"


def said(text: str) -> str:
    """A text in an error's message, within single quotes, in one line."""
    inner = _escaped(text, "'")
    return f"'{inner}'"


def chunk_name(text: str) -> str:
    """A chunk of Lua source as Lua's messages name it."""
    return f'[string "{text}"]'


# Docstrings and comments

TRIPLE = '"' * 3  # in a page these begin and end docstrings, and are nothing else


def docstring(text: str, closed_below: bool = False) -> str:
    """A text as a docstring; ``closed_below``: the closing quotes of several lines stand in a line of their own."""
    inner = "\n".join(_escaped(line.expandtabs().replace(TRIPLE, "'" * 3), "") for line in text.split("\n"))
    if inner.endswith('"'):
        inner = f'{inner[:-1]}\\"'
    end = "\n" if closed_below and "\n" in inner else ""
    return f'"""{inner}{end}"""'


def comment(text: str) -> str:
    """A text as a comment of one line; an empty one is a mere ``#``."""
    line = "".join(char if char.isprintable() else " " for char in text).replace(TRIPLE, "'" * 3)
    return f"# - {line.strip(' #')}" if _is_directive(line) else f"# {line}".rstrip()


def _is_directive(line: str) -> bool:
    return line.lstrip(" #").startswith(_DIRECTIVES)


def comments(text: str) -> list[str]:
    """A text of several lines as a comment for each."""
    return [comment(line) for line in re.split(r"\r\n|[\n\r]", text)]


# F-strings


def f_string(pieces: Sequence[Piece]) -> str:
    """Text with expressions in it, as an f-string, or as ``.format`` where they cannot stand within quotes.

    A piece that is an expression ends with ``!s`` where it is to be a text first.
    """
    merged: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        elif piece != "":
            merged.append(piece)
    texts = [piece for piece in merged if isinstance(piece, str)]
    fields = [piece for piece in merged if not isinstance(piece, str)]
    if not fields:
        return quoted("".join(texts))
    if any(cannot_be_inside(expression) for expression, _ in fields):
        return _formatted(merged)
    words = [*texts, *(expression for expression, _ in fields)]
    single = any('"' in text for text in texts) and not any("'" in text for text in words)
    quote = "'" if single else '"'
    parts = []
    for piece in merged:
        if isinstance(piece, str):
            parts.append(_doubled(_escaped(piece, quote)))
        else:
            parts.append(_field(*piece, quote))
    written = "".join(["f", quote, *parts, quote])
    return written if _says(written, merged) else _formatted(merged)


def _doubled(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def cannot_be_inside(expression: str) -> bool:
    return "\\" in expression or ('"' in expression and "'" in expression)


def _field(expression: str, format_: str, quote: str) -> str:
    other = '"' if quote == "'" else "'"
    inner = expression.replace(quote, other)
    if inner.startswith("{"):
        inner = f" {inner}"
    return f"{{{inner}:{format_}}}" if format_ else f"{{{inner}}}"


def _says(written: str, pieces: Sequence[Piece]) -> bool:
    """Whether an f-string is made of these texts and as many expressions."""
    node = _parsed(written)
    if not isinstance(node, ast.JoinedStr):
        return False
    values = [value.value if isinstance(value, ast.Constant) else None for value in node.values]
    return values == [piece if isinstance(piece, str) else None for piece in pieces]


def _parsed(expression: str) -> ast.expr | None:
    try:
        return ast.parse(expression, mode="eval").body
    except (SyntaxError, ValueError):
        return None


def _formatted(pieces: Sequence[Piece]) -> str:
    """``"{}".format(...)`` of expressions that cannot stand within quotes themselves."""
    parts, arguments = [], []
    for piece in pieces:
        if isinstance(piece, str):
            parts.append(_doubled(piece))
            continue
        expression, format_ = piece
        flag = "!s" if expression.endswith("!s") else ""
        parts.append(f"{{{flag}:{format_}}}" if format_ else f"{{{flag}}}")
        arguments.append(expression.removesuffix("!s"))
    text = _escaped("".join(parts), '"')
    return f'"{text}".format({", ".join(arguments)})'


# Names


def is_name(text: str) -> bool:
    """Whether a text is a name in a page: an identifier of letters, digits and underscores, and no keyword."""
    return text.isascii() and text.isidentifier() and not keyword.iskeyword(text)


def without_special(name: str) -> str:
    """A name without the two underscores on both sides of names that mean something to Python: ``_class__``."""
    return f"_{name.lstrip('_')}" if name.startswith("__") and name.endswith("__") else name


def identifier(text: str, mark: str = "_") -> str:
    """A text of any kind as an identifier, which may be a keyword; the same where it is one.

    ``mark`` stands before the number of a letter that is no ASCII.
    """
    if text.isascii() and text.isidentifier():
        return text
    plain = "".join(c if c.isascii() else f"{mark}{ord(c):02x}" for c in text)
    plain = re.sub(r"[^A-Za-z0-9_]", "_", plain)
    return plain if plain.isidentifier() and text[:1].isalpha() else f"_{plain}"
