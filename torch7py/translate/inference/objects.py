"""How objects of a class are made: which functions give a table its metatable, and which tables become objects.

A maker is a function of the class that does so, or lets its parent's do so. It makes the table, or is handed one.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch7py.translate import tree, tree_queries
from torch7py.translate.kinds import LuaClass
from torch7py.translate.scopes import Scopes
from torch7py.translate.tree import Block, Call, Expression, Index, Invoke, Name, Statement, String
from torch7py.translate.types import Types

__all__ = ["Objects"]


class Objects:
    def __init__(self, types: Types, scopes: Scopes) -> None:
        self.types = types
        self.scopes = scopes
        self.class_of: dict[tree.Table, LuaClass] = {}  # tables that become objects

    # Makers

    def makes(self, lua_class: LuaClass, function: tree.Function) -> bool:
        """Whether a function of a class gives an object the class as its metatable, or lets a parent's do so."""
        first = function.parameters[0] if function.parameters else None
        for node in tree.walk(function.body):
            if (
                isinstance(node, Call)
                and self.types.path(node.callee) == "setmetatable"
                and len(node.arguments) == 2
                and self._is_class(node.arguments[1], lua_class, function)
            ):
                return True
            if (
                isinstance(node, Call)
                and isinstance(node.callee, Index)
                and isinstance(node.callee.key, String)
                and lua_class.base is not None
                and self.types.class_named(node.callee.base) is lua_class.base
                and node.callee.key.value in lua_class.base.makers
                and node.arguments
                and isinstance(node.arguments[0], Name)
                and first is not None
                and self.scopes.of_name[node.arguments[0]].declaration is first
            ):
                return True  # local o = Base.new(self, ...)
        return False

    def makes_by_call(self, lua_class: LuaClass, meta: tree.Table) -> bool:
        """``setmetatable(C, {__call = function(cls, ...) ... end})``, where that makes an object of C."""
        entries = meta.named_values
        function = entries.get("__call")
        if len(entries) != len(meta.fields) or entries.keys() - {"__call", "__index"}:
            return False
        if not isinstance(function, tree.Function) or not function.parameters:
            return False
        self.types.takes_class.add(function)
        if not self.makes(lua_class, function):
            self.types.takes_class.discard(function)
            return False
        lua_class.makers["__call"] = function
        return True

    def _is_class(self, meta: Expression, lua_class: LuaClass, function: tree.Function) -> bool:
        if isinstance(meta, tree.Table):
            index_value = tree_queries.index_of(meta)
            return index_value is not None and self._is_class(index_value, lua_class, function)
        if not isinstance(meta, Name):
            return False
        first = function.parameters[0] if function.parameters else None
        if (
            first is not None
            and self.types.begins_with_self(function)
            and self.scopes.of_name[meta].declaration is first
        ):
            return True
        return self.types.class_named(meta) is lua_class

    def takes_table(self, lua_class: LuaClass, name: str) -> bool:
        """Whether a class makes objects by giving a table its metatable that it is handed, and does nothing else."""
        function = lua_class.find(name)
        table = self.types.table_handed.get(function) if function is not None else None
        if function is None or table is None:
            return False
        for statement in function.body.statements:  # what it does to a class, too, is nothing that is seen
            if isinstance(statement, tree.Run):
                if (
                    isinstance(statement.call, Call)
                    and self.types.path(statement.call.callee) == "setmetatable"
                ):
                    continue
                return False
            if isinstance(statement, tree.Assign):
                target = statement.targets[0]
                if isinstance(target, Name) and target.name == table.name:
                    continue
                if isinstance(target, Index) and target.key_name == "__index":
                    continue
                return False
            if not isinstance(statement, tree.Return):
                return False
        return True

    def table_handed(self, function: tree.Function) -> Name | None:
        """The last parameter of a maker, which is a table that becomes the object."""
        last = function.parameters[-1] if function.parameters else None
        if last is None or function.vararg:
            return None
        for node in tree.walk(function.body):
            if isinstance(node, Call) and self.types.path(node.callee) == "setmetatable" and node.arguments:
                first = tree_queries.bare(node.arguments[0])
                if isinstance(first, tree.Binary) and first.operator == "or":
                    first = first.left
                if isinstance(first, Name) and self.scopes.of_name[first].declaration is last:
                    return last
        return None

    # Tables

    def outside(self, program: Block, classes: Sequence[LuaClass]) -> None:
        """``setmetatable({x = 1}, C)`` in other functions than those of C."""
        class_parts: list[Block | Statement] = [
            f.body for lua_class in classes for f in lua_class.makers.values()
        ]
        for lua_class in classes:
            class_parts += [
                s
                for s in (lua_class.statement, *lua_class.parts)
                if not isinstance(s, tree.FunctionStatement)
            ]
        inside = {id(node) for part in class_parts for node in tree.walk(part)}
        tables = {
            self.scopes.of_name[name]: value
            for statement in tree.those(program, tree.Local)
            if isinstance(statement, tree.Local)
            for name, value in zip(statement.names, statement.values, strict=False)
        }
        for call in tree.every(program, Call):
            if (
                id(call) in inside
                or len(call.arguments) != 2
                or self.types.path(call.callee) != "setmetatable"
            ):
                continue
            first, meta = call.arguments
            owner = self.types.class_named(meta) if isinstance(meta, Name) else None
            if owner is None or not owner.by_metatable:
                continue
            if isinstance(first, Name) and not self.scopes.of_name[first].writes:
                first = tables.get(self.scopes.of_name[first], first)
            if isinstance(first, tree.Table) and first not in self.class_of:
                self.class_of[first] = owner
                owner.literals.append((call, first))

    def in_maker(self, function: tree.Function, classes: Sequence[LuaClass]) -> None:
        """The tables that a function makes objects of a class."""
        lua_class = next((c for c in classes if function in c.makers.values()), None)
        if lua_class is None:
            return
        for node in tree.walk(function.body):
            if not (isinstance(node, Call) and self.types.path(node.callee) == "setmetatable"):
                continue
            if len(node.arguments) == 2 and not self._is_class(node.arguments[1], lua_class, function):
                continue  # a table of another kind
            first = _or_table(node.arguments[0])
            if isinstance(first, tree.Table):
                self.class_of[first] = lua_class
            elif isinstance(first, Name):
                variable = self.scopes.of_name[first]
                for statement in tree_queries.statements(function.body):
                    for target, value in zip(
                        tree_queries.targets(statement), tree_queries.values(statement), strict=False
                    ):
                        value = _or_table(value)
                        if (
                            isinstance(target, Name)
                            and self.scopes.of_name[target] is variable
                            and isinstance(value, tree.Table)
                        ):
                            self.class_of[value] = lua_class

    def handed(self, program: Block) -> None:
        """``Animal:new{name = 'rex'}``: the tables that are handed to a maker which takes them for the object."""
        for node in tree.those(program, Call, Invoke):
            if isinstance(node, Invoke):
                lua_class, name, first = self.types.class_named(node.receiver), node.method, 1
            elif (
                isinstance(node, Call)
                and isinstance(node.callee, Index)
                and isinstance(node.callee.key, String)
            ):
                lua_class, name, first = self.types.class_named(node.callee.base), node.callee.key.value, 0
            else:
                continue
            function = lua_class.find(name) if lua_class is not None else None
            if lua_class is None or function is None or function not in self.types.table_handed:
                continue
            position = len(function.parameters) - 1 - first
            argument = node.arguments[position] if 0 <= position < len(node.arguments) else None
            if isinstance(argument, tree.Table) and lua_class.prototype is not node:
                self.class_of[argument] = lua_class


def _or_table(node: Expression) -> Expression:
    """The table in ``o or {}``; any other expression itself."""
    node = tree_queries.bare(node)
    return node.right if isinstance(node, tree.Binary) and node.operator == "or" else node
