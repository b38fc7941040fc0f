"""Lua source to the tree of ``tree.py``."""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from collections.abc import Callable

import tree_sitter_lua
from tree_sitter import Language, Parser, Query, QueryCursor
from tree_sitter import Node as Raw

from torch7py.bridge.errors import LuaSyntaxError
from torch7py.bridge.source import for_grammar
from torch7py.translate import tree
from torch7py.translate.quoting import said
from torch7py.translate.tree import Around, Block, Comment, Expression, Span, Statement

__all__ = ["LuaSyntaxError", "parse"]

_LANGUAGE = Language(tree_sitter_lua.language())
_COMMENTS = Query(_LANGUAGE, "(comment) @comment")

_new_tuple = tuple.__new__

_LINE_END = re.compile(rb"\r\n|\n\r|\r|\n")
_LONG = re.compile(r"\[(=*)\[")
_ESCAPE = re.compile(r"\\(?:z\s*|x([0-9a-fA-F]{2})|u\{([0-9a-fA-F]+)\}|(\d{1,3})|(\r\n|\n\r|.))", re.DOTALL)
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _syntax_error(file: str, line: int, reason: str) -> LuaSyntaxError:
    return LuaSyntaxError(f"{file}:{line}: {reason}")


def parse(source: str | bytes, file: str = "?", first: int = 0) -> Block:
    """The program as a tree. A string is encoded as UTF-8; bytes are taken as they are.

    Byte positions are those of the given source, a byte order mark included, counted from ``first``: so the files of
    one program can have positions of their own. Raises LuaSyntaxError.
    """
    data = source.encode() if isinstance(source, str) else source
    return _Builder(data, file, first).chunk()


