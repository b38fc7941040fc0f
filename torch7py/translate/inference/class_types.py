"""The types of classes: of a class itself, of its fields and methods, and of the variables that hold it.

The objects of a class have one type with those of all classes that derive from it, or that it derives from.
"""

from __future__ import annotations

from torch7py.translate import forms, tree
from torch7py.translate.inference.classes import BINARY
from torch7py.translate.inference.state import Inference
from torch7py.translate.kinds import LuaClass, Type, unify
from torch7py.translate.tree import Call, Expression, Index, Invoke, Statement, String

__all__ = ["ClassTypes"]


class ClassTypes:
    def __init__(self, inference: Inference) -> None:
        self.types = inference.types
        self._made_by: dict[Statement, LuaClass] = {}
        self._of_part: dict[Statement, LuaClass] = {}

    def know(self, classes: list[LuaClass]) -> None:
        """Where the statements are that make them."""
        for made in classes:
            self._made_by.setdefault(made.statement, made)
            self._know_objects(made)
            for part in made.parts:
                self._of_part.setdefault(part, made)

    def _know_objects(self, made: LuaClass) -> None:
        """Which variables of its methods are objects of a class, and of no other that has the method too."""
        types = self.types
        for function in made.methods.values():
            first = function.parameters[0] if function.parameters else None
            if first is not None and first.name == "self":
                variable = types.scopes.of_name[first]
                if types.self_of.setdefault(variable, made) is not made:
                    del types.self_of[variable]

    def value_type(self, made: LuaClass) -> Type:
        """The type of the class itself."""
        found = Type("class")
        found.classes = (made,)
        return found

    def part(self, inference: Inference, statement: Statement) -> bool:
        """Give a statement that is a part of a class its types; whether it is one."""
        made = self._of_part.get(statement)
        if made is None:
            return False
        beside = forms.only_value(statement) if isinstance(statement, (tree.Local, tree.Assign)) else None
        if isinstance(statement, tree.FunctionStatement):
            target, value = statement.target, statement.function
        elif isinstance(statement, tree.Assign) and isinstance(statement.targets[0], Index):
            target, value = statement.targets[0], statement.values[0]  # type: ignore[assignment]
        elif isinstance(beside, tree.Table):  # a metatable beside its methods
            for item in beside.fields:
                if isinstance(item.key, String):
                    self.field(inference, made, item.key.value, item.value)
            return True
        else:
            self._called(inference, made, statement)
            return True
        assert isinstance(target, Index)
        assert isinstance(target.key, String)
        self.field(inference, made, target.key.value, value)
        return True

    def _called(self, inference: Inference, made: LuaClass, statement: Statement) -> None:
        """Give types to a ``__call`` that makes objects, where its statement is the one of its metatable."""
        maker = made.makers.get("__call")
        if maker is not None and any(node is maker for node in tree.walk(statement)):
            self.field(inference, made, "__call", maker)

    def field(self, inference: Inference, made: LuaClass, name: str, value: Expression) -> None:
        if (name == "__index" and not isinstance(value, tree.Function)) or name in made.inherited:
            return
        found = inference.expression(value)
        if isinstance(value, tree.Function):
            first = value.parameters[0] if value.parameters else None
            if first is not None and (self.types.begins_with_self(value) or name in made.methods):
                own = self.value_type(made) if name in made.makers else made.instance
                if name in BINARY:  # the object may be the other one
                    inference.name_type(first).be_of(made.instance.find().classes)
                else:
                    unify(inference.name_type(first), own)
            if name in ("__eq", "__lt", "__le"):  # only asked of two objects
                for parameter in value.parameters:
                    unify(inference.name_type(parameter), made.instance)
        else:
            unify(made.instance.of_field(name), found)

    def made_here(self, inference: Inference, statement: Statement) -> bool:
        """Whether a statement makes a class; the variables of the class and of its parent are given their types."""
        made = self._made_by.get(statement)
        if made is None:
            return False
        for variable, owner in self.types.class_of_variable.items():
            if owner is made:
                for found in self.types.versions[variable][1]:
                    unify(found, self.value_type(made))
        for variable, owner in self.types.parent_of_variable.items():
            if owner is made:
                base = self.value_type(made.base) if made.base is not None else Type("class")
                for found in self.types.versions[variable][1]:
                    unify(found, base)
        if made.holder is not None:
            table = inference.expression(made.holder)
            table.be("table")
            unify(table.of_field(made.name.rpartition(".")[2]), self.value_type(made))
        self._called(inference, made, statement)
        value = forms.only_value(statement)
        if isinstance(value, (Call, Invoke)) and value.arguments:
            value = value.arguments[0]
        if made.by_metatable and isinstance(value, tree.Table):
            for item in value.fields:
                if isinstance(item.key, String):
                    self.field(inference, made, item.key.value, item.value)
        return True
