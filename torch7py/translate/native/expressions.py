"""Expressions: operators, conditions, text, indexing, tables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom, quoted
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import (
    Binary,
    Call,
    Expression,
    Index,
    Invoke,
    Name,
    Number,
    String,
    Unary,
    same_expression,
)

if TYPE_CHECKING:
    from torch7py.translate.native.translator import Translator

__all__ = ["Expressions"]

_OPERATORS = {
    "+": ("+", code.ADD),
    "-": ("-", code.ADD),
    "*": ("*", code.MULTIPLY),
    "/": ("/", code.MULTIPLY),
    "%": ("%", code.MULTIPLY),
    "^": ("**", code.POWER),
}
_COMPARISONS = {"==": "==", "~=": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
_PLAIN_NUMBER = re.compile(r"(0|[1-9]\d*)(\.\d+)?(e-?\d+)?|0x[0-9a-f]+")
_FORMAT = re.compile(r"%([-+ #0]*)(\d*)(?:\.(\d*))?([a-zA-Z%])")


class Expressions:
    """The part of the translator that writes expressions."""

    t: Translator

    def __init__(self, translator: Translator) -> None:
        self.t = translator

    # Values

    def value(self, node: Expression) -> Py:
        """The value of an expression: one value, a loss as a plain number."""
        if isinstance(node, tree.Paren):
            return self.value(node.inner)
        if isinstance(node, Name):
            return self.name(node)
        if isinstance(node, Number):
            return atom(number_text(node))
        if isinstance(node, String):
            return atom(quoted(node.value))
        if isinstance(node, tree.Boolean):
            return atom(str(node.value))
        if isinstance(node, tree.Nil):
            return atom("None")
        if isinstance(node, Binary):
            return self.binary(node)
        if isinstance(node, Unary):
            return self.unary(node)
        if isinstance(node, tree.Table):
            return self.table(node)
        if isinstance(node, Index):
            return self.index(node)
        if isinstance(node, (Call, Invoke)):
            return self.t.calls.value(node)
        if isinstance(node, tree.Function):
            return self.t.function_value(node)
        raise Problem("T7-299", node.line, f"{type(node).__name__} as a value")

    def graph(self, node: Expression) -> Py:
        """The value with its autograd graph, where it has one."""
        if isinstance(node, tree.Paren):
            return self.graph(node.inner)
        if isinstance(node, Name):
            return self.name(node, keep=True)
        if isinstance(node, Binary) and node.operator in "+-*/":
            return self.arithmetic(node, self.graph)
        if isinstance(node, (Call, Invoke)):
            return self.t.calls.value(node, keep=True)
        if isinstance(node, Unary) and node.operator == "-":
            return Py(f"-{self.graph(node.operand).at(code.NEGATE)}", code.NEGATE)
        return self.value(node)

    def name(self, node: Name, keep: bool = False) -> Py:
        t = self.t
        alias = t.alias_of(node)
        if alias is not None:
            return alias
        text = t.names.of(node)
        variable = t.scopes.of_name[node]
        if variable.is_global and not variable.writes:
            raise Problem("T7-201", node.line, f"the global {node.name} as a value")
        shift = t.shifts.get(variable, 0)
        if shift:
            return add_constant(atom(text), shift)
        if variable in t.graph_variables and not keep:
            return atom(f"{text}.item()")
        return atom(text)

    def is_graph(self, node: Expression) -> bool:
        """Whether an expression has a loss with its graph in it."""
        if isinstance(node, tree.Paren):
            return self.is_graph(node.inner)
        if isinstance(node, Name):
            return self.t.scopes.of_name[node] in self.t.graph_variables
        if isinstance(node, Binary):
            return self.is_graph(node.left) or self.is_graph(node.right)
        if isinstance(node, (Call, Invoke)):
            return self.t.calls.gives_graph(node)
        return False

    # Numbers

    def linear(self, node: Expression) -> tuple[Py | None, int]:
        """An expression as a term plus a whole constant."""
        if isinstance(node, tree.Paren):
            return self.linear(node.inner)
        if isinstance(node, Number) and isinstance(node.value, int):
            return None, node.value
        if isinstance(node, Name):
            variable = self.t.scopes.of_name[node]
            shift = self.t.shifts.get(variable, 0)
            if shift:
                return atom(self.t.names.of(node)), shift
        if isinstance(node, Binary) and node.operator in ("+", "-") and self.t.kind(node) == "number":
            left, first = self.linear(node.left)
            right, second = self.linear(node.right)
            if node.operator == "-":
                second = -second
            if right is None:
                return left, first + second
            if left is None and node.operator == "+":
                return right, first + second
            constant = first + second
            if left is None and constant:
                return Py(f"{constant} - {right.at(code.MULTIPLY)}", code.ADD), 0
            if left is None:
                return Py(f"-{right.at(code.NEGATE)}", code.NEGATE), 0
            if left is not None:
                sign = node.operator
                return Py(f"{left.at(code.ADD)} {sign} {right.at(code.MULTIPLY)}", code.ADD), first + second
        return self.value(node), 0

    def position(self, node: Expression) -> Py:
        """A 1-based position as a 0-based one."""
        term, constant = self.linear(node)
        if term is not None and not self.t.whole(node):
            inner = add_constant(term, constant)
            return add_constant(atom(f"int({inner})"), -1)
        return add_constant(term, constant - 1)

    def whole_number(self, node: Expression, plus: int = 0) -> Py:
        """An expression as an int, for a size or a bound."""
        term, constant = self.linear(node)
        if term is not None and not self.t.whole(node):
            return add_constant(atom(f"int({add_constant(term, constant)})"), plus)
        return add_constant(term, constant + plus)

    def arithmetic(self, node: Binary, side: object = None) -> Py:
        write = self.value if side is None else side
        assert callable(write)
        operator, level = _OPERATORS[node.operator]
        left_kind, right_kind = self.t.kind(node.left), self.t.kind(node.right)
        if node.operator == "*" and left_kind == "tensor" and right_kind == "tensor":
            operator = "@"
        if (
            node.operator in ("+", "-")
            and side is None
            and self.t.kind(node) == "number"
            and self.t.whole(node)
        ):
            term, constant = self.linear(node)
            return add_constant(term, constant)
        left, right = write(node.left), write(node.right)
        if level == code.POWER:
            return Py(f"{left.at(code.ATOM)} ** {right.at(code.NEGATE)}", level)
        return Py(f"{left.at(level)} {operator} {right.at(level + 1)}", level)

    # Operators

    def binary(self, node: Binary) -> Py:
        if node.operator in _OPERATORS:
            if {"module"} & {self.t.kind(node.left), self.t.kind(node.right)}:
                raise Problem("T7-221", node.line, "arithmetic with modules")
            return self.arithmetic(node)
        if node.operator in _COMPARISONS:
            return self.comparison(node)
        if node.operator == "..":
            return self.concatenation(node)
        if node.operator == "and":
            return self.conjunction(node)
        return self.disjunction(node)

    def comparison(self, node: Binary) -> Py:
        left, right = node.left, node.right
        if node.operator in ("==", "~="):
            word = "is" if node.operator == "==" else "is not"
            for one, other in ((left, right), (right, left)):
                if isinstance(other, tree.Nil):
                    if isinstance(one, Index) and self.t.representation(one.base) in ("dict", "record"):
                        inside = "not in" if node.operator == "==" else "in"
                        key = self.key(one)
                        return Py(
                            f"{key.at(code.ADD)} {inside} {self.value(one.base).at(code.ADD)}", code.COMPARE
                        )
                    return Py(f"{self.value(one).at(code.ADD)} {word} None", code.COMPARE)
                if isinstance(other, tree.Boolean) and self.t.kind(one) == "boolean":
                    wanted = other.value == (node.operator == "==")
                    return self.value(one) if wanted else Py(f"not {self.value(one).at(code.NOT)}", code.NOT)
            kinds = {self.t.kind(left), self.t.kind(right)}
            if kinds & {"tensor", "module", "criterion", "table", "object"}:
                return Py(
                    f"{self.value(left).at(code.ADD)} {word} {self.value(right).at(code.ADD)}", code.COMPARE
                )
        operator = _COMPARISONS[node.operator]
        # Both sides with the same shift: i == j - 1 stays readable as it is.
        return Py(
            f"{self.value(left).at(code.ADD)} {operator} {self.value(right).at(code.ADD)}", code.COMPARE
        )

    def unary(self, node: Unary) -> Py:
        if node.operator == "not":
            return self.negation(node.operand)
        if node.operator == "#":
            return self.length(node)
        operand = self.value(node.operand)
        return Py(f"-{operand.at(code.NEGATE)}", code.NEGATE)

    def length(self, node: Unary) -> Py:
        if self.t.path(node.operand) == "arg":
            self.t.imports.add("sys")
            return Py("len(sys.argv) - 1", code.ADD)
        kind = self.t.kind(node.operand)
        if kind == "tensor":
            return atom(f"{self.value(node.operand).at(code.ATOM)}.shape")
        if kind == "table" and self.t.type(node.operand).has("sparse"):
            base = self.value(node.operand)
            return atom(f"sum(1 for key in {base} if key > 0)")
        if kind not in ("table", "string"):
            raise Problem("T7-301", node.line, f"the length of something of unknown kind ({kind})")
        return atom(f"len({self.value(node.operand)})")

    # Conditions

    def condition(self, node: Expression) -> Py:
        if isinstance(node, tree.Paren):
            return self.condition(node.inner)
        if isinstance(node, Binary):
            if node.operator == "and":
                left, right = self.condition(node.left), self.condition(node.right)
                return Py(f"{left.at(code.AND)} and {right.at(code.AND + 1)}", code.AND)
            if node.operator == "or":
                left, right = self.condition(node.left), self.condition(node.right)
                return Py(f"{left.at(code.OR)} or {right.at(code.OR + 1)}", code.OR)
            if node.operator in _COMPARISONS:
                return self.comparison(node)
        if isinstance(node, Unary) and node.operator == "not":
            return self.negation(node.operand)
        if isinstance(node, (tree.Boolean, tree.Nil)):
            return atom(str(isinstance(node, tree.Boolean) and node.value))
        if isinstance(node, Index) and self.t.kind(node) != "boolean" and self.t.kind(node.base) == "table":
            representation = self.t.representation(node.base)
            if representation in ("dict", "record"):
                return Py(
                    f"{self.key(node).at(code.ADD)} in {self.value(node.base).at(code.ADD)}", code.COMPARE
                )
        kind = self.t.kind(node)
        value = self.maybe(node)
        if kind == "boolean":
            return value
        if kind is None or kind == "any":
            raise Problem("T7-302", node.line, "a condition of unknown kind")
        return Py(f"{value.at(code.ADD)} is not None", code.COMPARE)

    def negation(self, node: Expression) -> Py:
        inner = self.condition(node)
        if inner.level == code.COMPARE:
            for word, opposite in ((" is not ", " is "), (" not in ", " in "), (" in ", " not in ")):
                if inner.text.count(word) == 1 and " and " not in inner.text and " or " not in inner.text:
                    return Py(inner.text.replace(word, opposite), code.COMPARE)
        return Py(f"not {inner.at(code.NOT)}", code.NOT)

    def maybe(self, node: Expression) -> Py:
        """A value that may be absent: None then, never an error."""
        if isinstance(node, Index) and self.t.kind(node.base) == "table":
            representation = self.t.representation(node.base)
            if representation in ("dict", "record"):
                return atom(f"{self.value(node.base).at(code.ATOM)}.get({self.key(node)})")
            if representation == "list":
                raise Problem("T7-303", node.line, "a place of a list that may be past its end")
        return self.value(node)

    def conjunction(self, node: Binary) -> Py:
        if self.t.kind(node.left) == "boolean":
            left, right = self.condition(node.left), self.value(node.right)
            return Py(f"{left.at(code.AND)} and {right.at(code.AND + 1)}", code.AND)
        condition = self.condition(node.left)
        return Py(f"{self.value(node.right).at(code.OR)} if {condition.at(code.OR)} else None", code.TERNARY)

    def disjunction(self, node: Binary) -> Py:
        left = node.left
        while isinstance(left, tree.Paren):
            left = left.inner
        if isinstance(left, Binary) and left.operator == "and" and self.surely_true(left.right):
            first, condition, last = self.value(left.right), self.condition(left.left), self.value(node.right)
            return Py(
                f"{first.at(code.OR)} if {condition.at(code.OR)} else {last.at(code.TERNARY)}", code.TERNARY
            )
        argument = self.t.calls.argument_or(left, node.right)
        if argument is not None:
            return argument
        right = self.value(node.right)
        if self.t.kind(left) == "boolean":
            return Py(f"{self.value(left).at(code.OR)} or {right.at(code.OR + 1)}", code.OR)
        if self.t.kind(left) is None and not isinstance(left, Index):
            raise Problem("T7-302", node.line, "`or` after something of unknown kind")
        if (
            isinstance(left, Index)
            and self.t.kind(left.base) == "table"
            and self.t.representation(left.base) in ("dict", "record")
        ):
            return atom(f"{self.value(left.base).at(code.ATOM)}.get({self.key(left)}, {right})")
        value = self.maybe(left)
        if isinstance(left, (Name, Index)):
            text = f"{value.at(code.OR)} if {value.at(code.ADD)} is not None else {right.at(code.TERNARY)}"
            return Py(text, code.TERNARY)
        name = self.t.fresh("value")
        return Py(f"{name} if ({name} := {value}) is not None else {right.at(code.TERNARY)}", code.TERNARY)

    def surely_true(self, node: Expression) -> bool:
        found = self.t.type(node)
        if isinstance(node, (Number, String, tree.Table, tree.Function)):
            return True
        return found.kind not in (None, "any", "boolean") and not found.nil

    # Text

    def concatenation(self, node: Binary) -> Py:
        parts: list[Expression] = []
        rest: Expression = node
        while isinstance(rest, Binary) and rest.operator == "..":
            parts += self._operands(rest.left)
            rest = rest.right
        parts += self._operands(rest)
        if all(self.t.kind(part) == "string" for part in parts) and not any(
            isinstance(part, String) for part in parts
        ):
            return Py(" + ".join(self.value(part).at(code.ADD) for part in parts), code.ADD)
        pieces: list[tuple[str, str] | str] = []
        for part in parts:
            if isinstance(part, (String, Number)):
                pieces.append(part.value if isinstance(part, String) else str(part.text))
            else:
                pieces.append((self.value(part).text, self.number_format(part)))
        return f_string(pieces, node.line)

    def _operands(self, node: Expression) -> list[Expression]:
        while isinstance(node, tree.Paren):
            node = node.inner
        if isinstance(node, Binary) and node.operator == "..":
            return [*self._operands(node.left), *self._operands(node.right)]
        return [node]

    def number_format(self, node: Expression) -> str:
        """How Lua writes this value in text: %.14g for numbers that may not be whole."""
        if self.t.kind(node) == "number" and not self.t.whole(node):
            return ".14g"
        return ""

    def text(self, node: Expression) -> Py:
        """A value as ``tostring`` writes it."""
        kind = self.t.kind(node)
        if kind == "string":
            return self.value(node)
        if kind == "boolean":
            return atom(f"str({self.value(node)}).lower()")
        if kind == "number":
            return f_string([(self.value(node).text, self.number_format(node))], node.line)
        return atom(f"str({self.value(node)})")

    def format(self, pattern: Expression, arguments: tuple[Expression, ...]) -> Py:
        """``string.format`` with a literal pattern as an f-string."""
        if not isinstance(pattern, String):
            raise Problem("T7-231", pattern.line, "string.format with a pattern that is not a literal")
        pieces: list[tuple[str, str] | str] = []
        at, used = 0, 0
        for found in _FORMAT.finditer(pattern.value):
            pieces.append(pattern.value[at : found.start()])
            at = found.end()
            flags, width, precision, kind = found.groups()
            if kind == "%":
                pieces.append("%")
                continue
            if used >= len(arguments):
                raise Problem("T7-231", pattern.line, "string.format with too few arguments")
            argument = arguments[used]
            used += 1
            pieces.append(self._formatted(argument, flags, width, precision, kind))
        pieces.append(pattern.value[at:])
        return f_string(pieces, pattern.line)

    def _formatted(
        self, node: Expression, flags: str, width: str, precision: str | None, kind: str
    ) -> tuple[str, str]:
        sign = "+" if "+" in flags else (" " if " " in flags else "")
        zero = "0" if "0" in flags and "-" not in flags else ""
        left = "<" if "-" in flags and width else ""
        dot = "" if precision is None else f".{precision or 0}"
        if kind in ("d", "i"):
            text = self.value(node).text if self.t.whole(node) else f"int({self.value(node)})"
            if self.t.kind(node) == "string":
                text = f"int({self.value(node)})"
            spec = f"{left}{sign}{zero}{width}"
            return text, f"{spec}d" if spec else ""
        if kind in ("f", "g", "e", "G", "E"):
            text = self.value(node).text
            if self.t.kind(node) == "string":
                text = f"float({text})"
            return text, f"{left}{sign}{zero}{width}{dot}{kind}"
        if kind in ("x", "X", "o"):
            return self.value(node).text, f"{left}{zero}{width}{kind}"
        if kind == "s":
            text = self.value(node).text
            format_ = self.number_format(node)
            if self.t.kind(node) == "boolean":
                text = f"str({text}).lower()"
            if format_ and (width or precision is not None):
                raise Problem("T7-231", node.line, "a number written by %s with a width")
            spec = f"{left or ('>' if width else '')}{width}{dot}"
            return text, format_ or spec
        raise Problem("T7-231", node.line, f"string.format with %{kind}")

    # Indexing

    def key(self, node: Index) -> Py:
        """The key of a dict."""
        return self.value(node.key)

    def index(self, node: Index) -> Py:
        t = self.t
        path = t.path(node)
        if path is not None:
            known = t.calls.constant(path, node.line)
            if known is not None:
                return known
        special = t.models.field(node)
        if special is not None:
            return special
        kind = t.kind(node.base)
        if (
            isinstance(node.base, Name)
            and node.base.name == "arg"
            and path is None
            and t.scopes.is_global(node.base, "arg")
        ):
            t.imports.add("sys")
            return atom(f"sys.argv[{self.whole_number(node.key)}]")
        if kind == "tensor":
            return self.tensor_index(node)
        if kind == "object" and isinstance(node.key, String):
            return atom(f"{self.value(node.base).at(code.ATOM)}.{code.python_name(node.key.value)}")
        if kind == "table":
            base = self.value(node.base).at(code.ATOM)
            representation = t.representation(node.base)
            if t.type(node.base).has("losses"):
                return atom(f"{base}.item()")
            if representation == "options" and isinstance(node.key, String):
                return atom(f"{base}.{code.python_name(node.key.value)}")
            if representation == "list":
                return atom(f"{base}[{self.list_position(node)}]")
            if t.type(node).nil:
                return atom(f"{base}.get({self.key(node)})")
            return atom(f"{base}[{self.key(node)}]")
        if kind == "storage":
            return atom(f"{self.value(node.base).at(code.ATOM)}[{self.position(node.key)}]")
        raise Problem("T7-303", node.line, f"indexing something of unknown kind ({kind})")

    def list_position(self, node: Index) -> Py:
        key = node.key
        if isinstance(key, Unary) and key.operator == "#" and same_expression(key.operand, node.base):
            return atom("-1")
        return self.position(key)

    def tensor_index(self, node: Index, assigned: bool = False) -> Py:
        t = self.t
        base, keys = node.base, [node.key]
        # x[i][j] is x[i, j]
        while (
            isinstance(base, Index)
            and t.kind(base) == "tensor"
            and t.kind(base.base) == "tensor"
            and not isinstance(base.key, tree.Table)
            and t.kind(base.key) == "number"
            and t.models.field(base) is None
        ):
            keys.insert(0, base.key)
            base = base.base
        texts: list[str] = []
        for key in keys:
            texts += self._tensor_keys(key)
        while len(texts) > 1 and texts[-1] == ":":
            texts.pop()
        text = f"{self.value(base).at(code.ATOM)}[{', '.join(texts)}]"
        if t.kind(node) == "number" and not assigned and node not in t.raw_elements:
            text += ".item()"
        return atom(text)

    def _tensor_keys(self, key: Expression) -> list[str]:
        t = self.t
        if isinstance(key, tree.Table):
            return [self._slice(item.value) for item in key.fields]
        kind = t.kind(key)
        if kind == "tensor":
            return [f"{self.value(key)}"] if t.is_mask(key) else [str(self.minus_one(key))]
        if kind not in ("number", None):
            raise Problem("T7-304", key.line, f"a tensor indexed with a {kind}")
        return [str(self.position(key))]

    def _slice(self, node: Expression) -> str:
        if not isinstance(node, tree.Table):
            return str(self.position(node))
        values = [item.value for item in node.fields]
        if not values:
            return ":"
        first = self.position(values[0])
        last = values[-1]
        if len(values) == 1:
            end = self.whole_number(last)
        elif isinstance(last, Unary) and isinstance(last.operand, Number):
            end = atom("") if last.operand.value == 1 else atom(f"-{int(last.operand.value) - 1}")
        else:
            end = self.whole_number(last)
        start = "" if first.text == "0" else first.text
        return f"{start}:{end}" if _simple(start) and _simple(str(end)) else f"{start} : {end}"

    def minus_one(self, node: Expression) -> Py:
        """Positions in a tensor as 0-based ones."""
        text = self.value(node)
        if text.text.endswith(" + 1") and text.level == code.ADD:
            return Py(text.text[: -len(" + 1")], code.ATOM)
        return Py(f"{text.at(code.ADD)} - 1", code.ADD)

    # Tables

    def table(self, node: tree.Table) -> Py:
        t = self.t
        found = t.type(node)
        representation = t.representation_of(found)
        if representation == "list":
            items = []
            for item in node.fields:
                last = item is node.fields[-1]
                if last and isinstance(item.value, tree.Vararg):
                    items.append("*args")
                elif last and t.calls.is_unpacked(item.value):
                    items.append(f"*{t.calls.unpacked(item.value)}")
                else:
                    items.append(self.value(item.value).text)
            return atom(f"[{', '.join(items)}]")
        entries = []
        place = 0
        for item in node.fields:
            if item.key is None:
                place += 1
                key = str(place)
            else:
                key = self.value(item.key).text
            entries.append(f"{key}: {self.value(item.value)}")
        return atom(f"{{{', '.join(entries)}}}")


def number_text(node: Number) -> str:
    text = node.text.lower()
    if _PLAIN_NUMBER.fullmatch(text):
        return text
    return repr(node.value)


def add_constant(term: Py | None, constant: int) -> Py:
    if term is None:
        return Py(str(constant), code.ATOM if constant >= 0 else code.NEGATE)
    if constant == 0:
        return term
    sign = "+" if constant > 0 else "-"
    return Py(f"{term.at(code.ADD)} {sign} {abs(constant)}", code.ADD)


def _simple(text: str) -> bool:
    return bool(re.fullmatch(r"[\w.-]*", text))


def f_string(pieces: list[tuple[str, str] | str], line: int) -> Py:
    """Text with expressions in it; a piece is text, or an expression and its format."""
    merged: list[tuple[str, str] | str] = []
    for piece in pieces:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] = merged[-1] + piece
        elif piece != "":
            merged.append(piece)
    if all(isinstance(piece, str) for piece in merged):
        return atom(quoted("".join(str(piece) for piece in merged)))
    parts = []
    for piece in merged:
        if isinstance(piece, str):
            parts.append(_escaped(piece))
            continue
        expression, format_ = piece
        if '"' in expression:
            if "'" in expression or "\\" in expression:
                raise Problem("T7-232", line, "quotes within text within text")
            expression = expression.replace('"', "'")
        if expression.startswith("{"):
            expression = f" {expression}"
        parts.append(f"{{{expression}:{format_}}}" if format_ else f"{{{expression}}}")
    return atom(f'f"{"".join(parts)}"')


def _escaped(text: str) -> str:
    inner = quoted(text)
    body = inner[1:-1] if inner[0] == '"' else inner[1:-1].replace('"', '\\"')
    return body.replace("{", "{{").replace("}", "}}")


def is_number(found: Type) -> bool:
    return found.kind == "number"
