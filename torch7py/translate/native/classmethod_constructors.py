"""Functions that make the objects of a metatable and cannot be ``__init__``: class methods that begin with ``cls()``.

A class may have several of them (``new``, ``load``, ``from_table``), or one that makes its object only on some of its
ways or gives something else on others. Its objects begin empty then, and are filled where the Lua function fills them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from torch7py.translate import tree
from torch7py.translate.kinds import LuaClass
from torch7py.translate.native import code
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement, String

__all__ = ["Factories"]


@dataclass(eq=False)
class Factories:
    t: Translation
    functions: set[tree.Function] = field(default_factory=set)
    # That become objects: of which class, as text.
    tables: dict[tree.Table, str] = field(default_factory=dict)
    setmetatable_calls: set[Call] = field(default_factory=set)  # calls of setmetatable on such a table
    _filled: dict[Statement, tree.Table] = field(default_factory=dict)

    def study(self, lua_class: LuaClass, function: tree.Function, name: str) -> None:
        """See which tables of a function become objects of a class."""
        t = self.t
        first = function.parameters[0] if function.parameters else None
        class_parameter = (
            t.scopes.of_name[first] if first is not None and t.types.begins_with_self(function) else None
        )
        if class_parameter is not None and class_parameter.writes:
            raise Problem("T7-242", function.line, "a constructor that changes its class")
        inside = [node for node in tree.walk(function.body) if isinstance(node, Call)]
        for call in inside:
            if t.path(call.callee) != "setmetatable" or len(call.arguments) != 2:
                continue
            meta = self._class_of(call.arguments[1], lua_class, class_parameter, name)
            if meta is None:
                continue
            first_argument = call.arguments[0]
            if isinstance(first_argument, tree.Table):
                self._take(first_argument, meta)
            elif isinstance(first_argument, Name):
                tables = self._tables(function, t.scopes.of_name[first_argument])
                for table in tables or ():
                    self._take(table, meta)
                if tables is None:
                    continue  # of an object that it did not make: that statement has no native form
            else:
                continue
            self.setmetatable_calls.add(call)
        self.functions.add(function)
        if class_parameter is not None:
            t.names.chosen[class_parameter] = "cls"
        for node in tree.walk(function.body):
            if isinstance(node, (tree.Assignment, tree.Return)) and len(node.values) == 1:
                filled_table = self._table_in(node.values[0])
                if filled_table is not None and filled_table.fields:
                    self._filled[node] = filled_table

    def _take(self, table: tree.Table, meta: str) -> None:
        if any(item.key_name is None for item in table.fields):
            raise Problem("T7-242", table.line, "an object with items")
        if self.tables.setdefault(table, meta) != meta:
            raise Problem("T7-242", table.line, "an object of one of several classes")

    def _class_of(
        self, meta: Expression, lua_class: LuaClass, class_parameter: Variable | None, name: str
    ) -> str | None:
        """The class that a metatable is: ``cls`` where it is the one that the function is called on."""
        if isinstance(meta, tree.Table):
            inner = [item.value for item in meta.fields if isinstance(item.key, String)]
            if len(meta.fields) != 1 or len(inner) != 1:
                return None
            return self._class_of(inner[0], lua_class, class_parameter, name)
        if not isinstance(meta, Name):
            return None
        if class_parameter is not None and self.t.scopes.of_name[meta] is class_parameter:
            return "cls"
        return name if self.t.types.class_named(meta) is lua_class else None

    def _tables(self, function: tree.Function, variable: Variable) -> list[tree.Table] | None:
        """The tables that a local variable is given; None where it may hold something else than an object."""
        if variable.scope is not self.t.scopes.of_function[function]:
            return None
        tables: list[tree.Table] = []
        declared = False
        for node in tree.walk(function.body):
            if not isinstance(node, tree.Assignment):
                continue
            declared |= isinstance(node, tree.Local) and variable.declaration in node.targets
            for index, target in enumerate(node.targets):
                if not isinstance(target, Name) or self.t.scopes.of_name[target] is not variable:
                    continue
                value = node.values[index] if index < len(node.values) else None
                if isinstance(value, tree.Table):
                    tables.append(value)
                elif not (value is None and not node.values) and not self._is_object(value):
                    return None
        return tables if declared else None

    def _is_object(self, value: Expression | None) -> bool:
        """Whether a value is nil, or an object that another function of the class has made."""
        if isinstance(value, tree.Nil):
            return True
        return isinstance(value, (Call, Invoke)) and self.t.kind(value) == "object"

    def _table_in(self, value: Expression) -> tree.Table | None:
        """The table that becomes an object: by itself, or within setmetatable."""
        if isinstance(value, Call) and value in self.setmetatable_calls:
            value = value.arguments[0]
        return value if isinstance(value, tree.Table) and value in self.tables else None

    def definite(self, functions: Iterable[tree.Function]) -> set[str]:
        """The fields that all of them set on every object that they make, whatever happens."""
        common_fields: set[str] | None = None
        for function in functions:
            tables = [n for n in tree.walk(function.body) if isinstance(n, tree.Table) and n in self.tables]
            for table in tables:
                fields = set(table.named_values)
                if len(tables) == 1:
                    fields |= self._set_later(function, table)
                common_fields = fields if common_fields is None else common_fields & fields
        return common_fields or set()

    def _set_later(self, function: tree.Function, table: tree.Table) -> set[str]:
        """The fields that are set behind the table that a local variable is given, before anything can end."""
        fields: set[str] = set()
        variable: Variable | None = None
        for statement in function.body.statements:
            if isinstance(statement, tree.Local) and any(
                self._table_in(v) is table for v in statement.values
            ):
                variable = self.t.scopes.of_name[statement.names[0]]
                continue
            if isinstance(statement, tree.Run) and statement.call in self.setmetatable_calls:
                continue
            targets = statement.targets if isinstance(statement, tree.Assign) else ()
            filled = [t for t in targets if isinstance(t, Index) and isinstance(t.key, String)]
            bases = {t.base for t in filled}
            for node in tree.walk(statement):
                if isinstance(node, tree.Return) and variable is None:
                    return fields
                if isinstance(node, Name) and self.t.scopes.of_name[node] is variable and node not in bases:
                    return fields  # it may be asked for a field
            for target in filled:
                if isinstance(target.base, Name) and self.t.scopes.of_name[target.base] is variable:
                    assert isinstance(target.key, String)
                    fields.add(target.key.value)
        return fields

    # Writing

    def is_of_class(self, function: tree.Function) -> bool:
        """Whether a function takes the class first."""
        return self.t.types.begins_with_self(function)

    def call(self, node: Call) -> code.Py | None:
        """``setmetatable(o, C)``, which is o."""
        return self.t.value(node.arguments[0]) if node in self.setmetatable_calls else None

    def value(self, node: tree.Table) -> code.Py | None:
        """An object that begins empty."""
        class_name = self.tables.get(node)
        if class_name is None:
            return None
        if node.fields:
            raise Problem("T7-242", node.line, "an object with fields in the middle of an expression")
        return code.atom(f"{class_name}()")

    def statement(self, node: Statement) -> bool:
        """Write a statement that makes an object with fields, or gives one its metatable; whether it is one."""
        if isinstance(node, tree.Run):
            return node.call in self.setmetatable_calls and isinstance(node.call.arguments[0], Name)
        table = self._filled.get(node)
        if table is None:
            return False
        t = self.t
        if isinstance(node, tree.Return):
            name = t.fresh("made")
        else:
            assert isinstance(node, tree.Assignment)
            if len(node.targets) != 1 or not isinstance(node.targets[0], Name):
                raise Problem("T7-242", node.line, "an object with fields in the middle of an expression")
            variable = t.scopes.of_name[node.targets[0]]
            if any(isinstance(n, Name) and t.scopes.of_name[n] is variable for n in tree.walk(table)):
                raise Problem("T7-242", node.line, "an object made of the one before it")
            name = t.target(node.targets[0])
        t.emit(f"{name} = {self.tables[table]}()")
        for item in table.fields:
            assert isinstance(item.key, String)
            for comment in item.before:
                t.comment(comment)
            t.emit(f"{name}.{code.attribute_name(item.key.value)} = {t.value(item.value)}")
            if item.trailing is not None:
                t.trail(len(t.lines) - 1, item.trailing)
        if isinstance(node, tree.Return):
            t.emit(f"return {name}")
        return True
