"""Classes of the program's own, by torch.class or by metatables, as Python classes.

A class is written where the program makes it, with all its methods, wherever those stand. What a constructor does not
set, and a method or the program reads, is None from the beginning, as it is nil in Lua.
"""

from __future__ import annotations

from collections import Counter

from torch7py.translate import tree
from torch7py.translate.facts.layers import BACKWARD
from torch7py.translate.inference.classes import METAMETHODS
from torch7py.translate.kinds import LuaClass, Type
from torch7py.translate.layers import Args, Layer
from torch7py.translate.layers.as_modules import draws_weights
from torch7py.translate.native import code
from torch7py.translate.native.class_bodies import ClassBodies
from torch7py.translate.native.class_fields import ClassFields
from torch7py.translate.native.class_uses import ClassUses
from torch7py.translate.native.code import Py
from torch7py.translate.native.factories import Factories
from torch7py.translate.native.interfaces import classes as interfaces
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.literal_objects import LiteralObjects
from torch7py.translate.native.makers import Makers
from torch7py.translate.native.metamethods import SPECIAL
from torch7py.translate.native.mode_methods import MODES
from torch7py.translate.native.own_layers import LEFT_OUT, OwnLayer
from torch7py.translate.native.own_passes import has_own_passes
from torch7py.translate.native.problem import Problem
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Index, Invoke, Name, Statement

__all__ = ["Classes"]


