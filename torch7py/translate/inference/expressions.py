"""Expressions other than calls and indices."""

from __future__ import annotations

import functools

from torch7py.translate import tree
from torch7py.translate.inference import tuples
from torch7py.translate.inference.calls import CallKinds
from torch7py.translate.inference.class_types import ClassTypes
from torch7py.translate.inference.indexing import IndexKinds
from torch7py.translate.inference.state import Inference
from torch7py.translate.inference.union_types import flow
from torch7py.translate.kind_rules import (
    equal_kinds,
    same_rank,
    same_value,
)
from torch7py.translate.kinds import LuaClass, Returns, Type, unify
from torch7py.translate.known_functions import known_function
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement
from torch7py.translate.tree_queries import bare

__all__ = ["ExpressionKinds"]

_LITERALS: dict[type[Expression], str] = {
    tree.String: "string",
    tree.Number: "number",
    tree.Boolean: "boolean",
}
_METAMETHODS = {"+": "__add", "-": "__sub", "*": "__mul", "/": "__div", "%": "__mod", "^": "__pow"}


class ExpressionKinds:
    def __init__(
        self,
        inference: Inference,
        calls: CallKinds,
        indexing: IndexKinds,
        class_types: ClassTypes,
    ) -> None:
        self.inference = inference
        self.types = inference.types
        self._calls, self._indexing = calls, indexing
        self._class_types = class_types

    def of(self, node: Expression) -> Type:
        plain = _LITERALS.get(type(node))
        if plain is not None:
            return Type(plain)
        if isinstance(node, (Name, Index)):
            if isinstance(self.types.path(node), str):
                lua_class = self.types.class_named(node)
                if lua_class is not None:
                    return self._class_types.value_type(lua_class)
            if isinstance(node, Name):
                return self.inference.name_type(node)
            return self._indexing.of(node)
        if isinstance(node, Call):
            return self._calls.call(node)
        if isinstance(node, Invoke):
            return self._calls.invoke(node)
        if isinstance(node, tree.Vararg):
            return self.inference.vararg()
        if isinstance(node, tree.Nil):
            nil_type = Type()
            nil_type.may_be_nil = True
            return nil_type
        if isinstance(node, tree.Paren):
            return self.inference.expression(node.inner)
        if isinstance(node, tree.Table):
            owner = self.inference.objects.class_of.get(node)
            return self._table(node) if owner is None else self._object(node, owner)
        if isinstance(node, tree.Function):
            return self._function(node)
        if isinstance(node, tree.Unary):
            return self._unary(node)
        if isinstance(node, tree.Binary):
            return self._binary(node)
        return Type()

    def _table(self, node: tree.Table) -> Type:
        table_type = Type("table")
        if node in self.inference.tuples:
            table_type.mark("array", tuples.MARK)
            table_type.of_keys().be("number")
            for index, item in enumerate(node.fields, 1):
                unify(table_type.of_field(str(index)), self.inference.expression(item.value))
            return table_type
        for item in node.fields:
            value = self.inference.expression(item.value)
            if item.key is None:
                table_type.mark("array")
                table_type.of_keys().be("number")
                self.inference.rules.append(functools.partial(_item, table_type, value))
            elif isinstance(item.key, tree.String):
                self.inference.expression(item.key)
                table_type.mark("record")
                table_type.of_keys().be("string")
                unify(table_type.of_field(item.key.value), value)
            else:
                unify(table_type.of_keys(), self.inference.expression(item.key))
                if isinstance(item.key, tree.Number):
                    table_type.mark("array" if item.key.value == 1 else "sparse")
                else:
                    table_type.mark("dict")
                unify(table_type.of_elements(), value)
        return table_type

    def _object(self, node: tree.Table, lua_class: LuaClass) -> Type:
        """A table that becomes an object of a class."""
        for item in node.fields:
            value = self.inference.expression(item.value)
            if isinstance(item.key, tree.String):
                self.inference.expression(item.key)
                unify(lua_class.instance.of_field(item.key.value), value)
        return lua_class.object()

    def _function(self, node: tree.Function) -> Type:
        function_type = Type("function")
        function_type.functions = (node,)
        self.types.returns[node] = Returns()
        checks = self.types.checks.get(node)
        for parameter, rule in zip(node.parameters, checks.rules if checks is not None else (), strict=False):
            parameter_type = self.inference.name_type(parameter)
            if rule.kind is not None:
                parameter_type.be(rule.kind)
            elif rule.type in self.types.classes:
                parameter_type.be_of(self.types.classes[rule.type].instance.find().classes)
            if rule.default is not None:
                unify(parameter_type, self.inference.expression(rule.default))
            elif rule.optional:
                parameter_type.be_nil()
        for parameter in node.parameters:
            self.inference.declare(parameter)
        known = known_function(node)
        if known:
            self.types.known[node] = known
        self.inference.function.append(node)
        self.inference.block(node.body)
        self.inference.function.pop()
        returns = self.types.returns[node]
        last = node.body.statements[-1] if node.body.statements else None
        if returns.counts and not _always_returns(last):
            returns.falls_off = True
            for index in range(max(1, returns.count)):
                returns.at(index).be_nil()
        if not returns.counts and not returns.open and not _always_returns(last):
            returns.at(0).be_nil()  # what nobody returns, where another function of that name does
        if not returns.open:
            for index in range(min(returns.counts, default=0), max(1, returns.count)):
                returns.at(index).be_nil()
        return function_type

    def _unary(self, node: tree.Unary) -> Type:
        operand = self.inference.expression(node.operand)
        if node.operator == "not":
            operand.mark("tested")
            return Type("boolean")
        if node.operator == "#":
            length_type = Type()
            length_type.mark("whole")

            def length() -> bool:
                if operand.kind == "tensor":
                    return length_type.be("storage")
                news = operand.kind == "table" and operand.mark("array")
                return (operand.kind is not None and length_type.be("number")) | news

            self.inference.rules.append(length)
            operand.mark("has a length")
            self.inference.guesses.append(
                lambda: operand.kind is None and operand.has("json") and operand.be("table")
            )
            self.inference.guesses.append(lambda: _counted(operand))
            self.inference.guesses.append(lambda: length_type.kind is None and length_type.be("number"))
            return length_type
        result = Type()

        def negate() -> bool:
            if operand.find().classes:
                return self._metamethod("__unm", operand, (operand,), result)
            return operand.kind in ("number", "tensor") and same_value(result, operand)

        self.inference.rules.append(negate)
        return result

    def _binary(self, node: tree.Binary) -> Type:
        left, right = self.inference.expression(node.left), self.inference.expression(node.right)
        operator = node.operator
        if operator in ("==", "~="):
            for one, other in ((node.left, right), (node.right, left)):
                if isinstance(one, tree.Nil):
                    other.mark("tested")
            self.inference.rules.append(lambda: equal_kinds(left, right))
            return Type("boolean")
        if operator in ("<", ">", "<=", ">="):
            self.inference.rules.append(lambda: equal_kinds(left, right))
            return Type("boolean")
        if operator == "..":
            return Type("string")
        if operator in ("and", "or"):
            return self._logical(node, left, right)
        result = Type()

        def arithmetic() -> bool:
            kinds = {left.kind, right.kind}
            for side in (left, right):
                if side.find().classes and (side.kind == "any" or side.has("asked")):
                    return False  # an object or a number, as the function finds out
                if side.find().classes:
                    return self._metamethod(_METAMETHODS[operator], side, (left, right), result)
            if operator == "+" and left.kind == "pointer":
                return result.be("pointer") | (right.kind is None and right.be("number"))
            if operator in ("%", "^") and None in kinds and "tensor" not in kinds:
                return left.be("number") | right.be("number") | result.be("number")
            if operator == "*" and kinds == {"tensor"}:
                product = self._product(left.rank, right.rank)
                return product is not None and (result.be(product[0]) | result.be_rank(product[1]))
            if "tensor" in kinds:
                news = result.be("tensor")
                for side in (left, right):
                    if (side.kind == "tensor" and operator != "*") or (
                        operator == "*" and kinds == {"tensor", "number"} and side.kind == "tensor"
                    ):
                        news |= same_rank(result, side)
                return news
            if kinds <= {"number", "string"}:
                return result.be("number")
            if result.kind == "number":
                return (left.be("number") if left.kind is None else False) | (
                    right.be("number") if right.kind is None else False
                )
            return False

        self.inference.rules.append(arithmetic)
        if operator == "*":
            self.inference.guesses.append(
                lambda: result.kind is None and {left.kind, right.kind} == {"tensor"} and result.be("tensor")
            )
        return result

    @staticmethod
    def _product(left: int | None, right: int | None) -> tuple[str, int | None] | None:
        """What kind the product of two tensors is, and its number of dimensions: of two vectors it is a number."""
        if left is None or right is None:
            return None
        if left == right == 1:
            return "number", None
        return "tensor", {(2, 1): 1, (2, 2): 2}.get((left, right))

    def _metamethod(self, name: str, owner: Type, operands: tuple[Type, ...], result: Type) -> bool:
        """``a + b`` where the class of a or b has an ``__add``."""
        news = False
        for function in self.types.methods_of(owner, name):
            for parameter, operand in zip(function.parameters, operands, strict=False):
                parameter_type = self.inference.name_type(parameter)
                if operand.find().classes:  # another operand of it may be a number
                    news |= parameter_type.be_of(operand.find().classes)
                elif operand.kind in ("number", "string", "boolean"):
                    news |= parameter_type.be(operand.kind)
                elif operand.kind is not None:
                    news |= unify(parameter_type, operand)
            news |= (
                unify(result, self.types.returns[function].at(0)) if function in self.types.returns else False
            )
        return news

    def _logical(self, node: tree.Binary, left: Type, right: Type) -> Type:
        result = Type()
        left.mark("tested")
        if _is_truth(node.left):  # false and 1 is false, true or 1 is true
            self.inference.rules.append(lambda: _either(result, right, left))
            return result
        if node.operator == "and" and isinstance(node.left, (Name, Index, Call, Invoke, tree.Paren)):
            if isinstance(node.right, Call) and self.types.path(node.right.callee) == "torch.load":
                unify(result, right)  # what a file gives, or nothing
                return result
            self.inference.rules.append(lambda: left.kind is not None and _both(result, right, left))
            self.inference.guesses.append(lambda: left.kind is None and unify(result, right))
            return result
        unify(result, right)
        literal = isinstance(node.left, tree.Boolean | tree.Nil)
        if node.operator == "or" and not literal:
            # `a and b or c`: the first operand is b (a is only a condition)
            first = bare(node.left)
            if isinstance(first, tree.Binary) and first.operator == "and":
                unify(result, self.inference.expression(first.right))
            elif not (left.kind == "boolean" and right.kind not in ("boolean", None)):
                nil = right.nil
                left.find().may_be_nil = True
                unify(result, left)
                result.find().may_be_nil = result.find().may_be_nil or nil
        return result


