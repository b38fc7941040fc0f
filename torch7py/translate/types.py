"""What is known of the kinds in a program: number, string, tensor, table, module, ... of each expression."""

from __future__ import annotations

from bisect import bisect_right

from torch7py.translate import tree
from torch7py.translate.kinds import LuaClass, Returns, Type
from torch7py.translate.scopes import Scopes, Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name

__all__ = ["Types"]


class Types:
    """The result: ``of(expression)``, and what was found out about functions and classes."""

    def __init__(self, scopes: Scopes) -> None:
        self.scopes = scopes
        self.by_node: dict[Expression, Type] = {}
        self.results: dict[Expression, list[Type]] = {}  # of calls, every value
        self.returns: dict[tree.Function, Returns] = {}
        self.versions: dict[Variable, tuple[list[int], list[Type]]] = {}
        self.classes: dict[str, LuaClass] = {}
        self.class_of_variable: dict[Variable, LuaClass] = {}
        self.parent_of_variable: dict[Variable, LuaClass] = {}
        self.calls_of: dict[tree.Function, list[Call | Invoke]] = {}

    def of(self, node: Expression) -> Type:
        return self.by_node[node].find() if node in self.by_node else Type()

    def kind(self, node: Expression) -> str | None:
        return self.of(node).kind

    def path(self, node: Expression) -> str | None:
        """``torch.randn`` for that expression, when its first name is a global nobody assigns."""
        if isinstance(node, Name):
            variable = self.scopes.of_name.get(node)
            if variable is not None and variable.is_global and not variable.writes:
                return node.name
            return None
        if isinstance(node, Index) and isinstance(node.key, tree.String) and node.dotted:
            base = self.path(node.base)
            return None if base is None else f"{base}.{node.key.value}"
        return None

    def version(self, name: Name) -> Type:
        variable = self.scopes.of_name[name]
        bounds, types = self.versions[variable]
        return types[bisect_right(bounds, name.place.start)].find()

    def function_called(self, call: Call | Invoke) -> list[tree.Function]:
        """The functions of the program that a call may reach."""
        if isinstance(call, Call):
            return self.of(call.callee).functions
        owner = self.of(call.receiver)
        if owner.lua_class is not None and call.method in owner.lua_class.methods:
            return [owner.lua_class.methods[call.method]]
        found = owner.fields.get(call.method)
        return found.find().functions if found is not None else []
