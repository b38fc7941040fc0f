"""How objects of a class are made: which functions give a table its metatable, and which tables become objects.

A maker is a function of the class that does so, or lets its parent's do so. It makes the table, or is handed one.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch7py.translate import forms, tree
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

    def makes(self, made: LuaClass, function: tree.Function) -> bool:
        """Whether a function of a class gives an object the class as its metatable, or lets a parent's do so."""
        first = function.parameters[0] if function.parameters else None
        for node in tree.walk(function.body):
            if (
                isinstance(node, Call)
                and self.types.path(node.callee) == "setmetatable"
                and len(node.arguments) == 2
                and self._is_class(node.arguments[1], made, function)
            ):
                return True
            if (
                isinstance(node, Call)
                and isinstance(node.callee, Index)
                and isinstance(node.callee.key, String)
                and made.base is not None
                and self.types.class_named(node.callee.base) is made.base
                and node.callee.key.value in made.base.makers
                and node.arguments
                and isinstance(node.arguments[0], Name)
                and first is not None
                and self.scopes.of_name[node.arguments[0]].declaration is first
            ):
                return True  # local o = Base.new(self, ...)
        return False

    def makes_by_call(self, made: LuaClass, meta: tree.Table) -> bool:
        """``setmetatable(C, {__call = function(cls, ...) ... end})``, where that makes an object of C."""
        entries = {item.key.value: item.value for item in meta.fields if isinstance(item.key, String)}
        function = entries.get("__call")
        if len(entries) != len(meta.fields) or entries.keys() - {"__call", "__index"}:
            return False
        if not isinstance(function, tree.Function) or not function.parameters:
            return False
        self.types.takes_class.add(function)
        if not self.makes(made, function):
            self.types.takes_class.discard(function)
            return False
        made.makers["__call"] = function
        return True

    def _is_class(self, meta: Expression, made: LuaClass, function: tree.Function) -> bool:
        if isinstance(meta, tree.Table):
            found = forms.index_of(meta)
            return found is not None and self._is_class(found, made, function)
        if not isinstance(meta, Name):
            return False
        first = function.parameters[0] if function.parameters else None
        if (
            first is not None
            and self.types.begins_with_self(function)
            and self.scopes.of_name[meta].declaration is first
        ):
            return True
        return self.types.class_named(meta) is made

    def takes_table(self, made: LuaClass, name: str) -> bool:
        """Whether a class makes objects by giving a table its metatable that it is handed, and does nothing else."""
        function = made.find(name)
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
                if (
                    isinstance(target, Index)
                    and isinstance(target.key, String)
                    and target.key.value == "__index"
                ):
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
                first = forms.bare(node.arguments[0])
                if isinstance(first, tree.Binary) and first.operator == "or":
                    first = first.left
                if isinstance(first, Name) and self.scopes.of_name[first].declaration is last:
                    return last
        return None

    # Tables

    def outside(self, program: Block, classes: Sequence[LuaClass]) -> None:
        """``setmetatable({x = 1}, C)`` in other functions than those of C."""
        own: list[Block | Statement] = [f.body for made in classes for f in made.makers.values()]
        for made in classes:
            own += [s for s in (made.statement, *made.parts) if not isinstance(s, tree.FunctionStatement)]
        inside = {id(node) for each in own for node in tree.walk(each)}
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
        made = next((c for c in classes if function in c.makers.values()), None)
        if made is None:
            return
        for node in tree.walk(function.body):
            if not (isinstance(node, Call) and self.types.path(node.callee) == "setmetatable"):
                continue
            first = _or_table(node.arguments[0])
            if isinstance(first, tree.Table):
                self.class_of[first] = made
            elif isinstance(first, Name):
                variable = self.scopes.of_name[first]
                for statement in forms.statements(function.body):
                    for target, value in zip(forms.targets(statement), forms.values(statement), strict=False):
                        value = _or_table(value)
                        if (
                            isinstance(target, Name)
                            and self.scopes.of_name[target] is variable
                            and isinstance(value, tree.Table)
                        ):
                            self.class_of[value] = made

    def handed(self, program: Block) -> None:
        """``Animal:new{name = 'rex'}``: the tables that are handed to a maker which takes them for the object."""
        for node in tree.those(program, Call, Invoke):
            if isinstance(node, Invoke):
                made, name, first = self.types.class_named(node.receiver), node.method, 1
            elif (
                isinstance(node, Call)
                and isinstance(node.callee, Index)
                and isinstance(node.callee.key, String)
            ):
                made, name, first = self.types.class_named(node.callee.base), node.callee.key.value, 0
            else:
                continue
            function = made.find(name) if made is not None else None
            if made is None or function is None or function not in self.types.table_handed:
                continue
            place = len(function.parameters) - 1 - first
            given = node.arguments[place] if 0 <= place < len(node.arguments) else None
            if isinstance(given, tree.Table) and made.prototype is not node:
                self.class_of[given] = made


def _or_table(node: Expression) -> Expression:
    """The table in ``o or {}``; any other expression itself."""
    node = forms.bare(node)
    return node.right if isinstance(node, tree.Binary) and node.operator == "or" else node
