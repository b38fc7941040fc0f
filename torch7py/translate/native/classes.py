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
from torch7py.translate.native.classmethod_constructors import Factories
from torch7py.translate.native.code import Py
from torch7py.translate.native.init_constructors import Makers
from torch7py.translate.native.interfaces import classes as interfaces
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.literal_objects import LiteralObjects
from torch7py.translate.native.metamethods import SPECIAL, leaves_names
from torch7py.translate.native.mode_methods import MODES
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.user_layers import LEFT_OUT, UserLayer
from torch7py.translate.native.user_passes import has_user_passes
from torch7py.translate.patching import altered
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Index, Invoke, Name, Statement

__all__ = ["Classes"]


class Classes(interfaces.Classes):
    bodies: ClassBodies
    current: UserLayer | None

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
        self.layers: dict[LuaClass, UserLayer] = {}
        self.written: set[LuaClass] = set()

    def study(self) -> None:
        """Name the classes, and see how the objects of each are made."""
        translator, types = self.t, self.t.types
        holders = self._holders()
        taken = Counter(translator.names.chosen.values())
        for lua_class in self.all:
            for statement in (lua_class.statement, *lua_class.parts):
                self.by_statement[statement] = lua_class
            self.names[lua_class] = self._name(lua_class, holders.get(lua_class, set()), taken)
            for function in (
                *lua_class.methods.values(),
                *lua_class.makers.values(),
                *lua_class.statics.values(),
            ):
                self.owners[function] = lua_class
        for variable, lua_class in types.class_of_variable.items():
            translator.names.chosen[variable] = self.names[lua_class]
        studied: set[LuaClass] = set()
        for lua_class in self.all:
            if lua_class not in studied:
                family = self.family(lua_class)
                studied |= set(family)
                self._study(family)

    def value(self, node: tree.Table) -> Py | None:
        return self.factories.value(node) or self.literal_objects.value(node)

    def _study(self, family: list[LuaClass]) -> None:
        """See how the objects of a family are made: by ``__init__`` if that will do for all of them."""
        t = self.t
        chosen = dict(t.names.chosen)
        try:
            for lua_class in family:
                for function in lua_class.makers.values():
                    self.makers.study(lua_class, function)
                self.literal_objects.study(lua_class, family)
        except Problem as problem:
            t.names.chosen = chosen
            self.makers.forget(f for lua_class in family for f in lua_class.makers.values())
            try:
                if any(lua_class.literals or lua_class.prototype for lua_class in family):
                    raise problem
                if any("__init" in lua_class.methods or not lua_class.by_metatable for lua_class in family):
                    raise problem
                for lua_class in family:
                    for function in lua_class.makers.values():
                        self.factories.study(lua_class, function, self.names[lua_class])
            except Problem as other:
                for lua_class in family:
                    self.failed[lua_class] = other
        for lua_class in family:
            for name, function in lua_class.methods.items():
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
        holders: dict[LuaClass, set[Variable]] = {}
        for variable, lua_class in self.t.types.class_of_variable.items():
            holders.setdefault(lua_class, set()).add(variable)
        for variable in self.t.names.chosen:
            held = {self._only_class(version) for version in self.t.types.versions[variable][1]}
            only = held.pop() if len(held) == 1 else None
            if only is not None:
                holders.setdefault(only, set()).add(variable)
        return holders

    @staticmethod
    def _only_class(type_: Type) -> LuaClass | None:
        classes = type_.find().classes
        return classes[0] if type_.kind == "class" and len(classes) == 1 else None

    def _name(self, lua_class: LuaClass, variables: set[Variable], taken: Counter[str]) -> str:
        """A name that no variable has but its own. ``taken``: how many variables have each."""
        base = code.python_name(lua_class.name.rsplit(".", 1)[-1])
        others = taken - Counter(self.t.names.chosen.get(variable, "") for variable in variables)
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
        if not isinstance(node, tree.Assignment) or len(node.values) != 1:
            return False
        if len(node.targets) != 1 or not isinstance(node.targets[0], Name):
            return False
        variable, value = t.scopes.of_name[node.targets[0]], node.values[0]
        if not isinstance(value, tree.Table) or value.fields or set(variable.writes) - {node.targets[0]}:
            return False
        holder_names = set(self.torch_class_tables(variable))
        if not holder_names:
            return False
        fields = {
            n.base
            for n in tree.every(t.program, Index)
            if isinstance(n.base, Name) and n.base in variable.reads and t.types.class_named(n) is not None
        }
        return fields | holder_names >= set(variable.reads)

    def handles(self, node: Statement) -> bool:
        """Write the class that a statement begins, or nothing for its other parts."""
        lua_class = self.by_statement.get(node)
        if lua_class is None:
            return self.only_holds(node)
        if lua_class not in self.written and lua_class not in self.failed:
            self._write_in_some_form(lua_class)
            self.written.add(lua_class)
        if lua_class in self.failed:
            raise self.failed[lua_class]
        return True

    def _write_in_some_form(self, lua_class: LuaClass) -> None:
        """Write a class, one of layers in plain calls where something in it has no idiomatic form."""
        t = self.t
        before, top, problems, failed = len(t.lines), len(t.top), len(t.problems), len(t.failed)
        is_layer = lua_class.instance.kind in ("module", "criterion")
        reason: Problem | None = None
        try:
            if is_layer and t.plain_modules:
                raise Problem("T7-243", lua_class.statement.line, "a class of modules that are objects")
            self.write(lua_class)
        except Problem as problem:
            reason = problem
        if reason is None and (not is_layer or len(t.problems) == problems):
            return
        idiomatic = t.lines[before:], t.top[top:], t.problems[problems:], t.failed[failed:]
        del t.lines[before:], t.top[top:], t.problems[problems:], t.failed[failed:]
        if is_layer and t.plain_layers.write(lua_class, reason or idiomatic[2][0]):
            return
        t.lines += idiomatic[0]
        t.top += idiomatic[1]
        t.problems += idiomatic[2]
        t.failed += idiomatic[3]
        if reason is not None:
            declined = t.plain_layers.declined if t.plain_modules else None
            self.failed[lua_class] = declined or reason

    def is_part(self, node: Statement) -> bool:
        """Whether a statement, with its comments, is written in a class."""
        lua_class = self.by_statement.get(node)
        if lua_class is None or node is lua_class.statement or lua_class in self.failed:
            return False
        target = node.targets[0] if isinstance(node, tree.Assign) else None
        is_index = isinstance(target, Index) and target.key_name == "__index"
        # Of which nothing but comments is left.
        return not isinstance(node, (tree.Run, tree.Local)) and not is_index

    def defines(self, lua_class: LuaClass) -> set[Variable]:
        """The variables that the class and its parent have in the program."""
        types = self.t.types
        variables = {v for v, c in types.class_of_variable.items() if c is lua_class}
        return variables | {v for v, c in types.parent_of_variable.items() if c is lua_class}

    def needs(self, lua_class: LuaClass) -> set[Variable]:
        """The variables of the main program that a class needs."""
        variables = self.defines(lua_class.base) if lua_class.base is not None else set()
        for function in self.functions(lua_class):
            variables |= self.t.functions.outer_variables(function)
        for value in lua_class.values.values():
            variables |= self.t.functions.outer_variables(value)
        return variables - self.defines(lua_class)

    # Writing

    def write(self, lua_class: LuaClass) -> None:
        t = self.t
        before, top = len(t.lines), len(t.top)
        try:
            if lua_class.instance.kind in ("module", "criterion"):
                self.studied = lua_class
                self.current = self.layer_of(lua_class)
                if lua_class.parent is not None and draws_weights(lua_class.parent):
                    sizes = {
                        "inputSize": "1",
                        "outputSize": "1",
                    }  # the parent's constructor draws its weights
                    t.models.plain_modules.append(
                        (Layer(lua_class.parent, Args(sizes)), f"{lua_class.parent}()")
                    )
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
            self.bodies.write(lua_class)
            if self.current is not None:
                self.current.refuse_unset(t.lines[at:])
        except Problem:
            del t.lines[before:], t.top[top:]
            raise
        finally:
            self.current = None

    def method(self, lua_class: LuaClass, name: str) -> str:
        if name in SPECIAL:
            return SPECIAL[name]
        if name == "__index" and leaves_names(self.t, lua_class):
            return "__getitem__"
        if name == "updateOutput" and lua_class.instance.kind != "object":
            return "forward"
        if name == "reset" and draws_weights(lua_class.parent):
            return "reset_parameters"  # which its constructor calls, as in Torch7
        if name in MODES and lua_class.instance.kind == "module":
            return MODES[name]
        if name in BACKWARD and has_user_passes(lua_class):
            return name
        if name in LEFT_OUT and lua_class.instance.kind != "object":
            raise Problem("T7-243", lua_class.statement.line, f"a call of {name} of a layer")
        if name in METAMETHODS:
            raise Problem("T7-242", lua_class.statement.line, f"the metamethod {name}")
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

    def layer_of(self, lua_class: LuaClass) -> UserLayer:
        layer = self.layers.get(lua_class)
        if layer is None:
            with altered(self, studied=lua_class):
                layer = self.layers[lua_class] = UserLayer(self.t, lua_class, self.names[lua_class])
        return layer
