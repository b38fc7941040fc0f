"""The types of classes: of a class itself, of its fields and methods, and of the variables that hold it.

The objects of a class have one type with those of all classes that derive from it, or that it derives from.
"""

from __future__ import annotations

from torch7py.translate import tree, tree_queries
from torch7py.translate.inference.classes import BINARY
from torch7py.translate.inference.state import Inference
from torch7py.translate.kinds import LuaClass, Type, unify
from torch7py.translate.tree import Call, Expression, Index, Invoke, Statement, String

__all__ = ["ClassTypes"]


class ClassTypes:
    def __init__(self, inference: Inference) -> None:
        self.types = inference.types
        self._class_of_statement: dict[Statement, LuaClass] = {}
        self._of_part: dict[Statement, LuaClass] = {}

    def know(self, classes: list[LuaClass]) -> None:
        """Where the statements are that make them."""
        for lua_class in classes:
            self._class_of_statement.setdefault(lua_class.statement, lua_class)
            self._know_objects(lua_class)
            for part in lua_class.parts:
                self._of_part.setdefault(part, lua_class)

    def _know_objects(self, lua_class: LuaClass) -> None:
        """Which variables of its methods are objects of a class, and of no other that has the method too."""
        types = self.types
        for function in lua_class.methods.values():
            first = function.parameters[0] if function.parameters else None
            if first is not None and first.name == "self":
                variable = types.scopes.of_name[first]
                if types.self_of.setdefault(variable, lua_class) is not lua_class:
                    del types.self_of[variable]

    def value_type(self, lua_class: LuaClass) -> Type:
        """The type of the class itself."""
        class_type = Type("class")
        class_type.classes = (lua_class,)
        return class_type

    def part(self, inference: Inference, statement: Statement) -> bool:
        """Give a statement that is a part of a class its types; whether it is one."""
        lua_class = self._of_part.get(statement)
        if lua_class is None:
            return False
        beside = tree_queries.only_value(statement) if isinstance(statement, tree.Assignment) else None
        if isinstance(statement, tree.FunctionStatement):
            target, value = statement.target, statement.function
        elif isinstance(statement, tree.Assign) and isinstance(statement.targets[0], Index):
            target, value = statement.targets[0], statement.values[0]  # type: ignore[assignment]
        elif isinstance(beside, tree.Table):  # a metatable beside its methods
            for item in beside.fields:
                if isinstance(item.key, String):
                    self.field(inference, lua_class, item.key.value, item.value)
            return True
        else:
            self._called(inference, lua_class, statement)
            return True
        assert isinstance(target, Index)
        assert isinstance(target.key, String)
        self.field(inference, lua_class, target.key.value, value)
        return True

    def _called(self, inference: Inference, lua_class: LuaClass, statement: Statement) -> None:
        """Give types to a ``__call`` that makes objects, where its statement is the one of its metatable."""
        maker = lua_class.makers.get("__call")
        if maker is not None and any(node is maker for node in tree.walk(statement)):
            self.field(inference, lua_class, "__call", maker)

    def field(self, inference: Inference, lua_class: LuaClass, name: str, value: Expression) -> None:
        if (name == "__index" and not isinstance(value, tree.Function)) or name in lua_class.inherited:
            return
        inferred = inference.expression(value)
        if isinstance(value, tree.Function):
            first = value.parameters[0] if value.parameters else None
            if first is not None and (self.types.begins_with_self(value) or name in lua_class.methods):
                self_type = self.value_type(lua_class) if name in lua_class.makers else lua_class.object()
                if name in BINARY:  # the object may be the other one
                    inference.name_type(first).be_of(lua_class.instance.find().classes)
                else:
                    unify(inference.name_type(first), self_type)
            if name in ("__eq", "__lt", "__le"):  # only asked of two objects
                for parameter in value.parameters:
                    unify(inference.name_type(parameter), lua_class.object())
        else:
            unify(lua_class.instance.of_field(name), inferred)

    def defines_class(self, inference: Inference, statement: Statement) -> bool:
        """Whether a statement makes a class; the variables of the class and of its parent are given their types."""
        lua_class = self._class_of_statement.get(statement)
        if lua_class is None:
            return False
        for variable, owner in self.types.class_of_variable.items():
            if owner is lua_class:
                for version in self.types.versions[variable][1]:
                    unify(version, self.value_type(lua_class))
        for variable, owner in self.types.parent_of_variable.items():
            if owner is lua_class:
                base = self.value_type(lua_class.base) if lua_class.base is not None else Type("class")
                for version in self.types.versions[variable][1]:
                    unify(version, base)
        if lua_class.holder is not None:
            table = inference.expression(lua_class.holder)
            table.be("table")
            unify(table.of_field(lua_class.name.rpartition(".")[2]), self.value_type(lua_class))
        self._called(inference, lua_class, statement)
        value = tree_queries.only_value(statement)
        if isinstance(value, (Call, Invoke)) and value.arguments:
            value = value.arguments[0]
        if lua_class.by_metatable and isinstance(value, tree.Table):
            for item in value.fields:
                if isinstance(item.key, String):
                    self.field(inference, lua_class, item.key.value, item.value)
        return True
