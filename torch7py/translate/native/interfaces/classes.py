"""What other parts of the writer ask about the program's own classes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Protocol

from torch7py.translate import tree
from torch7py.translate.kinds import LuaClass
from torch7py.translate.native import code
from torch7py.translate.native.analysis.program_facts import Known
from torch7py.translate.native.code import Py
from torch7py.translate.native.layer_fields import LayerFields
from torch7py.translate.native.problem import Problem
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name

__all__ = ["Classes"]


class _Uses(Protocol):
    def field(self, node: Index) -> Py:
        """A field of an object."""

    def entry(self, node: Index) -> Py | None:
        """``self.gradInput[1]`` in a method of a layer, where it has a variable of its own."""

    def named(self, node: Expression) -> Py | None:
        """A class as a value."""

    def call(self, node: Call | Invoke) -> Py | None:
        """A call that makes an object, or that of a parent's method."""


class _Fields(Protocol):
    def definite(self, lua_class: LuaClass) -> set[str]:
        """The fields that the constructor surely sets."""

    def fields_of(self, lua_class: LuaClass) -> list[str]:
        """The fields that the methods of a class and the program name."""

    def refuse_uncovered(self, target: Index) -> None:
        """Refuse a store of nil that would uncover a field of the class."""


class _Bodies(Protocol):
    def constant(self, lua_class: LuaClass, name: str, value: Expression) -> Py:
        """A field of a class itself."""

    def passes_down(self, node: Invoke) -> bool:
        """Whether a call is of methods that the page leaves to nn.Module."""

    def only_passes_down(self, name: str, function: tree.Function) -> bool:
        """Whether a method only calls that of its parent and those of the layers in it, as nn.Module does by itself."""

    def mode_called(self, node: Invoke, base: str) -> str:
        """A call of ``training`` or ``evaluate`` of a class that has them."""


class Classes:
    """The classes of a program, how they are named and what is written of them at the moment."""

    uses: _Uses
    fields: _Fields
    bodies: _Bodies
    layers: Mapping[LuaClass, LayerFields]  # how those of layers are written

    def __init__(self, known: Known) -> None:
        self.known = known
        classes = [*known.types.classes.values(), *known.types.class_of_variable.values()]
        self.all = list(dict.fromkeys(classes))
        self.names: dict[LuaClass, str] = {}
        self.owners: dict[tree.Function, LuaClass] = {}  # of methods
        self.failed: dict[LuaClass, Problem] = {}
        self.current: LayerFields | None = None  # whose methods are being written
        self.studied: LuaClass | None = None  # of which it is found out how it is written

    def family(self, lua_class: LuaClass) -> list[LuaClass]:
        """A class with those it derives from, and those that derive from them."""
        while lua_class.base is not None:
            lua_class = lua_class.base
        members = [lua_class]
        for member in members:
            members += [child for child in member.derived if child not in members]
        return members

    def is_of_class(self, function: tree.Function) -> bool:
        """Whether a method is only called on classes, never on their objects."""
        if not function.parameters or function.parameters[0].name != "self":
            return False
        calls = self.known.types.calls_of.get(function, [])
        return bool(calls) and all(
            isinstance(call, Invoke) and self.known.kind(call.receiver) == "class" for call in calls
        )

    @cached_property
    def fields_asked(self) -> dict[LuaClass, list[Index]]:
        """Where the program looks into objects of each class."""
        accesses: dict[LuaClass, list[Index]] = {}
        for node in tree.every(self.known.program, Index):
            for lua_class in self.known.type(node.base).find().classes:
                accesses.setdefault(lua_class, []).append(node)
        return accesses

    def torch_class_tables(self, variable: Variable) -> list[Name]:
        """Where a table is handed to torch.class, which puts a class into it."""
        holders = [lua_class.holder for lua_class in self.all if lua_class.holder is not None]
        return [name for name in holders if self.known.scopes.of_name[name] is variable]

    def functions(self, lua_class: LuaClass) -> list[tree.Function]:
        return [*lua_class.methods.values(), *lua_class.statics.values(), *lua_class.makers.values()]

    def takes_objects(self, functions: Sequence[tree.Function]) -> bool:
        """Whether functions that are called on a class take an object in Python: they are given the class itself."""
        return any(
            function in self.owners[function].methods.values() and not self.is_of_class(function)
            for function in functions
            if function in self.owners
        )

    def method_name(self, function: tree.Function) -> str:
        """What a function of a class is called in Python."""
        lua_class = self.owners[function]
        for kept in (lua_class.methods, lua_class.statics, lua_class.makers):
            for name, other in kept.items():
                if other is function:
                    return code.attribute_name(name)
        raise KeyError(function)

    @abstractmethod
    def method(self, lua_class: LuaClass, name: str) -> str:
        """What a method is called in Python."""

    @abstractmethod
    def layer_of(self, lua_class: LuaClass) -> LayerFields:
        """How a class of layers is written."""

    @abstractmethod
    def value(self, node: tree.Table) -> Py | None:
        """The table that becomes an object."""