class _Builder:
    """Walks the raw tree in the order of the source, and hands out the comments as it passes them."""

    def __init__(self, data: bytes, file: str, first: int) -> None:
        self.file = file
        self.first = first
        text = _blank_header(data)
        self.data = text
        self.text = text.decode("latin1")
        self.root = Parser(_LANGUAGE).parse(for_grammar(text)).root_node
        if self.root.has_error:
            self.fail()
        lines = text.split(b"\n")
        self.empty_rows = {row for row, line in enumerate(lines) if not line.strip()}
        lengths = (len(line) + 1 for line in lines)
        self.starts = list(itertools.accumulate(lengths, initial=0))[:-1]  # of the lines, in bytes
        captures = QueryCursor(_COMMENTS).captures(self.root).get("comment", []) if b"--" in text else []
        self.comments = [self.comment(raw) for raw in sorted(captures, key=lambda raw: raw.start_byte)]
        self.at = 0  # the next comment that nothing has taken
        self.inside: list[Comment] = []  # of the statement being built

    def chunk(self) -> Block:
        return self.block(self.root, 0, len(self.data))

    # Errors and places

    def fail(self) -> None:
        node = self.root
        while True:
            broken = next((child for child in node.children if child.has_error or child.is_missing), None)
            if broken is None or node.is_error:
                break
            node = broken
        near = self.text[node.start_byte : node.end_byte].split("\n")[0].strip()[:40]
        reason = f"{said(node.type)} expected" if node.is_missing else f"syntax error near {said(near)}"
        raise _syntax_error(self.file, node.start_point[0] + 1, reason)

    def span(self, raw: Raw) -> Span:
        start = raw.start_byte
        line = bisect_right(self.starts, start)
        # as Place(...), without the function around it: half of a tree are places
        return _new_tuple(
            Span, (line, start - self.starts[line - 1] + 1, self.first + start, self.first + raw.end_byte)
        )

    def source(self, raw: Raw) -> str:
        return self.text[raw.start_byte : raw.end_byte]

    # Comments

    def comment(self, raw: Raw) -> Comment:
        location = self.span(raw)
        text = self.text[raw.start_byte + 2 : raw.end_byte]
        opener = _LONG.match(text)
        if opener:
            text = text[opener.end() : -opener.end()]
        elif not text.strip("-"):  # a line of dashes
            text = ""
        return Comment(location, text.rstrip(), opener is not None, location.line - 2 in self.empty_rows)

    def comments_before(self, byte: int) -> list[Comment]:
        first = self.at
        while self.at < len(self.comments) and self.comments[self.at].span.start - self.first < byte:
            self.at += 1
        return self.comments[first : self.at]

    def comment_on(self, row: int, limit: int) -> Comment | None:
        """The next comment, when it stands on this row (from 0) and before a byte."""
        if self.at < len(self.comments):
            comment = self.comments[self.at]
            if comment.span.line == row + 1 and comment.span.start - self.first < limit:
                self.at += 1
                return comment
        return None

    # Blocks and statements

    def block(self, raw: Raw | None, start: int, end: int, opener: Raw | None = None) -> Block:
        """The statements of a block that lies between two bytes; ``opener`` is the last token before it."""
        self.inside += self.comments_before(start)
        around_this, self.inside = self.inside, []
        raws = (
            [] if raw is None else [child for child in raw.named_children if child.type not in _NO_STATEMENT]
        )
        limit = raws[0].start_byte if raws else end
        opening = None if opener is None else self.comment_on(opener.end_point[0], limit)
        statements = []
        for index, child in enumerate(raws):
            before = self.comments_before(child.start_byte)
            build = _STATEMENTS[child.type]
            row = child.start_point[0]
            first = index == 0 or raws[index - 1].end_point[0] < row  # in its row
            blank = first and row - 1 in self.empty_rows
            self.inside = []
            # A node is immutable: it is built without its surroundings, which are known only afterwards.
            make = build(self, child)
            self.inside += self.comments_before(child.end_byte)
            limit = raws[index + 1].start_byte if index + 1 < len(raws) else end
            trailing = self.trailing(child, limit)
            around = Around(tuple(before), trailing, tuple(self.inside), blank)
            kind, arguments = make
            statements.append(kind(self.span(child), around, *arguments))
        closing = self.comments_before(end)
        self.inside = around_this
        return Block(tuple(statements), opening, tuple(closing))

    def trailing(self, raw: Raw, limit: int) -> Comment | None:
        follower = raw.next_sibling
        if follower is not None and follower.type == "empty_statement":
            raw = follower
        row = raw.end_point[0]
        if self.at < len(self.comments):
            comment = self.comments[self.at]
            # A long comment that ends on another line belongs to what follows.
            near = comment.span.start - self.first < limit and comment.span.line == row + 1
            if near and "\n" not in comment.text:
                self.at += 1
                return comment
        return None

    def body(self, raw: Raw, opener: Raw, closer: Raw | None = None, field: str = "body") -> Block:
        end = closer.start_byte if closer is not None else raw.end_byte
        return self.block(raw.child_by_field_name(field), opener.end_byte, end, opener)

    # Expressions

    def expression(self, raw: Raw) -> Expression:
        make = _EXPRESSIONS.get(raw.type)
        if make is None:
            raise _syntax_error(
                self.file, raw.start_point[0] + 1, f"unexpected symbol near {said(self.source(raw))}"
            )
        return make(self, raw)

    def values(self, raw: Raw) -> tuple[Expression, ...]:
        return tuple([self.expression(child) for child in raw.named_children if child.type not in _SKIPPED])

    def field(self, raw: Raw, name: str) -> Expression:
        child = raw.child_by_field_name(name)
        assert child is not None, f"{raw.type} without {name}"
        return self.expression(child)

    def function(self, raw: Raw, name: str | None = None, method: bool = False) -> tree.Function:
        listed = raw.child_by_field_name("parameters")
        assert listed is not None
        parameters = [
            tree.Name(self.span(child), self.source(child))
            for child in listed.named_children
            if child.type == "identifier"
        ]
        if method:
            parameters.insert(0, tree.Name(self.span(listed), "self"))
        vararg = any(child.type == "vararg_expression" for child in listed.named_children)
        body = self.body(raw, listed, _token(raw, "end"))
        return tree.Function(self.span(raw), tuple(parameters), vararg, body, name)


_NO_STATEMENT = {"comment", "empty_statement", "hash_bang_line"}
_SKIPPED = {"comment"}


def _blank_header(data: bytes) -> bytes:
    """Without byte order mark and first line beginning with #; both become blanks."""
    mark = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    end = mark
    if data.startswith(b"#", mark):
        match = _LINE_END.search(data)
        end = match.start() if match else len(data)
    data = b" " * end + data[end:] if end else data
    return data.replace(b"\r", b"\n") if b"\r" in data and b"\n" not in data else data


def _token(raw: Raw, kind: str) -> Raw:
    for child in reversed(raw.children):
        if child.type == kind and not child.is_named:
            return child
    raise AssertionError(f"{raw.type} without {kind}")


# Statements: each gives the class of the node and its fields after place and around.

_Made = tuple["type[Statement]", tuple[object, ...]]


def _both_sides(b: _Builder, raw: Raw) -> tuple[tuple[Expression, ...], tuple[Expression, ...]]:
    left, right = (
        child for child in raw.named_children if child.type in ("variable_list", "expression_list")
    )
    return _variables(b, left), b.values(right)


