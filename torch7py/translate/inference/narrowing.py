"""What is known of a parameter of several kinds where it is read, by the tests that stand before.

``if type(x) == 'table' then ... elseif torch.isTensor(x) then ... else ... end``: in each branch x may be of fewer
kinds than it is given, also behind an ``if`` whose branch ends the function. That holds of parameters that are never
assigned.
"""

from __future__ import annotations

from collections.abc import Iterable

from torch7py.translate import tree
from torch7py.translate.scopes import Scopes, Variable
from torch7py.translate.tree import Binary, Block, Call, Expression, Function, Invoke, Name, Statement, String
from torch7py.translate.tree_queries import bare
from torch7py.translate.types import Types

__all__ = ["EVERYTHING", "Kinds", "Narrowing", "lua_type_of"]

Kinds = frozenset[str]

_LUA_TYPES = {
    **{kind: kind for kind in ("nil", "number", "string", "boolean", "function", "table")},
    **dict.fromkeys(("object", "module", "criterion", "class"), "table"),
    **dict.fromkeys(("tensor", "storage"), "userdata"),
}
EVERYTHING: Kinds = frozenset({*_LUA_TYPES, "other"})
# That may have a torch.typename.
_TYPED = frozenset({"tensor", "storage", "module", "criterion", "object", "other"})
_NOTHING: Kinds = frozenset()


def lua_type_of(kind: str) -> str | None:
    """What ``type`` says of a kind, where that is plain."""
    return _LUA_TYPES.get(kind)