def _counted(type_: Type) -> bool:
    """What has a length and items by number is a list: of a tensor, # gives no number."""
    if (
        type_.kind is not None
        or type_.has("has methods")
        or type_.has("of a module")  # see ``indexing.py``
        or not type_.has("has items")
        or type_.find().fields
    ):
        return False
    return type_.be_list()


def _item(table: Type, value: Type) -> bool:
    """One of the values in a table: tensors in one table need not have as many dimensions."""
    element = table.of_elements()
    if value.kind == "tensor" and element.kind in (None, "tensor"):
        news = element.be("tensor") | (value.has("node") and element.mark("node"))
        for rank in value.find().ranks:
            news |= element.be_rank(rank)
        return news
    if value.kind is None and element.kind == "tensor":
        return value.be("tensor")
    return unify(element, value) if value.kind is not None or element.kind is not None else False


def _either(result: Type, right: Type, left: Type) -> bool:
    """``left and right``, or ``or``, with a truth value on the left: that, or what is on the right."""
    if right.kind == "boolean":
        return unify(result, right)
    news = result.has("tested") and right.mark("tested")
    if right.kind is not None:
        news |= result.be("boolean") | flow(result, right)
    return news


def _both(result: Type, right: Type, left: Type) -> bool:
    """``left and right``, which is false where left is, and nil where it is nil."""
    return _either(result, right, left) if left.kind in ("boolean", "any") else unify(result, right)


def _is_truth(node: Expression) -> bool:
    """Whether an expression is true or false, by its form."""
    node = bare(node)
    if isinstance(node, tree.Unary):
        return node.operator == "not"
    if not isinstance(node, tree.Binary):
        return False
    if node.operator in ("and", "or"):
        return _is_truth(node.left) and _is_truth(node.right)
    return node.operator in ("==", "~=", "<", ">", "<=", ">=")


def _always_returns(statement: Statement | None) -> bool:
    if isinstance(statement, tree.Return):
        return True
    if isinstance(statement, tree.If):
        blocks = [body for _, body in statement.branches]
        if statement.otherwise is None:
            return False
        return all(b.statements and _always_returns(b.statements[-1]) for b in [*blocks, statement.otherwise])
    if isinstance(statement, tree.Do):
        return bool(statement.body.statements) and _always_returns(statement.body.statements[-1])
    if isinstance(statement, tree.Run) and isinstance(statement.call, Call):
        callee = statement.call.callee
        return isinstance(callee, Name) and callee.name == "error"
    return False