def _variables(b: _Builder, raw: Raw) -> tuple[Expression, ...]:
    attribute = next((child for child in raw.named_children if child.type == "attribute"), None)
    if attribute is not None:
        raise _syntax_error(
            b.file, attribute.start_point[0] + 1, f"unexpected symbol near {said(b.source(attribute))}"
        )
    return b.values(raw)


def _local(b: _Builder, raw: Raw) -> _Made:
    inner = next(child for child in raw.named_children if child.type not in _SKIPPED)
    if inner.type == "assignment_statement":
        return tree.Local, _both_sides(b, inner)
    return tree.Local, (_variables(b, inner), ())


def _while(b: _Builder, raw: Raw) -> _Made:
    condition = b.field(raw, "condition")
    return tree.While, (condition, b.body(raw, _token(raw, "do"), _token(raw, "end")))


def _repeat(b: _Builder, raw: Raw) -> _Made:
    body = b.body(raw, raw.children[0], _token(raw, "until"))
    return tree.Repeat, (body, b.field(raw, "condition"))


def _if(b: _Builder, raw: Raw) -> _Made:
    parts = [raw, *(c for c in raw.named_children if c.type in ("elseif_statement", "else_statement"))]
    branches = []
    otherwise = None
    for index, part in enumerate(parts):
        closer = parts[index + 1] if index + 1 < len(parts) else _token(raw, "end")
        if part.type == "else_statement":
            otherwise = b.body(part, part.children[0], closer)
        else:
            condition = b.field(part, "condition")
            then = next(child for child in part.children if child.type == "then")
            branches.append((condition, b.body(part, then, closer, "consequence")))
    return tree.If, (tuple(branches), otherwise)


def _for(b: _Builder, raw: Raw) -> _Made:
    clause = raw.child_by_field_name("clause")
    assert clause is not None
    opener, closer = next(child for child in raw.children if child.type == "do"), _token(raw, "end")
    if clause.type == "for_numeric_clause":
        variable, start, stop = (b.field(clause, name) for name in ("name", "start", "end"))
        step = None if clause.child_by_field_name("step") is None else b.field(clause, "step")
        return tree.NumericFor, (variable, start, stop, step, b.body(raw, opener, closer))
    names, values = _both_sides(b, clause)
    return tree.GenericFor, (names, values, b.body(raw, opener, closer))


def _function_statement(b: _Builder, raw: Raw) -> _Made:
    named = raw.child_by_field_name("name")
    assert named is not None
    if raw.children[0].type == "local":
        name = tree.Name(b.span(named), b.source(named))
        return tree.LocalFunction, (name, b.function(raw, name.name))
    method = named.type == "method_index_expression"
    target = _index(b, named, "method", True) if method else b.expression(named)
    return tree.FunctionStatement, (
        target,
        method,
        b.function(raw, re.sub(r"\s", "", b.source(named)), method),
    )


def _return(b: _Builder, raw: Raw) -> _Made:
    listed = [child for child in raw.named_children if child.type == "expression_list"]
    return tree.Return, (b.values(listed[0]) if listed else (),)


def _identifier(b: _Builder, raw: Raw) -> str:
    return b.source(next(child for child in raw.named_children if child.type == "identifier"))


_STATEMENTS: dict[str, Callable[[_Builder, Raw], _Made]] = {
    "assignment_statement": lambda b, raw: (tree.Assign, _both_sides(b, raw)),
    "variable_declaration": _local,
    "function_call": lambda b, raw: (tree.Run, (b.expression(raw),)),
    "do_statement": lambda b, raw: (tree.Do, (b.body(raw, raw.children[0], _token(raw, "end")),)),
    "while_statement": _while,
    "repeat_statement": _repeat,
    "if_statement": _if,
    "for_statement": _for,
    "function_declaration": _function_statement,
    "return_statement": _return,
    "break_statement": lambda b, raw: (tree.Break, ()),
    "goto_statement": lambda b, raw: (tree.Goto, (_identifier(b, raw),)),
    "label_statement": lambda b, raw: (tree.Label, (_identifier(b, raw),)),
}


# Expressions


def _number(b: _Builder, raw: Raw) -> Expression:
    text = b.source(raw)
    return tree.Number(b.span(raw), _number_value(text), text)


def _number_value(text: str) -> int | float:
    lower = text.lower()
    if lower.endswith(("ull", "ll")):
        return int(lower.rstrip("ul"), 0)
    if lower.startswith("0x"):
        return float.fromhex(lower) if "." in lower or "p" in lower else int(lower, 16)
    return int(lower) if lower.isdigit() else float(lower)


