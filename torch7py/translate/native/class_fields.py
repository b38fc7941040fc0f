"""The fields of the program's own classes: which there are, and which a constructor sets."""

from __future__ import annotations

from functools import cached_property

from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.inference.classes import METAMETHODS
from torch7py.translate.kinds import LuaClass
from torch7py.translate.native import code
from torch7py.translate.native.classmethod_constructors import Factories
from torch7py.translate.native.init_constructors import Makers
from torch7py.translate.native.interfaces.classes import Classes
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.literal_objects import LiteralObjects
from torch7py.translate.native.metamethods import SPECIAL
from torch7py.translate.native.models.modes import first_mode
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Index, Invoke, Name, String

__all__ = ["ClassFields"]


class ClassFields:
    def __init__(
        self,
        t: Translation,
        classes: Classes,
        makers: Makers,
        factories: Factories,
        literal_objects: LiteralObjects,
    ) -> None:
        self.classes, self.t = classes, t
        self.makers, self.factories, self.literal_objects = makers, factories, literal_objects

    def missing(self, lua_class: LuaClass, derived: bool = False) -> list[str]:
        """Lines for the fields that the constructor may leave out; ``derived``: the class has none of its own."""
        if (
            not derived
            and lua_class.base is not None
            and lua_class.find("__init") is not None
            and "__init" not in lua_class.methods
        ):
            return []
        known = self.definite(lua_class) | set(self.literal_objects.classes.get(lua_class, ()))
        layer = self.classes.current
        if layer is not None:
            known |= {*layer.temporary, *layer.gradients, *layer.parameters, "train", "output", "gradInput"}
            known |= {"modules"} if facts.is_container(lua_class.parent) else set()
        chain: LuaClass | None = lua_class
        while chain is not None:
            known |= {*chain.methods, *chain.statics, *chain.makers, *chain.values, *chain.aliases}
            if chain.base is not None:
                known |= set(self.fields_of(chain.base))
            chain = chain.base
        known |= self.t.training.fields_gone(lua_class.instance)
        return [
            *(first_mode(self.t, lua_class) if layer is not None else ()),
            *(f"self.{code.attribute_name(n)} = None" for n in self.fields_of(lua_class) if n not in known),
        ]

    def refuse_uncovered(self, target: Index) -> None:
        """``object.field = nil``, where the class has a field of this name, which Lua then finds."""
        key = target.key_name
        object_type = self.t.type(target.base).find()
        for lua_class in object_type.classes if object_type.kind == "object" else ():
            chain: LuaClass | None = lua_class
            while chain is not None:
                if key in chain.values or key in chain.methods or key in chain.statics:
                    raise Problem("T7-242", target.line, f"nil for a field {key} that the class has too")
                chain = chain.base

    def refuse_alike(self, lua_class: LuaClass) -> None:
        """Refuse two names that would be one attribute: ``self['a b']`` and ``self.a_b``."""
        attributes: dict[str, str] = {}
        for name in [*lua_class.methods, *lua_class.statics, *lua_class.values, *self.fields_of(lua_class)]:
            other = attributes.setdefault(code.attribute_name(name), name)
            if other != name and not {name, other} & {*SPECIAL, *METAMETHODS}:
                raise Problem(
                    "T7-242",
                    lua_class.statement.line,
                    f"the fields {other} and {name}, which are alike in Python",
                )

    def fields_of(self, lua_class: LuaClass) -> list[str]:
        """The fields that the methods of a class name, in the order of the source."""
        names = self._in_methods(lua_class)
        known = {*names, *self.of_derived(lua_class)}
        return [*names, *(name for name in self._read_outside.get(lua_class, ()) if name not in known)]

    def _in_methods(self, lua_class: LuaClass) -> dict[str, None]:
        names: dict[str, None] = {}
        for function in sorted(self.classes.functions(lua_class), key=lambda f: f.span.start):
            for node in tree.walk(function.body):
                if (
                    isinstance(node, Index)
                    and isinstance(node.key, String)
                    and lua_class in self.t.type(node.base).find().classes
                ):
                    names[node.key.value] = None
        return names

    @cached_property
    def _read_outside(self) -> dict[LuaClass, dict[str, None]]:
        """The fields of objects that only others than their classes read, in that order: what is not there is nil."""
        written = {x for node in tree.every(self.t.program, tree.Assign) for x in node.targets}
        known = {lua_class: self._of_bases(lua_class) for lua_class in self.classes.all}
        names: dict[LuaClass, dict[str, None]] = {}
        for node in tree.every(self.t.program, Index):
            if not isinstance(node.key, String) or not node.dotted or node in written or self.t.must_be(node):
                continue
            if isinstance(node.base, Name) and self.t.scopes.of_name[node.base] in self.t.types.self_of:
                continue
            object_type = self.t.type(node.base).find()
            for lua_class in object_type.classes if object_type.kind == "object" else ():
                if node.key.value not in known.get(lua_class, ()):
                    names.setdefault(lua_class, {})[node.key.value] = None
        return names

    def of_derived(self, lua_class: LuaClass) -> list[str]:
        """The fields that others read of objects of a class, where only classes have them that derive from it."""
        family = list(lua_class.derived)
        for member in family:
            family += member.derived
        theirs = {name for member in family for name in self._of_one(member)}
        return [name for name in self._read_outside.get(lua_class, ()) if name in theirs]

    def _of_bases(self, lua_class: LuaClass) -> set[str]:
        """The names of what objects of a class have, of their own or from a class that it derives from."""
        names: set[str] = set()
        of: LuaClass | None = lua_class
        while of is not None:
            names |= self._of_one(of)
            of = of.base
        return names

    def _of_one(self, lua_class: LuaClass) -> set[str]:
        """The names of what objects have of a class alone."""
        of_class = (lua_class.methods, lua_class.statics, lua_class.values, lua_class.aliases)
        return set().union(*of_class, self._in_methods(lua_class))

    def definite(self, lua_class: LuaClass) -> set[str]:
        """The fields that a constructor sets whatever happens."""
        names: set[str] = set()
        functions = [lua_class.methods[name] for name in ("__init",) if name in lua_class.methods]
        factories = self.factories.functions.intersection(lua_class.makers.values())
        simple = [f for f in lua_class.makers.values() if f not in factories]
        if factories:
            names = self.factories.definite(factories)
        for function in [*functions, *simple]:
            asked: set[str] = set()  # by methods that are called before
            for statement in function.body.statements:
                calls = [n for n in tree.walk(statement) if isinstance(n, Invoke)]
                called = [f for call in calls for f in self.t.types.function_called(call)]
                inside = [n.key for f in called for n in tree.walk(f.body) if isinstance(n, Index)]
                asked |= {key.value for key in inside if isinstance(key, String)}
                if isinstance(statement, tree.Assign):
                    for target in statement.targets:
                        if isinstance(target, Index) and isinstance(target.key, String):
                            names |= {target.key.value} - asked
            maker = self.makers.of_function.get(function)
            if maker is not None and maker.keys is not None:
                names |= set(maker.keys)
            for statement in function.body.statements:
                what = self.makers.instead.get(statement)
                if what is not None and isinstance(what[1], tree.Table):
                    names |= {i.key.value for i in what[1].fields if isinstance(i.key, String)}
        if lua_class.base is not None:
            names |= self.definite(lua_class.base)
        return names
