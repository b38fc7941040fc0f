"""Conditions and choices: comparisons, ``and``, ``or``, ``not``, and what may be nil."""

from __future__ import annotations

import ast

from torch7py.translate import tree, tree_queries
from torch7py.translate.library import TENSOR_TYPES
from torch7py.translate.native import class_tests, code, indexing, kind_tests, matching, text
from torch7py.translate.native.analysis.missing_keys import is_argument
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.native.tensors import names_of_types
from torch7py.translate.native.unset_globals import GPU_PACKAGES
from torch7py.translate.templates import Template
from torch7py.translate.tree import Binary, Call, Expression, Index, Invoke, Name, Number, String, Unary

__all__ = ["COMPARISONS", "Conditions"]

COMPARISONS = {"==": "==", "~=": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}

_PLAIN = {"number", "string", "boolean"}
_OBJECTS = {"tensor", "module", "criterion", "table", "object", "class"}

_TWICE = Template("return X and X")


class Conditions:
    """The part of the translator that writes what Lua takes for true."""

    def __init__(self, translator: Translation) -> None:
        self.t = translator

    # Comparisons

    def comparison(self, node: Binary) -> Py:
        vectors = self.t.training.vectors.compared(node.left, node.right)
        if vectors is not None and node.operator in ("==", "~="):
            return atom(str(vectors is (node.operator == "==")))
        t = self.t
        left, right = node.left, node.right
        tested = t.models.layer_tests.condition(node)
        if tested is not None:
            return tested
        tested = class_tests.compared(t, node) or kind_tests.compared(t, node)
        if tested is not None:
            return tested
        if node.operator in ("==", "~="):
            of_type = names_of_types.compared(t, node)
            if of_type is not None:
                return of_type
            if self._never_equal(left, right):
                return atom(str(node.operator == "~="))
            word = "is" if node.operator == "==" else "is not"
            for one, other in ((left, right), (right, left)):
                if isinstance(other, tree.Nil):
                    emptiness = self._is_empty(one)
                    if emptiness is not None:
                        if node.operator == "==":
                            return Py(f"not {emptiness.at(code.NOT)}", code.NOT)
                        return atom(f"bool({emptiness})")
                    past = self._past_end(one)
                    if past is not None:
                        return past if node.operator == "==" else _opposite(past)
                    is_held = isinstance(one, Index) and not t.type(one.base).has("metatable")
                    if (
                        isinstance(one, Index)
                        and is_held
                        and self.is_entry(one)
                        and not self._may_hold_nil(one)
                    ):
                        inside = "not in" if node.operator == "==" else "in"
                        key = indexing.key(self.t, one)
                        return Py(
                            f"{key.at(code.ADD)} {inside} {self.t.value(one.base).at(code.ADD)}", code.COMPARE
                        )
                    return _identical(self.maybe(one), word, atom("None"))
                may_be_nil = t.type(one).nil or t.plain_layers.is_mode(one)
                if isinstance(other, tree.Boolean) and (
                    self.t.kind(one) in (None, "any") or (self.t.kind(one) == "boolean" and may_be_nil)
                ):
                    return _identical(self.t.value(one), word, atom(str(other.value)))
                if isinstance(other, tree.Boolean) and self.t.kind(one) == "boolean":
                    wanted = other.value == (node.operator == "==")
                    return (
                        self.t.value(one) if wanted else Py(f"not {self.t.value(one).at(code.NOT)}", code.NOT)
                    )
            kinds = {self.t.kind(left), self.t.kind(right)}
            if all(isinstance(side, Invoke) and side.method == "storage" for side in (left, right)):
                pointers = [f"{self.t.value(side).at(code.ATOM)}.data_ptr()" for side in (left, right)]
                return Py(f" {'==' if node.operator == '==' else '!='} ".join(pointers), code.COMPARE)
            equal = any(t.types.methods_of(t.type(side), "__eq") for side in (left, right))
            if self._never_alike(left, right) and not equal:
                if not any(isinstance(n, (Call, Invoke)) for side in (left, right) for n in tree.walk(side)):
                    return atom(str(node.operator == "~="))
                same = atom(f"{t.need('lua_equal')}({t.value(left)}, {t.value(right)})")
                return same if node.operator == "==" else Py(f"not {same}", code.NOT)
            open_element = any(
                isinstance(one, Index) and t.kind(one) == "tensor" and t.kind(other) in (None, "any")
                for one, other in ((left, right), (right, left))
            )  # which may be a number
            if kinds & _OBJECTS and not equal and not open_element:
                return _identical(self.t.value(left), word, self.t.value(right))
            if not equal and (open_element or kind_tests.may_be_itself_only(t, left, right)):
                same = atom(f"{t.need('lua_equal')}({t.value(left)}, {t.value(right)})")
                return same if node.operator == "==" else Py(f"not {same}", code.NOT)
        operator = COMPARISONS[node.operator]
        first, second = self.t.value(left), self.t.value(right)
        if operator in ("==", "!=") and first.text[:1] == second.text[:1] == '"':
            texts = _literal(first.text), _literal(second.text)
            if None not in texts:  # the name of a kind that is known
                return atom(str((texts[0] == texts[1]) == (operator == "==")))
        # Both sides with the same shift: i == j - 1 stays readable as it is.
        return Py(f"{first.at(code.ADD)} {operator} {second.at(code.ADD)}", code.COMPARE)

    def _never_equal(self, left: Expression, right: Expression) -> bool:
        """Whether two values are of kinds that are never equal in Lua, though they may be in Python."""
        kinds = {self.t.kind(left), self.t.kind(right)}
        if any(isinstance(side, tree.Nil) for side in (left, right)):
            return any(isinstance(side, (tree.Boolean, Number, String)) for side in (left, right))
        plain = all(isinstance(side, (Name, Number, String, tree.Boolean)) for side in (left, right))
        nil = self.t.type(left).nil and self.t.type(right).nil
        return plain and len(kinds) == 2 and kinds <= _PLAIN and not nil

    def _never_alike(self, left: Expression, right: Expression) -> bool:
        """Whether a tensor or a table is compared with a number or a text: Python would look at its elements."""
        kinds = {self.t.kind(left), self.t.kind(right)}
        nil = self.t.type(left).nil and self.t.type(right).nil
        return len(kinds) == 2 and len(kinds & _PLAIN) == 1 and bool(kinds & _OBJECTS) and not nil

    def _past_end(self, node: Expression) -> Py | None:
        """Whether a list has no item at a place."""
        node = tree_queries.bare(node)
        if not isinstance(node, Index) or not indexing.is_item(self.t, node):
            return None
        if self.t.intervals.positive(node.key) and self.t.whole(node.key):
            key = self.t.value(node.key).at(code.ADD)
            return Py(f"{key} > len({self.t.value(node.base)})", code.COMPARE)
        return Py(f"{self.maybe(node)} is None", code.COMPARE)

    def _is_empty(self, node: Expression) -> Py | None:
        """The table of ``next(t)``, which is nil for an empty one."""
        if isinstance(node, Call) and self.t.path(node.callee) == "next" and len(node.arguments) == 1:
            table = node.arguments[0]
            if self.t.kind(table) == "table" and self.t.representation(table) in ("list", "dict", "record"):
                return self.t.value(table)
        return None

    def is_entry(self, node: Index) -> bool:
        """Whether an expression is an entry of a dict."""
        return self.t.kind(node.base) == "table" and self.t.representation(node.base) in ("dict", "record")

    def _is_never_nil(self, node: Index) -> bool:
        """Whether an entry that a dict has is neither nil nor false."""
        return self.t.kind(node) not in ("boolean", "any", None) and not self._may_hold_nil(node)

    def _may_hold_nil(self, entry: Index) -> bool:
        """Whether a dict may have this entry as None: Lua has none then."""
        for value in self.t.tables.values_of_entry(entry):
            known = self.t.types.function_called(value) if isinstance(value, (Call, Invoke)) else []
            if any(self.t.types.returns[f].at(0).nil for f in known if f in self.t.types.returns):
                return True
            if self.t.kind(value) not in ("number", "string"):
                continue
            if text.may_be_nil(self.t, value):
                return True
            taken = value if isinstance(value, Index) and self.t.kind(value.base) == "table" else None
            if taken is not None and indexing.may_be_missing(self.t, taken):
                return True
        return False

    # Conditions

    def condition(self, node: Expression) -> Py:
        if isinstance(node, tree.Paren):
            return self.condition(node.inner)
        idiom = self._idiom(node)
        if idiom is not None:
            return idiom
        if isinstance(node, Binary):
            if node.operator == "and":
                left, right = self.condition(node.left), self.condition(node.right)
                return Py(f"{left.at(code.AND)} and {right.at(code.AND + 1)}", code.AND)
            if node.operator == "or":
                left, right = self.condition(node.left), self.condition(node.right)
                one_call = kind_tests.either(left, right)
                return one_call or Py(f"{left.at(code.OR)} or {right.at(code.OR + 1)}", code.OR)
            if node.operator in COMPARISONS:
                return self.comparison(node)
        if isinstance(node, Unary) and node.operator == "not":
            return self.negation(node.operand)
        if isinstance(node, (tree.Boolean, tree.Nil)):
            return atom(str(isinstance(node, tree.Boolean) and node.value))
        kind = self.t.kind(node)
        if isinstance(node, Index) and self.is_entry(node) and self._is_never_nil(node):
            base = self.t.value(node.base).at(code.ADD)
            return Py(f"{indexing.key(self.t, node).at(code.ADD)} in {base}", code.COMPARE)
        if isinstance(node, (Number, String, tree.Table, tree.Function)):
            return atom("True")
        past = self._past_end(node) if kind not in ("boolean", "any", None) else None
        if past is not None:
            return _opposite(past)
        emptiness = self._is_empty(node)
        if emptiness is not None:
            return atom(f"bool({emptiness})")
        if isinstance(node, Name) and self.t.path(node) in GPU_PACKAGES:
            return atom("torch.cuda.is_available()")  # only there where a program could require it
        value = self.maybe(node)
        if kind == "boolean":
            return value
        if (kind is None or kind == "any") and isinstance(node, Name):
            name = value.at(code.ADD)
            return Py(f"{name} is not None and {name} is not False", code.AND)
        if kind is None or kind == "any":
            return self._truth(value)
        return _identical(Py(self._tested(node, value), code.ADD), "is not", atom("None"))

    def _idiom(self, node: Expression) -> Py | None:
        """A condition that is written otherwise than as a value, where that is told by the program."""
        t = self.t
        try:
            idiom = t.models.layer_tests.condition(node) or kind_tests.finds_tensor(t, node)
            return idiom or kind_tests.is_typed(t, node) or matching.condition(t, node)
        except Undecided:
            if not t.plainly:
                raise
            return None  # the value is a plain call

    def _tested(self, node: Expression, value: Py) -> str:
        """What is compared with None: of a loss that may not be there yet, the loss and not its number."""
        is_loss = isinstance(node, Name) and value.text == f"{self.t.names.of(node)}.item()"
        return value.text.removesuffix(".item()") if is_loss else value.at(code.ADD)

    def _truth(self, value: Py) -> Py:
        """Whether something is neither nil nor false, which is what Lua takes for true of any kind."""
        if value.text.replace(".", "").isidentifier():
            return Py(f"{value} is not None and {value} is not False", code.AND)
        return atom(f"{self.t.need('lua_true')}({value})")

    def negation(self, node: Expression) -> Py:
        inner = self.condition(node)
        words = inner.text.split()
        if words[1:5] == ["is", "not", "None", "and"] and words[5:] == [words[0], "is", "not", "False"]:
            return Py(f"{words[0]} is None or {words[0]} is False", code.OR)
        opposite = _negated(inner.text) if inner.level == code.COMPARE else None
        if opposite is not None:
            return Py(opposite, code.COMPARE)
        return Py(f"not {inner.at(code.NOT)}", code.NOT)

    def maybe(self, node: Expression) -> Py:
        if isinstance(node, Index) and self.t.kind(node.base) == "module":
            plain = self.t.value(node)
            base, _, name = plain.text.rpartition(".")
            if name in ("weight", "bias") and base.isidentifier():  # which not every module has
                return atom(f"getattr({base}, {code.quoted(name)}, None)")
            return plain
        if isinstance(node, Index) and self.t.kind(node.base) == "table":
            plain = self.t.value(node)
            if not plain.text.endswith("]") or self.t.training.is_setting(node):
                return plain  # a name of a module, a time taken, a setting of an optimizer
            representation = self.t.representation(node.base)
            if representation in ("dict", "record"):
                return atom(f"{self.t.value(node.base).at(code.ATOM)}.get({indexing.key(self.t, node)})")
            if representation == "list" and indexing.is_item(self.t, node):
                return indexing.item(self.t, node)
        return self.t.training.parameter_lists.kept(node) or self.t.value(node)

    def conjunction(self, node: Binary) -> Py:
        if isinstance(node.left, Name) and tree_queries.same_expression(node.left, node.right):
            return self.t.value(node.left)  # itself, whatever it is
        kind = self.t.kind(node.left)
        if kind == "boolean":
            if self.t.kind(node.right) != "boolean" and self.t.kind(node) not in ("any", None):
                raise Problem("T7-302", node.line, "false or something else, as a value")
            left, right = self.condition(node.left), self.t.value(node.right)
            return Py(f"{left.at(code.AND)} and {right.at(code.AND + 1)}", code.AND)
        right, otherwise = self.t.value(node.right), "None"
        if kind in (None, "any") and not isinstance(node.left, Name):
            otherwise = self.t.fresh("value")
            condition = atom(f"{self.t.need('lua_true')}({otherwise} := {self.maybe(node.left)})")
        else:
            condition = self.condition(node.left)
            otherwise = str(self.t.value(node.left)) if kind in (None, "any") else "None"  # nil or false
        return Py(f"{right.at(code.OR)} if {condition.at(code.OR)} else {otherwise}", code.TERNARY)

    def disjunction(self, node: Binary) -> Py:
        left = tree_queries.bare(node.left)
        if (found := _TWICE.match(left)) is not None:
            left = found["X"]
        if isinstance(left, Binary) and left.operator == "or" and self._is_choice(left):
            return self._choice(left, self.t.value(node.right))
        if isinstance(left, Binary) and left.operator == "and" and self.surely_true(left.right):
            first, condition, last = (
                self.t.value(left.right),
                self.condition(left.left),
                self.t.value(node.right),
            )
            return Py(
                f"{first.at(code.OR)} if {condition.at(code.OR)} else {last.at(code.TERNARY)}", code.TERNARY
            )
        if isinstance(left, Name) and self.t.scopes.of_name[left] in self.t.scales:
            return atom("1")
        if isinstance(left, Binary) and left.operator == "or" and self.t.kind(left) in (None, "any"):
            rest = Binary(node.span, "or", left.right, node.right)
            return self._chosen(left.left, self.disjunction(rest))
        argument = self.t.calls.argument_or(left, node.right)
        if argument is not None:
            return argument
        return self._chosen(left, self.t.value(node.right))

    def _chosen(self, left: Expression, right: Py) -> Py:
        """What is on the left of ``or``, if that is something, else what is on its right."""
        if isinstance(left, Call) and self.t.path(left.callee) == "os.getenv":
            self.t.imports.add("os")
            return atom(f"os.environ.get({self.t.value(left.arguments[0])}, {right})")
        if self.t.kind(left) == "boolean":
            return Py(f"{self.t.value(left).at(code.OR)} or {right.at(code.OR + 1)}", code.OR)
        if self.t.kind(left) in (None, "any") and not self._is_never_false(left):
            return self._true_or(left, right)
        is_eager = "(" not in right.text  # or computed, or drawn, only where it is wanted
        if is_eager and isinstance(left, Index) and self.is_entry(left) and not self._may_hold_nil(left):
            return atom(f"{self.t.value(left.base).at(code.ATOM)}.get({indexing.key(self.t, left)}, {right})")
        past = self._past_end(left)
        if (
            past is not None
            and isinstance(left, Index)
            and past.text.endswith(f" > len({self.t.value(left.base)})")
            and not self.t.type(left).nil  # as of nil among the arguments in {...}
        ):
            item = f"{self.t.value(left.base).at(code.ATOM)}[{indexing.list_position(self.t, left)}]"
            return Py(f"{item} if {_opposite(past)} else {right.at(code.TERNARY)}", code.TERNARY)
        value = self.maybe(left)
        if isinstance(left, (Name, Index)) and past is None:
            chosen = f"{value.at(code.OR)} if {self._tested(left, value)} is not None else {right.at(code.TERNARY)}"
            return Py(chosen, code.TERNARY)
        name = self.t.fresh("value")
        return Py(f"{name} if ({name} := {value}) is not None else {right.at(code.TERNARY)}", code.TERNARY)

    def _is_never_false(self, node: Expression) -> bool:
        """Whether a value of a kind that is not known is something or nil, but not false."""
        return isinstance(node, Call) and self.t.path(node.callee) in ("tonumber", "os.getenv")

    def _true_or(self, left: Expression, right: Py) -> Py:
        """``left or right``, where left may be nil or false."""
        value = self.maybe(left)
        if not isinstance(left, Name):
            name = self.t.fresh("value")
            condition = f"{self.t.need('lua_true')}({name} := {value})"
            return Py(f"{name} if {condition} else {right.at(code.TERNARY)}", code.TERNARY)
        condition = str(self._truth(value))
        return Py(f"{value} if {condition} else {right.at(code.TERNARY)}", code.TERNARY)

    def _is_choice(self, node: Expression) -> bool:
        """``a and x or b and y``, with values that are never false."""
        node = tree_queries.bare(node)
        if not isinstance(node, Binary):
            return False
        if node.operator == "or":
            return self._is_choice(node.left) and self._is_choice(node.right)
        return node.operator == "and" and self.surely_true(node.right)

    def _choice(self, node: Expression, last: Py) -> Py:
        node = tree_queries.bare(node)
        assert isinstance(node, Binary)
        if node.operator == "or":
            return self._choice(node.left, self._choice(node.right, last))
        first, condition = self.t.value(node.right), self.condition(node.left)
        return Py(
            f"{first.at(code.OR)} if {condition.at(code.OR)} else {last.at(code.TERNARY)}", code.TERNARY
        )

    def surely_true(self, node: Expression) -> bool:
        type_ = self.t.type(node)
        if is_argument(self.t, node) and node in self.t.looked_for:
            return False
        if isinstance(node, (Number, String, tree.Table, tree.Function)):
            return True
        if isinstance(node, Binary) and node.operator in ("+", "-", "*", "/", "%", "^", ".."):
            return True
        if isinstance(node, Call) and (self.t.path(node.callee) or "") in TENSOR_TYPES:
            return True  # whatever else the variable may hold that takes it
        if type_.kind in ("number", "string") and isinstance(node, (Name, Binary)):
            return not text.may_be_nil(self.t, node)
        if isinstance(node, Index) and self.is_entry(node) and node not in self.t.present:
            return type_.kind not in (None, "any", "boolean") and self.t.tables.has_key(node)
        return type_.kind not in (None, "any", "boolean") and not type_.nil