def _string(b: _Builder, raw: Raw) -> Expression:
    text = b.source(raw)
    opener = _LONG.match(text)
    if opener:
        value = text[opener.end() : -opener.end()].replace("\r\n", "\n")
        return tree.String(b.span(raw), value.removeprefix("\n"))
    return tree.String(b.span(raw), _ESCAPE.sub(_unescape, text[1:-1]))


def _unescape(match: re.Match[str]) -> str:
    byte, character, decimal, plain = match.groups()
    if byte:
        return chr(int(byte, 16))
    if character:
        return chr(int(character, 16)).encode().decode("latin1")
    if decimal:
        return chr(int(decimal) & 255)
    if plain is None:
        return ""
    return "\n" if plain in ("\r\n", "\n\r", "\r") else _ESCAPED.get(plain, plain)


def _name(b: _Builder, raw: Raw) -> Expression:
    name = b.source(raw)
    if name == "goto":
        raise _syntax_error(b.file, raw.start_point[0] + 1, "unexpected symbol near 'goto'")
    return tree.Name(b.span(raw), name)


def _index(b: _Builder, raw: Raw, field: str, dotted: bool) -> Expression:
    base = b.field(raw, "table")
    key = raw.child_by_field_name(field)
    assert key is not None
    by_key = tree.String(b.span(key), b.source(key)) if dotted else b.expression(key)
    return tree.Index(b.span(raw), base, by_key, dotted)


def _call(b: _Builder, raw: Raw) -> Expression:
    callee, arguments = raw.child_by_field_name("name"), raw.child_by_field_name("arguments")
    assert callee is not None
    assert arguments is not None
    if callee.type == "method_index_expression":
        receiver, method = b.field(callee, "table"), callee.child_by_field_name("method")
        assert method is not None
        values = b.values(arguments)
        return tree.Invoke(b.span(raw), receiver, b.source(method), values, b.span(method))
    return tree.Call(b.span(raw), b.expression(callee), b.values(arguments))


def _binary(b: _Builder, raw: Raw) -> Expression:
    left = b.field(raw, "left")
    operator = next(child.type for child in raw.children if not child.is_named)
    if operator in ("//", "&", "|", "~", "<<", ">>"):  # of a later Lua
        raise _syntax_error(b.file, b.span(raw).line, f"unexpected symbol near {said(operator[-1])}")
    return tree.Binary(b.span(raw), operator, left, b.field(raw, "right"))


def _table(b: _Builder, raw: Raw) -> Expression:
    items = [child for child in raw.children if child.type == "field"]
    fields = []
    for index, item in enumerate(items):
        before = [] if index == 0 else b.comments_before(item.start_byte)
        if index == 0:
            # Those before the brace are the statement's, those behind it the first field's.
            b.inside += b.comments_before(raw.start_byte)
            before = b.comments_before(item.start_byte)
        key_raw, value_raw = item.child_by_field_name("name"), item.child_by_field_name("value")
        assert value_raw is not None
        named = key_raw is not None and item.children[0].type != "["
        key: Expression | None = None
        if key_raw is not None:
            key = tree.String(b.span(key_raw), b.source(key_raw)) if named else b.expression(key_raw)
        value = b.expression(value_raw)
        limit = items[index + 1].start_byte if index + 1 < len(items) else raw.end_byte
        trailing = b.comment_on(item.end_point[0], limit)
        fields.append(tree.Field(b.span(item), key, value, named, tuple(before), trailing))
    return tree.Table(b.span(raw), tuple(fields))


_EXPRESSIONS: dict[str, Callable[[_Builder, Raw], Expression]] = {
    "nil": lambda b, raw: tree.Nil(b.span(raw)),
    "true": lambda b, raw: tree.Boolean(b.span(raw), True),
    "false": lambda b, raw: tree.Boolean(b.span(raw), False),
    "number": _number,
    "string": _string,
    "vararg_expression": lambda b, raw: tree.Vararg(b.span(raw)),
    "identifier": _name,
    "dot_index_expression": lambda b, raw: _index(b, raw, "field", True),
    "bracket_index_expression": lambda b, raw: _index(b, raw, "field", False),
    "function_call": _call,
    "binary_expression": _binary,
    "unary_expression": lambda b, raw: tree.Unary(b.span(raw), raw.children[0].type, b.field(raw, "operand")),
    "parenthesized_expression": lambda b, raw: tree.Paren(b.span(raw), b.values(raw)[0]),
    "table_constructor": _table,
    "function_definition": lambda b, raw: b.function(raw),
}
