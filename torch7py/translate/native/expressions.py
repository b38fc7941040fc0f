"""Expressions: names, numbers and operators."""

from __future__ import annotations

import math
import re

from torch7py.packages.registry import packages
from torch7py.translate import tree
from torch7py.translate.inference import tds
from torch7py.translate.kind_rules import SECOND
from torch7py.translate.native import code, indexing, layer_classes, memory, plain_calls, text
from torch7py.translate.native.analysis.intervals import EXACT
from torch7py.translate.native.analysis.unknown_values import described, undecided
from torch7py.translate.native.code import Py, add_constant, atom, quoted
from torch7py.translate.native.conditions import COMPARISONS, Conditions
from torch7py.translate.native.integer_tensors import operation as tensor_operation
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.tree import Binary, Call, Expression, Index, Invoke, Name, Number, String, Unary
from torch7py.translate.tree_queries import bare

__all__ = ["Expressions"]

_OPERATORS = {
    "+": ("+", code.ADD),
    "-": ("-", code.ADD),
    "*": ("*", code.MULTIPLY),
    "/": ("/", code.MULTIPLY),
    "%": ("%", code.MULTIPLY),
    "^": ("**", code.POWER),
}
# Methods that give as many elements in as many dimensions.
_SAME_SHAPE = set("typeAs double float long int short byte char cuda clone contiguous".split())
_PLACE = re.compile(r"[A-Za-z_][\w.]*(\[[^()]*\])*")  # a name, an attribute or a part, to be looked at twice
_PLAIN_NUMBER = re.compile(r"(0|[1-9]\d*)(\.\d+)?(e-?\d+)?|0x[0-9a-f]+")


