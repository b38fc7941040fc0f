"""Lua expressions as Python expressions."""

from __future__ import annotations

import keyword
import math

from torch7py.lua_compat.numbers import EXACT
from torch7py.lua_compat.values import Library
from torch7py.translate import tree
from torch7py.translate.errors import NotTranslated
from torch7py.translate.faithful.code import literal
from torch7py.translate.faithful.library import LIBRARIES, SINGLE
from torch7py.translate.faithful.writing import ExpressionWriting, FunctionWriting
from torch7py.translate.tree import Expression

__all__ = ["Expressions"]

_ARITHMETIC = {"+": "add", "-": "sub", "*": "mul", "/": "div", "%": "mod", "^": "pow"}
_COMPARISONS = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_ATOMS = (
    tree.Name,
    tree.Number,
    tree.String,
    tree.Nil,
    tree.Boolean,
    tree.Vararg,
)


class Expressions(ExpressionWriting):
    """Writes the expressions of one Python function.

    Each method gives source that can stand as an argument; ``operand`` gives what can stand beside an operator.
    Functions that need statements are written as ``def`` before the statement at hand.
    """

    globals = "G"  # what the page calls the globals

    def __init__(self, writer: FunctionWriting) -> None:
        self.writer = writer
        self.page = writer.page

    # Kinds that are certain

    def kind(self, node: Expression) -> str:
        """``bool``, ``int`` (a small one), ``number``, ``string``, or '' where it is not certain."""
        if isinstance(node, tree.Boolean):
            return "bool"
        if isinstance(node, tree.Number):
            return "int" if isinstance(node.value, int) and abs(node.value) < 1 << 31 else "number"
        if isinstance(node, tree.String):
            return "string"
        if isinstance(node, tree.Paren):
            return self.kind(node.inner)
        if isinstance(node, tree.Unary):
            if node.operator == "not":
                return "bool"
            if node.operator == "-":
                return "number" if self.kind(node.operand) in ("int", "number") else ""
            return ""
        if isinstance(node, tree.Binary):
            if node.operator in ("==", "~=", "<", "<=", ">", ">="):
                return "bool"
            if node.operator in ("and", "or"):
                left = self.kind(node.left)
                return left if left and left == self.kind(node.right) else ""
            if node.operator in _ARITHMETIC:
                both = {self.kind(node.left), self.kind(node.right)}
                return "number" if both <= {"int", "number"} else ""
            return ""
        if isinstance(node, tree.Name):
            return self.page.kinds.get(self.page.scopes.variable(node), "")
        return ""

    # Single values

    def value(self, node: Expression) -> str:
        """Exactly one value."""
        if isinstance(node, tree.Call | tree.Invoke):
            text = self.call(node)
            return text if self.is_single(node) else f"lua.first({text})"
        if isinstance(node, tree.Vararg):
            return "lua.first(varargs)"
        if isinstance(node, tree.Paren):
            return self.value(node.inner)
        if isinstance(node, tree.Nil):
            return "None"
        if isinstance(node, tree.Boolean):
            return "True" if node.value else "False"
        if isinstance(node, tree.Number):
            return self.number(node)
        if isinstance(node, tree.String):
            return literal(node.value)
        if isinstance(node, tree.Name):
            return self.writer.read(self.page.scopes.variable(node))
        if isinstance(node, tree.Index):
            return self.index(node)
        if isinstance(node, tree.Function):
            return self.writer.function_value(node)
        if isinstance(node, tree.Table):
            return self.table(node)
        if isinstance(node, tree.Unary):
            return self.unary(node)
        assert isinstance(node, tree.Binary)
        return self.binary(node)

    def operand(self, node: Expression) -> str:
        """A value to stand beside a Python operator."""
        text = self.value(node)
        return text if self.is_primary(node, text) else f"({text})"

    def is_primary(self, node: Expression, text: str) -> bool:
        while isinstance(node, tree.Paren):
            node = node.inner
        if isinstance(node, tree.Function):
            return text.isidentifier()
        if isinstance(node, tree.Number):
            return not text.startswith("-")
        return not isinstance(node, tree.Unary | tree.Binary) or (
            text.startswith("lua.") and _is_one_call(text)
        )

    def number(self, node: tree.Number) -> str:
        value = node.value
        if (node.text[-1] in "lLiI" and not node.text.lower().startswith("0x")) or node.text[
            -2:
        ].lower() == "ll":
            raise self.page.cannot(
                "T7-102", node, f"the number {node.text} is not a Lua number but LuaJIT's own"
            )
        if isinstance(value, int):
            if value > EXACT:
                return repr(float(value))
            if node.text.lower().startswith("0x"):
                return "0x" + node.text[2:].upper()
            return str(value)
        if math.isinf(value):
            return "1e999"
        return repr(value).replace("e+", "e")

    def index(self, node: tree.Index) -> str:
        library = self.library_field(node)
        if library is not None:
            return library
        return f"lua.index({self.value(node.base)}, {self.value(node.key)})"

    def library_field(self, node: Expression) -> str | None:
        """``G.string.format`` for a field of a library that this file does not assign."""
        if not isinstance(node, tree.Index) or not isinstance(node.key, tree.String):
            return None
        base, name = node.base, node.key.value
        if not isinstance(base, tree.Name) or base.name not in LIBRARIES or not name.isidentifier():
            return None
        if not name.isascii() or keyword.iskeyword(name) or name in Library.RESERVED:
            return None
        variable = self.page.scopes.variable(base)
        if not variable.is_global or variable.writes:
            return None
        return f"{self.globals}.{base.name}.{name}"

    def table(self, node: tree.Table) -> str:
        for item in node.fields:
            self.writer.field_comments(item)
        if not node.fields:
            return "lua.table()"
        positional = [item.value for item in node.fields if item.key is None]
        keyed = [item for item in node.fields if item.key is not None]
        seen_keyed, in_order = False, True
        for item in node.fields:
            trivial = isinstance(item.value, (*_ATOMS, tree.Function))
            if item.key is not None:
                seen_keyed = seen_keyed or not trivial
            elif seen_keyed and not trivial:
                in_order = False
        names = [item.key.value for item in keyed if isinstance(item.key, tree.String)]
        plain = len(names) == len(keyed) == len(set(names)) and all(
            n.isidentifier() and n.isascii() and not keyword.iskeyword(n) for n in names
        )
        last_is_last = bool(node.fields) and node.fields[-1].key is None
        if in_order and plain:
            parts = self.values(tuple(positional), last_is_last)
            parts += [f"{name}={self.value(item.value)}" for name, item in zip(names, keyed, strict=True)]
            return f"lua.table({', '.join(parts)})"
        pairs, count = [], 0
        rest: list[str] = []
        for at, item in enumerate(node.fields):
            if item.key is not None:
                pairs.append(f"({self.value(item.key)}, {self.value(item.value)})")
            elif at == len(node.fields) - 1:
                rest = self.values((item.value,))
                pairs = [f"[{', '.join(pairs)}]", str(count + 1), *rest]
                return f"lua.table_of({', '.join(pairs)})"
            else:
                count += 1
                pairs.append(f"({count}, {self.value(item.value)})")
        return f"lua.table_of([{', '.join(pairs)}])"

    # Operators

    def unary(self, node: tree.Unary) -> str:
        if node.operator == "not":
            return self.negated(node.operand)
        if node.operator == "#":
            return f"lua.length({self.value(node.operand)})"
        if isinstance(node.operand, tree.Number) and node.operand.value != 0:
            return f"-{self.number(node.operand)}"
        return f"lua.unm({self.value(node.operand)})"

    def binary(self, node: tree.Binary) -> str:
        operator = node.operator
        if operator in _ARITHMETIC:
            if operator in "+-" and self.kind(node.left) == self.kind(node.right) == "int":
                return f"{self.operand(node.left)} {operator} {self.operand(node.right)}"
            return f"lua.{_ARITHMETIC[operator]}({self.value(node.left)}, {self.value(node.right)})"
        if operator in _COMPARISONS:
            if {self.kind(node.left), self.kind(node.right)} <= {"int", "number"}:
                return f"{self.operand(node.left)} {operator} {self.operand(node.right)}"
            return f"lua.{_COMPARISONS[operator]}({self.value(node.left)}, {self.value(node.right)})"
        if operator in ("==", "~="):
            return self.equality(node)
        if operator == "..":
            operands = [node.left]
            right: Expression = node.right
            while isinstance(right, tree.Binary) and right.operator == "..":
                operands.append(right.left)
                right = right.right
            operands.append(right)
            return f"lua.concat({', '.join(self.value(operand) for operand in operands)})"
        return self.logical(node)

    def equality(self, node: tree.Binary) -> str:
        same = node.operator == "=="
        for side, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(side, tree.Nil):
                if self.kind(other) or isinstance(other, tree.Nil):  # Python warns of a literal beside `is`
                    return f"lua.{'eq' if same else 'ne'}({self.value(node.left)}, {self.value(node.right)})"
                return f"{self.operand(other)} is {'' if same else 'not '}None"
        kinds = {self.kind(node.left), self.kind(node.right)}
        if kinds <= {"int", "number"} or kinds == {"string"}:
            return f"{self.operand(node.left)} {'==' if same else '!='} {self.operand(node.right)}"
        return f"lua.{'eq' if same else 'ne'}({self.value(node.left)}, {self.value(node.right)})"

    def logical(self, node: tree.Binary) -> str:
        """``and`` and ``or``, which give one of their operands."""
        if self.kind(node) == "bool" == self.kind(node.left):
            return self.condition(node)
        left = node.left
        while isinstance(left, tree.Paren):
            left = left.inner
        right = self.value(node.right) if not _needs_parens(node.right) else self.branch(node.right)
        if isinstance(left, tree.Name):
            shown = self.value(left)
            test = self.condition(left)
        elif self.kind(left) == "bool":
            test = self.condition(left)
            if node.operator == "and":
                return f"{self.branch(node.right)} if {test} else False"
            return f"True if {test} else {right}"
        else:
            shown = self.writer.temporary()
            test = f"lua.truth({shown} := {self.value(left)})"
        if node.operator == "and":
            return f"{self.branch(node.right)} if {test} else {shown}"
        return f"{shown} if {test} else {right}"

    def branch(self, node: Expression) -> str:
        """A value to stand before ``if`` in a conditional expression."""
        text = self.value(node)
        while isinstance(node, tree.Paren):
            node = node.inner
        if (isinstance(node, tree.Binary) and node.operator in ("and", "or")) or text.startswith("lambda"):
            return f"({text})"
        return text

    # Conditions

    def condition(self, node: Expression) -> str:
        """A Python condition that holds when the value is true in Lua."""
        while isinstance(node, tree.Paren):
            node = node.inner
        if isinstance(node, tree.Binary) and node.operator in ("and", "or"):
            parts = []
            for side in (node.left, node.right):
                text = self.condition(side)
                inner = side
                while isinstance(inner, tree.Paren):
                    inner = inner.inner
                logical = isinstance(inner, tree.Binary) and inner.operator in ("and", "or")
                if logical and (side is node.right or inner.operator != node.operator):  # type: ignore[attr-defined]
                    text = f"({text})"
                parts.append(text)
            return f" {node.operator} ".join(parts)
        if self.kind(node) == "bool":
            return self.value(node)
        if isinstance(node, tree.Nil):
            return "False"
        return f"lua.truth({self.value(node)})"

    def negated(self, node: Expression) -> str:
        while isinstance(node, tree.Paren):
            node = node.inner
        if isinstance(node, tree.Binary) and node.operator in ("==", "~="):
            flipped = tree.Binary(node.place, "~=" if node.operator == "==" else "==", node.left, node.right)
            return self.equality(flipped)
        if isinstance(node, tree.Boolean):
            return "False" if node.value else "True"
        text = self.condition(node)
        if isinstance(node, tree.Binary) and node.operator in ("and", "or"):
            text = f"({text})"
        if isinstance(node, tree.Binary) and not text.startswith(("lua.", "(")):
            text = f"({text})"
        return f"not {text}"

    # Calls and several values

    def values(self, nodes: tuple[Expression, ...], open_end: bool = True) -> list[str]:
        """The arguments of a call; with ``open_end`` the last one gives all its values."""
        parts = [self.value(node) for node in nodes[:-1]]
        if not nodes:
            return parts
        last = nodes[-1]
        if open_end and isinstance(last, tree.Vararg):
            return [*parts, "*varargs"]
        if open_end and isinstance(last, tree.Call | tree.Invoke) and not self.is_single(last):
            return [*parts, f"*lua.multi({self.call(last)})"]
        return [*parts, self.value(last)]

    def several(self, nodes: tuple[Expression, ...]) -> str:
        """What ``return`` hands over."""
        if not nodes:
            return "()"
        if len(nodes) == 1:
            if isinstance(nodes[0], tree.Vararg):
                return "varargs"
            if isinstance(nodes[0], tree.Call | tree.Invoke):
                return self.call(nodes[0])
            return self.value(nodes[0])
        return ", ".join(
            f"({part})" if part.startswith("lambda") or " if " in part else part
            for part in self.values(nodes)
        )

    def call(self, node: tree.Call | tree.Invoke) -> str:
        """A call, with whatever it returns."""
        if isinstance(node, tree.Invoke):
            receiver = self.value(node.receiver)
            name, parts = literal(node.method), self.values(node.arguments)
            if all(_is_calm(argument) for argument in node.arguments):
                return f"lua.method({', '.join([receiver, name, *parts])})"
            return f"lua.bound({receiver}, {name})({', '.join(parts)})"
        callee = node.callee
        while isinstance(callee, tree.Paren):
            callee = callee.inner
        direct = self.direct(callee)
        if direct is not None:
            return f"{direct}({', '.join(self.values(node.arguments))})"
        return f"lua.call({', '.join([self.value(callee), *self.values(node.arguments)])})"

    def direct(self, callee: Expression) -> str | None:
        """The callee, where it is certainly a function of Python's."""
        library = self.library_field(callee)
        if library is not None:
            return library
        if isinstance(callee, tree.Name):
            variable = self.page.scopes.variable(callee)
            if variable.is_global:
                if callee.name not in LIBRARIES[""] or variable.writes:
                    return None
                return "lua.assert_" if callee.name == "assert" else f"{self.globals}.{callee.name}"
            if variable in self.page.functions:
                return self.writer.read(variable)
        return None

    def is_single(self, node: tree.Call | tree.Invoke) -> bool:
        """Whether a call certainly has exactly one result."""
        if isinstance(node, tree.Invoke):
            return False
        callee = node.callee
        library = self.library_field(callee)
        if library is not None:
            name = library.removeprefix(f"{self.globals}.")
            return name in SINGLE or name.startswith("nn.")
        if isinstance(callee, tree.Name):
            variable = self.page.scopes.variable(callee)
            if variable.is_global:
                return callee.name in SINGLE and not variable.writes
            function = self.page.functions.get(variable)
            return function is not None and self.page.gives_one(function)
        return False

    def cannot(self, code: str, node: Expression, reason: str) -> NotTranslated:
        return self.page.cannot(code, node, reason)


def _needs_parens(node: Expression) -> bool:
    return isinstance(node, tree.Function)


def _is_calm(node: Expression) -> bool:
    """Whether computing a value certainly neither fails nor does anything."""
    while isinstance(node, tree.Paren):
        node = node.inner
    return isinstance(node, (*_ATOMS, tree.Function))


def _is_one_call(text: str) -> bool:
    """Whether ``lua.f(...)`` ends with the bracket that it opens first."""
    depth = 0
    quote = ""
    escaped = False
    for at, char in enumerate(text):
        if quote:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == quote:
                quote = ""
        elif char in "\"'":
            quote = char
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0:
                return at == len(text) - 1
    return False