def _identical(left: Py, word: str, right: Py) -> Py:
    """``x is None``; what is a number or a text in Python has no identity, and is compared as a value."""
    if _is_of_constants(left.text) or _is_of_constants(right.text):
        if "None" in (left.text, right.text):
            return atom(str(word == "is not"))
        word = "==" if word == "is" else "!="
    return Py(f"{left.at(code.ADD)} {word} {right.at(code.ADD)}", code.COMPARE)


_OF_CONSTANTS = (ast.Expression, ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop)


def _is_of_constants(text: str) -> bool:
    """Whether a piece of Python is a number or a text, or computed of such."""
    if not text or text[0] not in "\"'-(.0123456789":
        return False
    try:
        parsed = ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    nodes = list(ast.walk(parsed))
    values = [node.value for node in nodes if isinstance(node, ast.Constant)]
    of_constants = all(isinstance(node, _OF_CONSTANTS) for node in nodes)
    return of_constants and not any(value is None or isinstance(value, bool) for value in values)


def _literal(text: str) -> object:
    """The number or text that a piece of Python is, else None."""
    if not text or text[0] not in "\"'-.0123456789":
        return None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None


_OPPOSITES: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
}


def _negated(text: str) -> str | None:
    """The opposite of ``x is not None``, ``x in y`` or ``x == y``, which read better than with a `not` before them."""
    node = ast.parse(text, mode="eval").body
    if not isinstance(node, ast.Compare) or len(node.ops) != 1 or type(node.ops[0]) not in _OPPOSITES:
        return None
    source, left, right = text.encode(), node.left.end_col_offset, node.comparators[0].col_offset
    before, between, after = source[:left].decode(), source[left:right].decode(), source[right:].decode()
    return f"{before}{between.replace(*_OPPOSITES[type(node.ops[0])])}{after}"


def _opposite(comparison: Py) -> Py:
    """The opposite of what ``_past_end`` gives."""
    if comparison.text.endswith(" is None"):
        return Py(f"{comparison.text.removesuffix(' is None')} is not None", code.COMPARE)
    return Py(" <= ".join(comparison.text.rsplit(" > ", 1)), code.COMPARE)