class Expressions:
    """The part of the translator that writes expressions."""

    def __init__(self, translator: Translation, conditions: Conditions) -> None:
        self.instead: dict[Expression, Py] = {}
        self.t, self.conditions = translator, conditions

    # Values

    def value(self, node: Expression) -> Py:
        t = self.t
        in_layer = t.plain_layers.current is not None
        first = plain_calls.value(t, node) if plain_calls.is_first(t, node) else None
        if first is not None:
            return first
        if not in_layer and not t.plainly:
            return self.proved(node)
        special = t.plain_layers.special(node) if in_layer else None
        if special is not None:
            return special
        put_back = t.checkpoint()
        try:
            return self.proved(node)
        except Problem as problem:
            if not in_layer and not t.plain_values and not isinstance(problem, Undecided):
                raise
            put_back()
            fallback = plain_calls.value(t, node)
            if fallback is not None:
                return fallback
            if t.doubts_what_is_the_same:
                with t.believing():
                    return self.value(node)
            if in_layer or not t.calls.takes_sole(node):
                raise
            return self.value(node)

    def proved(self, node: Expression) -> Py:
        if node in self.instead:
            return self.instead[node]
        if isinstance(node, (Call, Invoke)) and node in self.t.calls.sole:
            alone = plain_calls.sole(self.t, node)
            if alone is not None:
                return alone
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
            is_open = self.t.plainly and self.t.calls.open_end(node) is not None
            is_list = all(field.key is None for field in node.fields)  # for which there is a plain call
            if is_open and (is_list or not self.t.plain_values):
                raise Undecided("T7-218", node.line, "all values of a call at the end of a list")
            return self.t.classes.value(node) or indexing.table(self.t, node)
        if isinstance(node, Index):
            return indexing.index(self.t, node)
        if isinstance(node, (Call, Invoke)):
            return self.t.calls.value(node)
        if isinstance(node, tree.Function):
            return self.t.functions.value(node)
        if isinstance(node, tree.Vararg):
            rest = self.t.rest()
            return Py(f"{rest}[0] if {rest} else None", code.TERNARY)
        raise Problem("T7-299", node.line, f"{type(node).__name__} as a value")

    def graph(self, node: Expression) -> Py:
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
        alias = t.training.alias_of(node)
        if alias is not None:
            return alias
        named = t.classes.uses.named(node)
        if named is not None:
            return named
        of_layers = t.path(node) if t.plain_modules or (t.apart and t.plainly) else None
        if of_layers in layer_classes.PACKAGES_OF_LAYERS:
            return layer_classes.package(t, node, of_layers)
        if t.scopes.of_name[node] in t.types.packages:
            path = t.path(node)
            if path is None:
                return atom("None")  # of a package that is not there, where the program ends before
            if path in packages:
                return atom("True")  # which is only asked whether it is there
        text = t.names.of(node)
        t.modules.name(node)
        variable = t.scopes.of_name[node]
        if variable in t.scales:
            return atom("1")
        if variable in t.types.parent_of_variable:
            raise Problem("T7-242", node.line, "a parent class as a value")
        if variable.is_global and not variable.writes:
            if node.name == "arg" and not self.t.scopes.of_name[node].writes:  # from 1, as a list
                self.t.imports.add("sys")
                return atom("sys.argv[1:]")
            if node.name in (t.unset_in_page if t.plain_values else t.unset_globals):
                return atom("None")
            reason = f"the global {node.name} as a value"
            if t.path(node) in layer_classes.PACKAGES_OF_LAYERS:
                raise t.of_each_module("T7-308", node.line, reason)
            problem = Undecided if plain_calls.is_function_value(t.path(node)) else Problem
            raise problem("T7-201", node.line, reason)
        shift = t.shifts.get(variable, 0)
        if shift:
            return add_constant(atom(text), shift)
        if variable in t.graph_variables and not keep:
            return atom(f"{text}.item()")
        return atom(text)

    def is_graph(self, node: Expression) -> bool:
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

    def number(self, node: Expression) -> Py:
        if self.t.kind(node) != "string":
            return self.value(node)
        if isinstance(node, String) and re.fullmatch(r"\d{1,15}", node.value):
            return atom(str(int(node.value)))
        return atom(f"{self.t.need('to_number')}({self.value(node)})")

    def position(self, node: Expression) -> Py:
        if isinstance(node, Unary) and node.operator == "-" and isinstance(node.operand, Number):
            return Py(f"-{number_text(node.operand)}", code.NEGATE)
        if self.t.intervals.negative(node):
            return self.whole_number(node)
        term, constant = self.linear(node)
        if term is not None and not self.t.whole(node):
            inner = add_constant(term, constant)
            return add_constant(atom(f"int({inner})"), -1)
        return add_constant(term, constant - 1)

    def whole_number(self, node: Expression, plus: int = 0) -> Py:
        term, constant = self.linear(node)
        if term is not None and not self.t.whole(node):
            return add_constant(atom(f"int({add_constant(term, constant)})"), plus)
        return add_constant(term, constant + plus)

    def arithmetic(self, node: Binary, side: object = None) -> Py:
        write = self.number if side is None else side
        assert callable(write)
        operator, level = _OPERATORS[node.operator]
        for one, other in ((node.left, node.right), (node.right, node.left)):
            if operator == "*" and isinstance(one, Name) and self.t.scopes.of_name[one] in self.t.scales:
                value = write(other)  # scale is 1
                assert isinstance(value, Py)
                return value
        if self.t.kind(node) == "tensor" and not (
            node.operator == "*" and self.t.kind(node.left) == self.t.kind(node.right)
        ):
            operation = tensor_operation(self.t, node.left, operator, node.right)
            if operation is not None:
                return operation
        left_kind, right_kind = self.t.kind(node.left), self.t.kind(node.right)
        if left_kind == "pointer" and node.operator == "+":
            return memory.moved(self.t, node)
        if node.operator == "*" and left_kind == "tensor" and right_kind == "tensor":
            operator = "@"
        elif node.operator == "*" and side is None and self._may_be_tensors(node):
            raise Undecided("T7-304", node.line, "a product of what may be tensors or numbers")
        if (
            node.operator in ("+", "-")
            and side is None
            and self.t.kind(node) == "number"
            and self.t.whole(node)
        ):
            term, constant = self.linear(node)
            return add_constant(term, constant)
        number = self.t.kind(node) == "number" and side is None
        if level == code.POWER and number:
            return self.power(node.left, node.right)
        of_numbers = number or (side is None and left_kind == right_kind == "number")
        if of_numbers and operator in "/%" and not self._divides(node):
            name = self.t.need("lua_divide" if operator == "/" else "lua_modulo")
            return atom(f"{name}({write(node.left)}, {write(node.right)})")
        left, right = write(node.left), write(node.right)
        if level == code.POWER:
            return code.power(left, right)
        if number and operator == "*" and self.t.integers.overflows(node):
            left, right = self._as_floats(left, right)
        if operator == "@" and number:  # of two vectors
            return atom(f"({left.at(level)} @ {right.at(level + 1)}).item()")
        if operator in "+-" and left_kind == right_kind == "tensor":
            return Py(f"{left.at(level)} {operator} {self.beside(node.right, node.left, level + 1)}", level)
        return Py(f"{left.at(level)} {operator} {right.at(level + 1)}", level)

    def _may_be_tensors(self, node: Binary) -> bool:
        """Whether nothing tells that a product is one of numbers: where modules are objects, functions in their fields
        are called by these."""
        kinds = {self.t.kind(node.left), self.t.kind(node.right)}
        is_guess = self.t.objects and self.t.types.guessed.issuperset((node.left, node.right))
        return kinds <= {"tensor", None, "any"} or is_guess

    def beside(self, node: Expression, other: Expression, level: int = 0) -> str:
        """One of two tensors that are taken element by element, in the shape of the other one."""
        t = self.t
        ranks = {t.type(node).rank, t.type(other).rank}
        is_known = None not in ranks or (ranks == {1, None} and _has_two(t, node, other))
        if t.kind(node) != "tensor" or t.kind(other) != "tensor":
            return t.value(node).at(level)
        if None in ranks and not is_known and t.plain_modules:
            reason = "tensors of unknown numbers of dimensions, element by element"
            raise Undecided("T7-271", node.line, reason)
        if not is_known or len(ranks) == 1:
            return t.value(node).at(level)
        shaped = other
        while isinstance(shaped, Invoke) and shaped.method in _SAME_SHAPE:
            shaped = shaped.receiver
        like = t.value(shaped).text
        if not _PLACE.fullmatch(like):
            if t.type(other).rank == 1:
                return f"{t.value(node).at(code.ATOM)}.flatten()"
            raise Undecided(
                "T7-271", node.line, "tensors of different numbers of dimensions, element by element"
            )
        return f"{t.value(node).at(code.ATOM)}.reshape_as({like})"

    def _divides(self, node: Binary) -> bool:
        """Whether Python divides numbers as Lua does."""
        right = node.right
        if not self.t.intervals.nonzero(right):
            return False
        if node.operator == "/":
            return True
        whole = self.t.whole(right) and self.t.intervals.finite(right)
        if not self.t.whole(node.left) and not self.t.intervals.positive(right):
            return False  # Python has a minus zero here
        return whole and (self.t.intervals.exact(node.left) or not self._grows(node.left))

    def _grows(self, node: Expression) -> bool:
        """Whether a number is computed by the program, and may be beyond what doubles have exactly."""
        node = bare(node)
        if isinstance(node, Name):
            sources = self.t.integers.sources(self.t.scopes.of_name[node])
            return any(not isinstance(source, bool) and isinstance(source, Binary) for source in sources)
        if isinstance(node, (Call, Invoke)):
            return bool(self.t.types.function_called(node))
        return isinstance(node, Binary)

    def _as_floats(self, left: Py, right: Py) -> tuple[Py, Py]:
        """The factors of a product that may be too large for whole numbers to be exact in Lua."""
        if re.fullmatch(r"\d+", right.text):
            return left, atom(f"{right}.0")
        if re.fullmatch(r"\d+", left.text):
            return atom(f"{left}.0"), right
        return left, atom(f"float({right})")

    def power(self, base: Expression, exponent: Expression) -> Py:
        t = self.t
        left, right = self.number(base), self.number(exponent)
        low, high = t.intervals.of(exponent)
        natural = t.whole(exponent) and low >= 0
        if (natural or t.intervals.positive(base)) and self._fits(base, low, high):
            return code.power(left, right)
        return atom(f"{t.need('lua_power')}({left}, {right})")

    def _fits(self, base: Expression, low: float, high: float) -> bool:
        """Whether a power is neither too large for a float nor an int that Lua would not have."""
        if high == low and abs(low) <= 3 and not self.t.whole(base):
            return True
        try:
            largest: float = max(
                abs(end) ** power for end in self.t.intervals.of(base) for power in (low, high)
            )
        except (OverflowError, ZeroDivisionError):
            return False
        return largest < (EXACT if self.t.whole(base) else math.inf)

    # Operators

    def binary(self, node: Binary) -> Py:
        if node.operator in _OPERATORS:
            if {"module"} & {self.t.kind(node.left), self.t.kind(node.right)}:
                raise Problem("T7-221", node.line, "arithmetic with modules")
            if self.t.kind(node.right) == "object" and self.t.kind(node.left) not in ("object", "number"):
                raise Problem("T7-242", node.line, "arithmetic with an object only on the right")
            return self.arithmetic(node)
        if node.operator in COMPARISONS:
            return self.conditions.comparison(node)
        if node.operator == "..":
            return text.concatenation(self.t, node)
        if node.operator == "and":
            return self.conditions.conjunction(node)
        return self.conditions.disjunction(node)

    def unary(self, node: Unary) -> Py:
        if node.operator == "not":
            return self.conditions.negation(node.operand)
        if node.operator == "#":
            return self.length(node)
        operand = self.number(node.operand)
        text = f"({operand})" if operand.level == code.POWER else operand.at(code.NEGATE)
        return Py(f"-{text}", code.NEGATE)

    def length(self, node: Unary) -> Py:
        if self.t.path(node.operand) == "arg":
            self.t.imports.add("sys")
            return Py("len(sys.argv) - 1", code.ADD)
        counted = self.t.training.parameter_lists.length(node.operand)
        if counted is not None:
            return counted
        kind = self.t.kind(node.operand)
        if self.t.types.methods_of(self.t.type(node.operand), "__len"):
            return atom(f"len({self.value(node.operand)})")
        if kind == "tensor":
            shape = f"{self.value(node.operand).at(code.ATOM)}.shape"
            return atom(f"list({shape})" if self.t.type(node).has("stored") else shape)
        if kind == "table" and self.t.type(node.operand).has(tds.COUNTED):
            return atom(f"len({self.value(node.operand)})")
        sparse = kind == "table" and self.t.type(node.operand).has("sparse")
        if sparse and "string" not in self.t.type(node.operand).of_keys().find().kinds:
            base = self.value(node.operand)
            if self.t.tables.begins_at_zero(self.t.type(node.operand)):
                return Py(f"len({base}) - 1", code.ADD)
            return atom(f"sum(1 for key in {base} if key > 0)")
        if kind == "table" and self.t.representation(node.operand) == "several":
            raise Undecided("T7-301", node.line, "the length of tables that are lists and others")
        if kind == "table" and self._has_names(node.operand):
            raise Undecided("T7-301", node.line, "the length of a table with names for keys")
        if kind == "module" and self.t.models.has_length(node.operand):
            return atom(f"len({self.value(node.operand)})")
        if kind not in ("table", "string", "storage", "memory"):
            of = described(self.t, node.operand)
            raise undecided(self.t, node.operand, "T7-301", node.line, f"the length of {of}")
        if kind == "table" and self.t.representation(node.operand) == "dict":
            return atom(f"{self.t.need('border')}({self.value(node.operand)})")
        if kind == "string" and self.t.wide_text:
            return atom(f"len({self.value(node.operand).at(code.ATOM)}.encode())")
        return atom(f"len({self.value(node.operand)})")

    def _has_names(self, node: Expression) -> bool:
        """Whether a table is no list, and has no keys that are numbers."""
        if self.t.representation(node) == "list":
            return False
        return self.t.representation(node) == "record" or not self.t.tables.may_have_numbers(node)


def _has_two(t: Translation, *nodes: Expression) -> bool:
    return any(t.type(node).has(SECOND) for node in nodes)


def number_text(node: Number) -> str:
    text = node.text.lower()
    if isinstance(node.value, int) and node.value > EXACT:
        return repr(float(node.value)).replace("e+", "e") if node.value < 10**300 else "math.inf"
    if _PLAIN_NUMBER.fullmatch(text):
        return f"0x{text[2:].upper()}" if text.startswith("0x") else text
    return repr(node.value)
