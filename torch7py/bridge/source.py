"""Rewrites Lua sources written for Torch's LuaJIT, which had some features of Lua 5.2, for an engine that has Lua 5.1.

A source is a string with one character for each byte (latin-1), so that binary strings survive. The rewritten source
has the same lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import tree_sitter_lua
from tree_sitter import Language, Node, Parser, Query, QueryCursor

__all__ = ["LENGTH", "Wrapping", "for_grammar", "matches", "patch", "wrap_calls"]

LENGTH = "__torch7py_len"  # the global function that the length operator becomes

_LANGUAGE = Language(tree_sitter_lua.language())

# Cheap signs that there may be something to do: a length operator, a semicolon, a break, an escape sequence,
# a goto, or a parenthesis that is first on its line or follows a comment.
_SUSPECT = re.compile(rb"[#;\\]|\b(?:break|goto)\b|[\r\n]\s*\(|\]\s*\(")

_WANTED = Query(
    _LANGUAGE,
    """
    (unary_expression "#" @hash operand: (_) @operand)
    (function_call name: (_) @callee arguments: (arguments . "(" @open))
    (empty_statement) @empty
    (break_statement) @break
    """,
)
_GOTO_AS_NAME = Query(_LANGUAGE, '((identifier) @name (#eq? @name "goto"))')
_STRINGS = Query(_LANGUAGE, "(string) @string")

# The grammar wants UTF-8 text without NUL; Lua takes any byte in strings and comments, and in names those
# above 127.
_PLAIN = bytes(max(byte, 1) if byte < 128 else ord("x") for byte in range(256))

# A keyword of Lua 5.5 and of the grammar; a name like any other before.
_LATER_KEYWORD = re.compile(rb"\bglobal\b")

_ESCAPE = re.compile(rb"\\(?:z\s*|x([0-9a-fA-F]{2})|u\{([0-9a-fA-F]+)\}|.)", re.DOTALL)
_LINE_END = re.compile(rb"\r\n|\n\r|\r|\n")

Edit = tuple[int, int, bytes]  # start, end, new text


def for_grammar(data: bytes) -> bytes:
    """Replace bytes that the grammar would misread, without moving any. Read texts from the original source."""
    return _LATER_KEYWORD.sub(b"globaL", data.translate(_PLAIN))


def patch(source: str | bytes, escapes: bool = False) -> str | None:
    r"""The source with everything rewritten that a Lua 5.1 rejects or understands otherwise.

    - ``f`` with ``(x)`` on a later line: the parenthesis moves up behind ``f``;
    - ``#x``: ``(__torch7py_len(x))``, a function that knows the metamethod ``__len`` of tables;
    - ``;`` where a statement is missing: a blank;
    - ``break`` in the middle of a block: ``do break end``;
    - with ``escapes``, for the plain Lua 5.1: ``\xHH``, ``\u{HHH}`` and ``\z`` in strings.

    A byte order mark is dropped and a first line beginning with ``#`` is emptied.

    Returns None for what is not Lua, or was not Torch's: in that one ``goto`` is no name.
    """
    data = source.encode("latin1") if isinstance(source, str) else source
    data = _without_header(data)
    if not _SUSPECT.search(data):
        return data.decode("latin1")
    tree = Parser(_LANGUAGE).parse(for_grammar(data))
    if tree.root_node.has_error or QueryCursor(_GOTO_AS_NAME).captures(tree.root_node):
        return None
    edits = _edits(tree.root_node, data)
    if escapes:
        edits += _escape_edits(tree.root_node, data)
    return _apply(data, edits).decode("latin1")


def _without_header(data: bytes) -> bytes:
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.startswith(b"#"):
        return data
    end = _LINE_END.search(data)
    return data[end.start() :] if end else b""


def _edits(root: Node, data: bytes) -> list[Edit]:
    edits: list[Edit] = []
    for _, match in QueryCursor(_WANTED).matches(root):
        nodes = {name: captured[0] for name, captured in match.items()}
        if "hash" in nodes:
            # The outer parentheses keep `return #x` from becoming a tail call: no error could name its line.
            edits.append((nodes["hash"].start_byte, nodes["hash"].end_byte, b"(%s(" % LENGTH.encode()))
            edits.append((nodes["operand"].end_byte, nodes["operand"].end_byte, b"))"))
        elif "callee" in nodes:
            end, open_ = nodes["callee"].end_byte, nodes["open"].start_byte
            if _LINE_END.search(data, end, open_):
                edits.append((end, end, b"("))
                edits.append((open_, open_ + 1, b" "))
        elif "empty" in nodes:
            if _is_superfluous(nodes["empty"]):
                edits.append((nodes["empty"].start_byte, nodes["empty"].end_byte, b" "))
        elif not _ends_block(nodes["break"]):
            edits.append((nodes["break"].start_byte, nodes["break"].end_byte, b"do break end"))
    return edits


def _is_superfluous(semicolon: Node) -> bool:
    """Whether a semicolon ends no statement."""
    before = semicolon.prev_named_sibling
    while before is not None and before.type in ("comment", "hash_bang_line"):
        before = before.prev_named_sibling
    statement_list = semicolon.parent is not None and semicolon.parent.type in ("block", "chunk")
    return not statement_list or before is None or before.type in ("empty_statement", "label_statement")


def _ends_block(node: Node) -> bool:
    after = node.next_named_sibling
    while after is not None and after.type in ("comment", "empty_statement"):
        after = after.next_named_sibling
    return after is None


def _escape_edits(root: Node, data: bytes) -> list[Edit]:
    edits: list[Edit] = []
    for string in QueryCursor(_STRINGS).captures(root).get("string", []):
        start, end = string.start_byte, string.end_byte
        if data[start : start + 1] == b"[":
            continue
        lines = b""  # line ends that \\z skips; they follow the string
        for escape in _ESCAPE.finditer(data, start, end):
            byte, character = escape.groups()
            if byte:
                new = b"\\%03d" % int(byte, 16)
            elif character:
                new = b"".join(b"\\%03d" % code for code in chr(int(character, 16)).encode())
            elif escape.group().startswith(b"\\z"):
                new = b""
                lines += b"".join(_LINE_END.findall(escape.group()))
            else:
                continue
            edits.append((escape.start(), escape.end(), new))
        if lines:
            edits.append((end, end, lines))
    return edits


def _apply(data: bytes, edits: list[Edit]) -> bytes:
    parts = []
    at = 0
    for start, end, new in sorted(edits, key=lambda edit: edit[:2]):
        parts += [data[at:start], new]
        at = end
    parts.append(data[at:])
    return b"".join(parts)


def matches(query: str, source: bytes) -> list[dict[str, str]]:
    """The matches of a tree-sitter query: the source text of each capture by its name."""
    root = Parser(_LANGUAGE).parse(for_grammar(source)).root_node
    matches = QueryCursor(Query(_LANGUAGE, query)).matches(root)
    return [
        {
            name: source[nodes[0].start_byte : nodes[0].end_byte].decode("latin1")
            for name, nodes in captures.items()
        }
        for _, captures in matches
    ]


class Wrapping(NamedTuple):
    """The texts before and behind a call, where it stands in an expression and where it is a statement."""

    expression: tuple[str, str]
    statement: tuple[str, str]


def wrap_calls(source: str, query: str, wrappings: Mapping[str, Wrapping]) -> str:
    """The source with texts around each call that a query captures, on the same lines.

    ``wrappings`` has the texts by the names of captures. What is not Lua stays as it is, and so does a call with which
    a longer statement begins: there a parenthesis would go on with the line before.
    """
    data = _without_header(source.encode("latin1"))
    root = Parser(_LANGUAGE).parse(for_grammar(data)).root_node
    if root.has_error:
        return source
    captured = QueryCursor(Query(_LANGUAGE, query)).captures(root)
    before: list[tuple[int, int, str]] = []  # where to, a number that puts the outer of two first, the text
    behind: list[tuple[int, int, str]] = []
    for name, (expression, statement) in wrappings.items():
        for node in captured.get(name, []):
            first = node
            while first.parent is not None and first.parent.start_byte == node.start_byte:
                if first.parent.type in ("block", "chunk"):
                    break
                first = first.parent
            begins_statement = first.parent is None or first.parent.type in ("block", "chunk")
            if begins_statement and first != node:
                continue
            texts = statement if begins_statement else expression
            before.append((node.start_byte, -node.end_byte, texts[0]))
            behind.append((node.end_byte, -node.start_byte, texts[1]))
    edits = [(at, at, text.encode()) for at, _, text in [*sorted(behind), *sorted(before)] if text]
    return _apply(data, edits).decode("latin1")