class Narrowing:
    """``kinds``: of what a name may be where it stands; ``returns``: of a parameter where a function ends."""

    def __init__(self, types: Types, scopes: Scopes) -> None:
        self.types, self.scopes = types, scopes
        self.kinds: dict[Name, Kinds] = {}
        self.returns: dict[tree.Return, Kinds] = {}
        self.parameter: dict[Function, Name] = {}  # the one parameter of a function that is tested

    def function(self, function: Function, sinks: Iterable[Name]) -> None:
        """Look at the parameters of a function that are of several kinds."""
        for parameter in sinks:
            variable = self.scopes.of_name[parameter]
            if variable.writes or not any(self._is_test(node, variable) for node in tree.walk(function.body)):
                continue
            if self.parameter.setdefault(function, parameter) is parameter:
                self.tested = variable
                self._block(function.body, EVERYTHING)

    def _is_test(self, node: tree.Node | Block, variable: Variable) -> bool:
        if not isinstance(node, Expression):
            return False
        return self._facts(node, variable) != (EVERYTHING, EVERYTHING)

    # Statements

    def _block(self, block: Block, kinds: Kinds) -> Kinds:
        """What the parameter may be behind a block; nothing, where that is not reached."""
        for statement in block.statements:
            kinds = self._statement(statement, kinds)
        return kinds

    def _statement(self, node: Statement, kinds: Kinds) -> Kinds:
        if isinstance(node, tree.If):
            behind = _NOTHING
            for condition, body in node.branches:
                self._expression(condition, kinds)
                true, false = self._facts(condition, self.tested)
                behind |= self._block(body, kinds & true)
                kinds &= false
            return behind | (self._block(node.otherwise, kinds) if node.otherwise is not None else kinds)
        if isinstance(node, tree.Label):
            return EVERYTHING  # which is jumped to from anywhere
        if isinstance(node, tree.Return):
            self.returns[node] = kinds
        if isinstance(node, tree.Run) and isinstance(node.call, Call):
            path = self.types.path(node.call.callee)
            self._expression(node.call, kinds)
            if path == "assert" and node.call.arguments:
                return kinds & self._facts(node.call.arguments[0], self.tested)[0]
            return _NOTHING if path == "error" else kinds
        for child in tree.children(node):
            if isinstance(child, Block):
                after = self._block(child, kinds)
                kinds = after if isinstance(node, tree.Do) else kinds
            elif isinstance(child, Expression):
                self._expression(child, kinds)
        return _NOTHING if isinstance(node, (tree.Return, tree.Break, tree.Goto)) else kinds

    def _expression(self, node: tree.Node | Block, kinds: Kinds) -> None:
        if isinstance(node, Name):
            if self.scopes.of_name.get(node) is self.tested and kinds != EVERYTHING:
                self.kinds[node] = kinds
        elif isinstance(node, Binary) and node.operator in ("and", "or"):
            self._expression(node.left, kinds)
            true, false = self._facts(node.left, self.tested)
            self._expression(node.right, kinds & (true if node.operator == "and" else false))
        elif isinstance(node, Function):
            outer = self.returns.copy()
            self._block(node.body, kinds)
            self.returns = outer
        else:
            for child in tree.children(node):
                self._expression(child, kinds)

    # Tests

    def _facts(self, node: Expression, variable: Variable) -> tuple[Kinds, Kinds]:
        """What a variable may be where a condition is true, and where it is not."""
        node = bare(node)
        if isinstance(node, tree.Unary) and node.operator == "not":
            true, false = self._facts(node.operand, variable)
            return false, true
        if isinstance(node, Binary) and node.operator in ("and", "or"):
            left, right = self._facts(node.left, variable), self._facts(node.right, variable)
            if node.operator == "and":
                return left[0] & right[0], left[1] | (left[0] & right[1])
            return left[0] | (left[1] & right[0]), left[1] & right[1]
        if isinstance(node, Binary) and node.operator in ("==", "~="):
            true, false = self._equal(node.left, node.right, variable)
            if (true, false) == (EVERYTHING, EVERYTHING):
                true, false = self._equal(node.right, node.left, variable)
            return (true, false) if node.operator == "==" else (false, true)
        if self._is_variable(node, variable):
            return EVERYTHING - {"nil"}, frozenset({"nil", "boolean"})
        if isinstance(node, Call) and self._asks(node, variable) == "torch.isTensor":
            return frozenset({"tensor"}), EVERYTHING - {"tensor"}
        if isinstance(node, Call) and self._asks(node, variable) == "torch.typename":
            return _TYPED, EVERYTHING - {"tensor", "storage", "module", "criterion"}
        if self._finds_tensor(node, variable):
            return frozenset({"tensor"}), EVERYTHING - {"tensor"}
        return EVERYTHING, EVERYTHING

    def _equal(self, asked: Expression, other: Expression, variable: Variable) -> tuple[Kinds, Kinds]:
        """``type(x) == 'table'``, ``torch.type(x) == 'torch.DoubleTensor'``, ``x == nil``"""
        if isinstance(other, tree.Nil) and self._is_variable(asked, variable):
            return frozenset({"nil"}), EVERYTHING - {"nil"}
        path = self._asks(asked, variable)
        if isinstance(other, tree.Nil) and path == "torch.typename":
            return EVERYTHING - {"tensor", "storage", "module", "criterion"}, _TYPED
        if not isinstance(other, String) or path not in ("type", "torch.type", "torch.typename"):
            return EVERYTHING, EVERYTHING
        if path != "type" and "." in other.value:
            is_tensor = other.value.startswith("torch.") and other.value.endswith("Tensor")
            return (frozenset({"tensor"}) if is_tensor else EVERYTHING), EVERYTHING
        true = {kind for kind, said in _LUA_TYPES.items() if said == other.value}
        if path == "type":
            return frozenset(true | {"other"}), EVERYTHING - true
        plain = other.value if other.value in _LUA_TYPES else None
        if plain is None:
            return EVERYTHING, EVERYTHING
        # an object of a metatable is a table, one of torch.class is not
        return frozenset({plain, "other", *(("object", "class") if plain == "table" else ())}), EVERYTHING - {
            plain
        }

    def _asks(self, node: Expression, variable: Variable) -> str | None:
        """The function that is asked what a variable is."""
        node = bare(node)
        if (
            isinstance(node, Call)
            and len(node.arguments) == 1
            and self._is_variable(node.arguments[0], variable)
        ):
            return self.types.path(node.callee)
        return None

    def _finds_tensor(self, node: Expression, variable: Variable) -> bool:
        """``torch.type(x):find('Tensor')``, ``string.find(torch.type(x), 'torch%..*Tensor')``"""
        if isinstance(node, Invoke) and node.method in ("find", "match") and len(node.arguments) == 1:
            asked, pattern = node.receiver, node.arguments[0]
        elif isinstance(node, Call) and len(node.arguments) == 2:
            if self.types.path(node.callee) not in ("string.find", "string.match"):
                return False
            asked, pattern = node.arguments
        else:
            return False
        named = isinstance(pattern, String) and pattern.value.endswith("Tensor")
        return named and self._asks(asked, variable) in ("torch.type", "torch.typename")

    def _is_variable(self, node: Expression, variable: Variable) -> bool:
        node = bare(node)
        return isinstance(node, Name) and self.scopes.of_name.get(node) is variable
