"""Splits long lines of Python as the formatter does.

A line that fits stays as it is. A longer one is parsed and printed from a document of texts, possible line ends and
groups: a group is printed on one line if what belongs together fits, else each of its line ends is one.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TypeAlias

from torch7py.translate.faithful.code import quoted

__all__ = ["WIDTH", "lay_out"]

WIDTH = 110


@dataclass(frozen=True)
class Break:
    """A possible line end: nothing or a blank where the group fits."""

    flat: str = ""


@dataclass
class Group:
    parts: list[Doc]


@dataclass
class Indent:
    parts: list[Doc]


@dataclass(frozen=True)
class IfBroken:
    """Text only where the group around it is broken."""

    text: str


Doc: TypeAlias = "str | Break | Group | Indent | IfBroken"
SOFT, SPACE = Break(), Break(" ")


def lay_out(text: str, depth: int, comment: str = "", width: int = WIDTH) -> list[str]:
    """One logical line at a depth of indentation, as physical lines."""
    indent = "    " * depth
    note = f"  {comment}" if comment else ""
    if len(indent) + len(text) + len(note) <= width or text.startswith("#"):
        return [indent + text + note]
    tree, tail = _parse(text)
    if tree is None:
        return [indent + text + note]
    best: list[str] | None = None
    for parts in _statement(tree, tail):
        lines = _print([*parts, note], len(indent), width)
        if best is None or all(len(line) <= width for line in lines):
            best = lines
            if all(len(line) <= width for line in lines):
                break
    assert best is not None
    return best


def _parse(text: str) -> tuple[ast.stmt | None, str]:
    if text.startswith("elif "):
        return ast.parse(text[2:] + " pass").body[0], "elif "
    if text.endswith(":"):
        return ast.parse(text + " pass").body[0], ""
    return ast.parse(text).body[0], ""


# Statements: ways to print them, in the order of preference; the first that fits is taken, else the first.


def _statement(node: ast.stmt, keyword: str) -> list[list[Doc]]:
    if isinstance(node, ast.FunctionDef):
        return [[f"def {node.name}", _parameters(node.args), ":"]]
    if isinstance(node, ast.If):
        return _value_forms([keyword or "if "], node.test, [":"])
    if isinstance(node, ast.While):
        return _value_forms(["while "], node.test, [":"])
    if isinstance(node, ast.For):
        return _value_forms(["for ", ast.unparse(node.target).strip("()"), " in "], node.iter, [":"])
    if isinstance(node, ast.Return):
        assert node.value is not None
        return _value_forms(["return "], node.value, [])
    if isinstance(node, ast.Assign):
        targets = [part for target in node.targets for part in (*_target(target), " = ")]
        return _value_forms(targets, node.value, [])
    if isinstance(node, ast.Expr):
        return _value_forms([], node.value, [])
    return [[ast.unparse(node)]]


def _target(node: ast.expr) -> list[Doc]:
    if isinstance(node, ast.Tuple):
        return [", ".join(ast.unparse(item) for item in node.elts)]
    return _expression(node)


def _value_forms(head: list[Doc], value: ast.expr, tail: list[Doc]) -> list[list[Doc]]:
    if isinstance(value, ast.Tuple):
        broken: list[Doc] = [IfBroken("("), Indent([SOFT, *_items(value.elts)]), SOFT, IfBroken(")")]
        return [[*head, Group(broken), *tail]]
    empty = isinstance(value, ast.Call) and not value.args and not value.keywords
    if isinstance(value, ast.Call) and not (empty and isinstance(value.func, (ast.Name, ast.Attribute))):
        return [[*head, *_expression(value), *tail]]
    if empty or isinstance(value, (ast.Name, ast.Constant, ast.Attribute)):
        flat = [*head, *_expression(value), *tail]
        return [flat, [*head, "(", Indent([Forced, *_expression(value)]), Forced, ")", *tail]]
    parenthesized: list[Doc] = [
        *head,
        Group([IfBroken("("), Indent([SOFT, *_expression(value)]), SOFT, IfBroken(")")]),
        *tail,
    ]
    if not isinstance(value, ast.IfExp) and _can_omit(value):
        return [[*head, *_flat_operators(_expression(value)), *tail], parenthesized]
    return [parenthesized]


Forced = Break("\n")


def _can_omit(value: ast.expr) -> bool:
    """Whether the formatter may leave parentheses out and break inside the last brackets instead."""
    counts: dict[int, int] = {}
    bracketed: set[ast.expr] = set()  # operands in parentheses of their own

    def visit(node: ast.expr, least: int = -2) -> ast.expr:
        if _precedence(node) < least:
            bracketed.add(node)
            return node
        if isinstance(node, ast.IfExp):
            counts[4] = counts.get(4, 0) + 1
            visit(node.body)
            visit(node.test)
            return visit(node.orelse)
        if isinstance(node, ast.BoolOp):
            counts[3] = counts.get(3, 0) + len(node.values) - 1
            inner = 4 if isinstance(node.op, ast.And) else 3
            for item in node.values[:-1]:
                visit(item, inner)
            return visit(node.values[-1], inner)
        if isinstance(node, ast.Compare):
            counts[2] = counts.get(2, 0) + len(node.ops)
            visit(node.left, 6)
            return visit(node.comparators[-1], 6)
        if isinstance(node, ast.BinOp):
            counts[1] = counts.get(1, 0) + 1
            visit(node.left, 6)
            return visit(node.right, 7)
        if isinstance(node, ast.UnaryOp):
            return visit(node.operand, 4 if isinstance(node.op, ast.Not) else 7)
        return node

    last = visit(value)
    if counts and counts[max(counts)] > 1:
        return False
    if not any(isinstance(node, ast.Call) and (node.args or node.keywords) for node in ast.walk(value)):
        return False
    if not counts or last in bracketed:
        return True
    return isinstance(last, ast.Call) and bool(last.args or last.keywords)


def _flat_operators(parts: list[Doc]) -> list[Doc]:
    """The document without line ends at its own operators."""
    found: list[Doc] = []
    for part in parts:
        if isinstance(part, Break):
            found.append(part.flat)
        elif isinstance(part, Group) and not _is_bracket(part):
            found += _flat_operators(part.parts)
        else:
            found.append(part)
    return found


def _is_bracket(group: Group) -> bool:
    return bool(group.parts) and group.parts[0] in ("(", "[", "{")


# Expressions

_PRECEDENCE = {ast.Lambda: 0, ast.IfExp: 1, ast.BoolOp: 2, ast.UnaryOp: 4, ast.Compare: 5, ast.BinOp: 6}
_OPERATORS = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Is: "is",
    ast.IsNot: "is not",
}


def _precedence(node: ast.expr) -> int:
    if isinstance(node, ast.NamedExpr):
        return -1
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        return 3
    if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
        return 7
    return _PRECEDENCE.get(type(node), 9)


def _within(node: ast.expr, least: int) -> list[Doc]:
    """An operand, in parentheses where it binds less than what is around it."""
    parts = _expression(node)
    if _precedence(node) < least:
        return [Group(["(", Indent([SOFT, *parts]), SOFT, ")"])]
    return parts


def _items(nodes: list[ast.expr]) -> list[Doc]:
    parts: list[Doc] = []
    for at, node in enumerate(nodes):
        if at:
            parts += [",", SPACE]
        parts += _expression(node)
    return [*parts, IfBroken(",")]


def _listed(items: list[list[Doc]]) -> list[Doc]:
    """Items with commas between them, and behind the last where they are broken into lines."""
    inside: list[Doc] = []
    for at, item in enumerate(items):
        if at:
            inside += [",", SPACE]
        inside += item
    return [*inside, IfBroken(",")]


def _bracketed(opener: str, items: list[list[Doc]], closer: str) -> Group | str:
    if not items:
        return opener + closer
    inside = _listed(items)
    if opener == "(":
        return Group([opener, Indent([SOFT, Group(inside)]), SOFT, closer])
    return Group([opener, Indent([SOFT, *inside]), SOFT, closer])


def _expression(node: ast.expr) -> list[Doc]:
    if isinstance(node, ast.Call):
        items = [_expression(argument) for argument in node.args]
        items += [[f"{keyword.arg}=", *_expression(keyword.value)] for keyword in node.keywords]
        return [*_within(node.func, 9), _bracketed("(", items, ")")]
    if isinstance(node, ast.Starred):
        return ["*", *_expression(node.value)]
    if isinstance(node, ast.NamedExpr):
        return [f"{node.target.id} := ", *_within(node.value, 0)]
    if isinstance(node, ast.IfExp):
        parts: list[Doc] = [*_within(node.body, 2), SPACE, "if ", *_within(node.test, 2), SPACE, "else "]
        otherwise = _within(node.orelse, 0)
        if isinstance(node.orelse, ast.IfExp) and isinstance(otherwise[0], Group):
            otherwise = [*otherwise[0].parts, *otherwise[1:]]
        return [Group([*parts, *otherwise])]
    if isinstance(node, ast.BoolOp):
        word = "and " if isinstance(node.op, ast.And) else "or "
        least = 4 if isinstance(node.op, ast.And) else 3
        parts = []
        for at, value in enumerate(node.values):
            operand = _within(value, least)
            if isinstance(value, ast.BoolOp) and _precedence(value) >= least:  # broken together with this one
                (inner,) = operand
                assert isinstance(inner, Group)
                operand = inner.parts
            parts += [SPACE, word, *operand] if at else operand
        return [Group(parts)]
    if isinstance(node, ast.Compare):
        operator = _OPERATORS[type(node.ops[0])]
        return [Group([*_within(node.left, 6), SPACE, f"{operator} ", *_within(node.comparators[0], 6)])]
    if isinstance(node, ast.BinOp):
        operator = _OPERATORS[type(node.op)]
        return [Group([*_within(node.left, 6), SPACE, f"{operator} ", *_within(node.right, 7)])]
    if isinstance(node, ast.UnaryOp):
        if isinstance(node.op, ast.Not):
            return ["not ", *_within(node.operand, 4)]
        return ["-", *_within(node.operand, 7)]
    if isinstance(node, ast.Lambda):
        body = _within(node.body, 0)
        if isinstance(node.body, (ast.BoolOp, ast.IfExp, ast.Compare, ast.BinOp)):
            body = [Group([IfBroken("("), Indent([SOFT, *body]), SOFT, IfBroken(")")])]
        return [f"lambda {ast.unparse(node.args)}: ", *body]
    if isinstance(node, ast.Attribute):
        return [*_within(node.value, 9), f".{node.attr}"]
    if isinstance(node, ast.Subscript):
        return [*_within(node.value, 9), f"[{ast.unparse(node.slice)}]"]
    if isinstance(node, ast.Tuple):
        return [_bracketed_sequence("(", [_expression(item) for item in node.elts], ")")]
    if isinstance(node, ast.List):
        return [_bracketed_sequence("[", [_expression(item) for item in node.elts], "]")]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [quoted(node.value, decoded=True)]
    if isinstance(node, ast.Constant) and isinstance(node.value, float):
        return [ast.unparse(node).replace("e+", "e")]
    return [ast.unparse(node)]


def _bracketed_sequence(opener: str, items: list[list[Doc]], closer: str) -> Group | str:
    """A tuple or list: on one line, or an item a line."""
    if not items:
        return opener + closer
    return Group([opener, Indent([SOFT, *_listed(items)]), SOFT, closer])


def _parameters(arguments: ast.arguments) -> Doc:
    texts = ast.unparse(arguments).split(", ")
    inside: list[Doc] = []
    for at, text in enumerate(texts):
        if at:
            inside += [",", SPACE]
        inside.append(text)
    return Group(["(", Indent([SOFT, Group([*inside, IfBroken(",")])]), SOFT, ")"])


# Printing


@dataclass
class _Printer:
    width: int
    lines: list[str] = field(default_factory=list)
    line: str = ""

    def run(self, parts: list[Doc], indent: int) -> list[str]:
        self.line = " " * indent
        stack: list[tuple[Doc, int, bool]] = [(part, indent, False) for part in reversed(parts)]
        while stack:
            doc, level, flat = stack.pop()
            if isinstance(doc, str):
                self.line += doc
            elif isinstance(doc, Break):
                if doc.flat == "\n" or not flat:
                    self.lines.append(self.line.rstrip())
                    self.line = " " * level
                else:
                    self.line += doc.flat
            elif isinstance(doc, IfBroken):
                if not flat:
                    self.line += doc.text
            elif isinstance(doc, Indent):
                stack += [(part, level + 4, flat) for part in reversed(doc.parts)]
            else:
                fits = flat or self.fits(doc, stack)
                stack += [(part, level, fits) for part in reversed(doc.parts)]
        self.lines.append(self.line)
        return self.lines

    def fits(self, group: Group, rest: list[tuple[Doc, int, bool]]) -> bool:
        """Whether a group fits on this line, with what comes behind it up to the next line end."""
        left = self.width - len(self.line)
        stack: list[tuple[Doc, bool]] = [(doc, flat) for doc, _, flat in rest]
        stack.append((group, True))
        while stack:
            doc, flat = stack.pop()
            if isinstance(doc, str):
                left -= len(doc)
            elif isinstance(doc, Break):
                if doc.flat == "\n" or not flat:
                    return True
                left -= len(doc.flat)
            elif isinstance(doc, IfBroken):
                if not flat:
                    left -= len(doc.text)
            else:
                stack += [(part, flat) for part in reversed(doc.parts)]
            if left < 0:
                return False
        return True


def _print(parts: list[Doc], indent: int, width: int) -> list[str]:
    return _Printer(width).run(parts, indent)