class Classes(interfaces.Classes):
    bodies: ClassBodies
    current: OwnLayer | None

    def __init__(self, translator: Translation) -> None:
        super().__init__(translator)
        self.t = translator
        self.by_statement: dict[Statement, LuaClass] = {}
        self.factories = Factories(translator)
        self.literal_objects = LiteralObjects(translator)
        self.makers = Makers(translator, self.literal_objects)
        parts = self.makers, self.factories, self.literal_objects
        self.uses = ClassUses(translator, self, *parts)
        self.fields = ClassFields(translator, self, *parts)
        self.bodies = ClassBodies(translator, self, self.fields, *parts)
        self.layers: dict[LuaClass, OwnLayer] = {}
        self.written: set[LuaClass] = set()

    def study(self) -> None:
        """Name the classes, and see how the objects of each are made."""
        translator, types = self.t, self.t.types
        holders = self._holders()
        taken = Counter(translator.names.chosen.values())
        for made in self.all:
            for statement in (made.statement, *made.parts):
                self.by_statement[statement] = made
            self.names[made] = self._name(made, holders.get(made, set()), taken)
            for function in (*made.methods.values(), *made.makers.values(), *made.statics.values()):
                self.owners[function] = made
        for variable, made in types.class_of_variable.items():
            translator.names.chosen[variable] = self.names[made]
        studied: set[LuaClass] = set()
        for made in self.all:
            if made not in studied:
                family = self.family(made)
                studied |= set(family)
                self._study(family)

    def value(self, node: tree.Table) -> Py | None:
        return self.factories.value(node) or self.literal_objects.value(node)

    def _study(self, family: list[LuaClass]) -> None:
        """See how the objects of a family are made: by ``__init__`` if that will do for all of them."""
        t = self.t
        chosen = dict(t.names.chosen)
        try:
            for made in family:
                for function in made.makers.values():
                    self.makers.study(made, function)
                self.literal_objects.study(made, family)
        except Problem as problem:
            t.names.chosen = chosen
            self.makers.forget(f for made in family for f in made.makers.values())
            try:
                if any(made.literals or made.prototype for made in family):
                    raise problem
                if any("__init" in made.methods or not made.by_metatable for made in family):
                    raise problem
                for made in family:
                    for function in made.makers.values():
                        self.factories.study(made, function, self.names[made])
            except Problem as other:
                for made in family:
                    self.failed[made] = other
        for made in family:
            for name, function in made.methods.items():
                if self.is_of_class(function):
                    t.names.chosen[t.scopes.of_name[function.parameters[0]]] = "cls"
                elif name in SPECIAL and self._may_be_self(function):
                    t.names.chosen[t.scopes.of_name[function.parameters[0]]] = "self"

    def _may_be_self(self, function: tree.Function) -> bool:
        """Whether the first parameter of a metamethod may have the name that Python has for it."""
        names = {node.name for node in tree.walk(function) if isinstance(node, Name)}
        return bool(function.parameters) and "self" not in names

    def _holders(self) -> dict[LuaClass, set[Variable]]:
        """The variables that hold a class and nothing else: that of its statement, and what require gives."""
        found: dict[LuaClass, set[Variable]] = {}
        for variable, made in self.t.types.class_of_variable.items():
            found.setdefault(made, set()).add(variable)
        for variable in self.t.names.chosen:
            held = {self._only_class(version) for version in self.t.types.versions[variable][1]}
            only = held.pop() if len(held) == 1 else None
            if only is not None:
                found.setdefault(only, set()).add(variable)
        return found

    @staticmethod
    def _only_class(found: Type) -> LuaClass | None:
        classes = found.find().classes
        return classes[0] if found.kind == "class" and len(classes) == 1 else None

    def _name(self, made: LuaClass, own: set[Variable], taken: Counter[str]) -> str:
        """A name that no variable has but its own. ``taken``: how many variables have each."""
        base = code.python_name(made.name.rsplit(".", 1)[-1])
        others = taken - Counter(self.t.names.chosen.get(variable, "") for variable in own)
        name, number = base, 1
        while name in others or name in self.names.values():
            number += 1
            name = f"{base}{number}"
        return name

    # Where

    def only_holds(self, node: Statement) -> bool:
        """``local M = {}``, or a global one, where M has nothing but classes in it, which have names of their own in
        Python."""
        t = self.t
        if not isinstance(node, (tree.Local, tree.Assign)) or len(node.values) != 1:
            return False
        targets = node.names if isinstance(node, tree.Local) else node.targets
        if len(targets) != 1 or not isinstance(targets[0], Name):
            return False
        variable, value = t.scopes.of_name[targets[0]], node.values[0]
        if not isinstance(value, tree.Table) or value.fields or set(variable.writes) - {targets[0]}:
            return False
        given = set(self.given_to(variable))
        if not given:
            return False
        fields = {
            n.base
            for n in tree.every(t.program, Index)
            if isinstance(n.base, Name) and n.base in variable.reads and t.types.class_named(n) is not None
        }
        return fields | given >= set(variable.reads)

    def handles(self, node: Statement) -> bool:
        """Write the class that a statement begins, or nothing for its other parts."""
        made = self.by_statement.get(node)
        if made is None:
            return self.only_holds(node)
        if made not in self.written and made not in self.failed:
            self._write_in_some_form(made)
            self.written.add(made)
        if made in self.failed:
            raise self.failed[made]
        return True

    def _write_in_some_form(self, made: LuaClass) -> None:
        """Write a class, one of layers in plain calls where something in it has no idiomatic form."""
        t = self.t
        before, top, problems, failed = len(t.lines), len(t.top), len(t.problems), len(t.failed)
        is_layer = made.instance.kind in ("module", "criterion")
        try:
            self.write(made)
        except Problem as problem:
            if not is_layer or not t.plain_layers.write(made, problem):
                self.failed[made] = problem
            return
        if not is_layer or len(t.problems) == problems:
            return
        idiomatic = t.lines[before:], t.top[top:], t.problems[problems:], t.failed[failed:]
        del t.lines[before:], t.top[top:], t.problems[problems:], t.failed[failed:]
        if not t.plain_layers.write(made, idiomatic[2][0]):
            t.lines += idiomatic[0]
            t.top += idiomatic[1]
            t.problems += idiomatic[2]
            t.failed += idiomatic[3]

    def is_part(self, node: Statement) -> bool:
        """Whether a statement, with its comments, is written in a class."""
        made = self.by_statement.get(node)
        if made is None or node is made.statement or made in self.failed:
            return False
        target = node.targets[0] if isinstance(node, tree.Assign) else None
        is_index = (
            isinstance(target, Index)
            and isinstance(target.key, tree.String)
            and target.key.value == "__index"
        )
        return (
            not isinstance(node, (tree.Run, tree.Local)) and not is_index
        )  # of which nothing but comments is left

    def defines(self, made: LuaClass) -> set[Variable]:
        """The variables that the class and its parent have in the program."""
        types = self.t.types
        found = {v for v, c in types.class_of_variable.items() if c is made}
        return found | {v for v, c in types.parent_of_variable.items() if c is made}

    def needs(self, made: LuaClass) -> set[Variable]:
        """The variables of the main program that a class needs."""
        found = self.defines(made.base) if made.base is not None else set()
        for function in self.functions(made):
            found |= self.t.functions.outer_variables(function)
        for value in made.values.values():
            found |= self.t.functions.outer_variables(value)
        return found - self.defines(made)

    # Writing

    def write(self, made: LuaClass) -> None:
        t = self.t
        before, top = len(t.lines), len(t.top)
        try:
            if made.instance.kind in ("module", "criterion"):
                self.studied = made
                self.current = self.layer_of(made)
                if made.parent is not None and draws_weights(made.parent):
                    sizes = {
                        "inputSize": "1",
                        "outputSize": "1",
                    }  # the parent's constructor draws its weights
                    t.models.made.append((Layer(made.parent, Args(sizes)), f"{made.parent}()"))
                self.current.write_function()
                self.current.refuse_unset(t.lines[before:])
                if not t.depth and len(t.lines) > before:
                    function, t.lines = t.lines[before:], t.lines[:before]
                    while not function[-1].strip():
                        function.pop()
                    while not function[0].strip():
                        function.pop(0)
                    t.top.append(function)
            at = len(t.lines)
            self.bodies.write(made)
            if self.current is not None:
                self.current.refuse_unset(t.lines[at:])
        except Problem:
            del t.lines[before:], t.top[top:]
            raise
        finally:
            self.current = None

    def method(self, made: LuaClass, name: str) -> str:
        if name in SPECIAL:
            return SPECIAL[name]
        if name == "updateOutput" and made.instance.kind != "object":
            return "forward"
        if name == "reset" and draws_weights(made.parent):
            return "reset_parameters"  # which its constructor calls, as in Torch7
        if name in MODES and made.instance.kind == "module":
            return MODES[name]
        if name in BACKWARD and has_own_passes(made):
            return name
        if name in LEFT_OUT and made.instance.kind != "object":
            raise Problem("T7-243", made.statement.line, f"a call of {name} of a layer")
        if name in METAMETHODS:
            raise Problem("T7-242", made.statement.line, f"the metamethod {name}")
        return code.attribute_name(name)

    def statement(self, node: Statement) -> bool:
        """Write a statement of a constructor or of a layer that is written otherwise; whether it is one."""
        if isinstance(node, tree.Return) and self._ends_init(node):
            return True
        if self.factories.statement(node) or self.literal_objects.statement(node):
            return True
        if self.bodies.modes.statement(node):
            return True
        return self.makers.instead_of(node) or (self.current is not None and self.current.statement(node))

    def _ends_init(self, node: tree.Return) -> bool:
        """``return self:reset()`` in a constructor: Python's gives nothing."""
        t = self.t
        function = t.scope.function
        owner = self.owners.get(function) if function is not None else None
        if owner is None or function is not owner.methods.get("__init") or function is None:
            return False
        for value in node.values:
            if isinstance(value, (Call, Invoke)):
                t.calls.statement(value)
            elif not isinstance(value, (Name, tree.Nil)):
                raise Problem("T7-242", node.line, "a constructor that gives something")
        if node is not function.body.statements[-1]:
            t.emit("return")
        return True

    def layer_of(self, made: LuaClass) -> OwnLayer:
        found = self.layers.get(made)
        if found is None:
            outer, self.studied = self.studied, made
            try:
                found = self.layers[made] = OwnLayer(self.t, made, self.names[made])
            finally:
                self.studied = outer
        return found
