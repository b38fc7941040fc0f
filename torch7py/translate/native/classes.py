"""Classes of the program's own, by torch.class or by metatables, as Python classes.

A class is written where the program makes it, with all its methods, wherever those stand. What a constructor does not
set, and a method or the program reads, is None from the beginning, as it is nil in Lua.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.inference.classes import METAMETHODS
from torch7py.translate.kinds import LuaClass, Type
from torch7py.translate.layers import Args, Layer
from torch7py.translate.native import code
from torch7py.translate.native.class_fields import ClassFields
from torch7py.translate.native.class_uses import ClassUses
from torch7py.translate.native.code import Py
from torch7py.translate.native.factories import Factories
from torch7py.translate.native.layer_fields import BACKWARD, DERIVED_FROM
from torch7py.translate.native.literal_objects import LiteralObjects
from torch7py.translate.native.makers import Makers
from torch7py.translate.native.own_layers import LEFT_OUT, OwnLayer
from torch7py.translate.native.problem import Problem
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement, String

if TYPE_CHECKING:
    from torch7py.translate.native.translator import Translator

__all__ = ["Classes"]

_SPECIAL = {
    "__init": "__init__",
    "__tostring": "__str__",
    "__tostring__": "__str__",
    "__call": "__call__",
    "__len": "__len__",
    "__eq": "__eq__",
    "__lt": "__lt__",
    "__le": "__le__",
    "__add": "__add__",
    "__sub": "__sub__",
    "__mul": "__mul__",
    "__div": "__truediv__",
    "__mod": "__mod__",
    "__pow": "__pow__",
    "__unm": "__neg__",
}
# Of operators, where only the right operand may be an object.
_REFLECTED = {
    "__add": ("+", "__radd__"),
    "__sub": ("-", "__rsub__"),
    "__mul": ("*", "__rmul__"),
    "__div": ("/", "__rtruediv__"),
    "__mod": ("%", "__rmod__"),
    "__pow": ("^", "__rpow__"),
}
# Of a metatable's parent, which Lua does not look for there.
_NOT_INHERITED = {
    "__tostring": ("__str__ = object.__str__",),
    "__eq": ("__eq__ = object.__eq__", "__hash__ = object.__hash__"),
}
# Methods of layers that nn.Module calls of the layers in it.
PASSED_DOWN = {
    "training",
    "evaluate",
    "zeroGradParameters",
    "updateParameters",
    "type",
    "float",
    "double",
    "cuda",
}
_BASES = {
    "nn.Module": "nn.Module",
    "nn.Criterion": "nn.Module",
    "nn.Sequential": "nn.Sequential",
    "nn.Container": "nn.Module",
    **{name: name for name in DERIVED_FROM},
}


class Classes:
    def __init__(self, translator: Translator) -> None:
        self.t = translator
        self.by_statement: dict[Statement, LuaClass] = {}
        self.names: dict[LuaClass, str] = {}
        self.owners: dict[tree.Function, LuaClass] = {}  # of methods
        self.failed: dict[LuaClass, Problem] = {}
        self.makers = Makers(translator)
        self.factories = Factories(translator)
        self.literal_objects = LiteralObjects(translator)
        self.uses = ClassUses(self)
        self.fields = ClassFields(self)
        self.written: set[LuaClass] = set()
        self.studied: LuaClass | None = None  # of which it is found out how it is written
        self.layers: dict[LuaClass, OwnLayer] = {}
        self.current: OwnLayer | None = None  # whose methods are being written
        types = translator.types
        found = [*types.classes.values(), *types.class_of_variable.values()]
        self.all = list(dict.fromkeys(found))
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
                family = self._family(made)
                studied |= set(family)
                self._study(family)

    def _family(self, made: LuaClass) -> list[LuaClass]:
        """A class with those it derives from, and those that derive from them."""
        while made.base is not None:
            made = made.base
        found = [made]
        for each in found:
            found += [child for child in each.derived if child not in found]
        return found

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
                elif name in _SPECIAL and self._may_be_self(function):
                    t.names.chosen[t.scopes.of_name[function.parameters[0]]] = "self"

    def _may_be_self(self, function: tree.Function) -> bool:
        """Whether the first parameter of a metamethod may have the name that Python has for it."""
        names = {node.name for node in tree.walk(function) if isinstance(node, Name)}
        return bool(function.parameters) and "self" not in names

    def is_of_class(self, function: tree.Function) -> bool:
        """Whether a method is only called on classes, never on their objects."""
        if not function.parameters or function.parameters[0].name != "self":
            return False
        calls = self.t.types.calls_of.get(function, [])
        return bool(calls) and all(
            isinstance(call, Invoke) and self.t.kind(call.receiver) == "class" for call in calls
        )

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

    @cached_property
    def fields_asked(self) -> dict[LuaClass, list[Index]]:
        """Where the program looks into objects of each class."""
        found: dict[LuaClass, list[Index]] = {}
        for node in tree.every(self.t.program, Index):
            for made in self.t.type(node.base).find().classes:
                found.setdefault(made, []).append(node)
        return found

    def given_to(self, variable: Variable) -> list[Name]:
        """Where a table is handed to torch.class, which puts a class into it."""
        holders = [made.holder for made in self.all if made.holder is not None]
        return [name for name in holders if self.t.scopes.of_name[name] is variable]

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
            try:
                self.write(made)
            except Problem as problem:
                self.failed[made] = problem
            self.written.add(made)
        if made in self.failed:
            raise self.failed[made]
        return True

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

    def functions(self, made: LuaClass) -> list[tree.Function]:
        return [*made.methods.values(), *made.statics.values(), *made.makers.values()]

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
        before = len(t.lines)
        try:
            if made.instance.kind in ("module", "criterion"):
                self.studied = made
                self.current = self.layer_of(made)
                if made.parent == "nn.Linear":
                    self._derives_from_linear()
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
            self._write(made)
            if self.current is not None:
                self.current.refuse_unset(t.lines[at:])
        except Problem:
            del t.lines[before:]
            raise
        finally:
            self.current = None

    def _derives_from_linear(self) -> None:
        """A class that derives from nn.Linear: the parent's constructor draws its weights."""
        sizes = {"inputSize": "1", "outputSize": "1"}
        self.t.models.making.made.append((Layer("nn.Linear", Args(sizes)), "nn.Linear()"))

    def _write(self, made: LuaClass) -> None:
        t = self.t
        base = self.base(made)
        t.gap()
        t.emit(f"class {self.names[made]}{f'({base})' if base else ''}:")
        with t.indented():
            for name, value in made.values.items():
                if self.current is not None and name in LEFT_OUT:
                    continue
                t.emit(f"{code.attribute_name(name)} = {self._constant(made, name, value)}")
            self._not_inherited(made)
            inits = self.fields.missing(made)
            if self.factories.functions.intersection(
                f for c in self._family(made) for f in c.makers.values()
            ):
                for line in inits:  # objects begin empty
                    t.emit(line.removeprefix("self."))
            elif self._has_no_constructor(made):
                for line in self.fields.missing(made, True):  # the parent's constructor knows nothing of them
                    t.emit(line.removeprefix("self."))
            elif made in self.literal_objects.classes:
                self.literal_objects.write(made, inits)
            elif made.find("__init") is None and not made.makers and inits and made.base is None:
                t.emit("def __init__(self):")
                with t.indented():
                    if self.current is not None:
                        t.emit("super().__init__()")
                    for line in inits:
                        t.emit(line)
            for statement, name, function in self._functions(made):
                if statement is not None and not (self.current is not None and name in BACKWARD):
                    for comment in statement.around.outside:
                        t.comment(comment)
                if self.current is None or not self._of_layer(self.current, name, function):
                    self._function(made, name, function)
            self._reflected(made)
            for name, other in made.aliases.items():
                t.emit(f"{code.attribute_name(name)} = {self.method(made, other)}")
            if self.current is not None and self.current.by_hand and self.current.forward is None:
                self.current.write_forward()
        t.emit("")

    def _has_no_constructor(self, made: LuaClass) -> bool:
        """Whether objects of a class that derives are made by its parent's constructor."""
        own = made.makers or "__init" in made.methods
        return made.instance.kind == "object" and made.base is not None and not own

    def _reflected(self, made: LuaClass) -> None:
        """Operators with an object on the right alone."""
        t = self.t
        for name, (operator, reflected) in _REFLECTED.items():
            if name in made.methods and self._on_the_right(made, operator):
                t.gap()
                t.emit(f"def {reflected}(self, other):")
                with t.indented():
                    t.emit(f"return {self.names[made]}.{_SPECIAL[name]}(other, self)")
                t.emit("")

    def _not_inherited(self, made: LuaClass) -> None:
        """What Python's classes inherit and Lua's metatables do not."""
        t = self.t
        if not made.by_metatable or made.base is None:
            return
        own = {*made.methods, *made.aliases, *made.inherited}
        for name in sorted({n for n in _SPECIAL if n != "__init" and made.base.find(n) is not None} - own):
            if name == "__len":
                raise Problem("T7-242", made.statement.line, "a length that the objects of a parent have")
            for line in _NOT_INHERITED.get(name, ()):
                t.emit(line)

    def _on_the_right(self, made: LuaClass, operator: str) -> bool:
        """Whether something else than an object stands on the left of an operator, and an object on the right."""
        t = self.t
        return any(
            node.operator == operator
            and made in t.type(node.right).find().classes
            and t.kind(node.left) != "object"
            for node in tree.every(t.program, tree.Binary)
        )

    def _of_layer(self, layer: OwnLayer, name: str, function: tree.Function) -> bool:
        """Write a method of the protocol of layers; whether it is one."""
        t = self.t
        if name == "updateOutput":
            layer.write_forward()
        elif name in ("__tostring", "__tostring__"):
            t.functions.define("__repr__", function)
        elif name in PASSED_DOWN and self._only_passes_down(layer, name, function):
            return True
        elif name not in LEFT_OUT:
            return False
        return True

    def _only_passes_down(self, layer: OwnLayer, name: str, function: tree.Function) -> bool:
        """Whether a method only calls that of its parent and those of the layers in it, as nn.Module does by itself."""
        t = self.t
        statements = list(function.body.statements)
        for loop in function.body.statements:
            if isinstance(loop, tree.GenericFor):
                statements.remove(loop)
                statements += loop.body.statements
        for statement in statements:
            if isinstance(statement, tree.Return):
                calls: tuple[Expression, ...] = statement.values
            else:
                calls = (statement.call,) if isinstance(statement, tree.Run) else (tree.Nil(statement.place),)
            for call in calls:
                if isinstance(call, Name) and call.name == "self":
                    continue
                if (
                    isinstance(call, Invoke)
                    and call.method == name
                    and t.kind(call.receiver) in ("module", "criterion")
                ):
                    continue
                callee = call.callee if isinstance(call, Call) else None
                key = callee.key if isinstance(callee, Index) else None
                if not (isinstance(key, String) and key.value == name and isinstance(callee, Index)):
                    return False
                if (
                    isinstance(callee.base, Name)
                    and t.scopes.of_name[callee.base] not in t.types.parent_of_variable
                ):
                    return False
        return True

    def base(self, made: LuaClass) -> str:
        if made.base is not None:
            return self.names[made.base]
        if made.parent is None:
            return ""
        if made.parent not in _BASES:
            raise Problem("T7-242", made.statement.line, f"a class that derives from {made.parent}")
        return _BASES[made.parent]

    def _functions(self, made: LuaClass) -> list[tuple[Statement | None, str, tree.Function]]:
        """The functions of a class, its constructor and then the others in the order of the source."""
        found: list[tuple[Statement | None, str, tree.Function]] = []
        statements: dict[tree.Function, Statement] = {}
        for statement in made.parts:
            if isinstance(statement, tree.FunctionStatement):
                statements[statement.function] = statement
            elif isinstance(statement, tree.Assign) and isinstance(statement.values[0], tree.Function):
                statements[statement.values[0]] = statement
        for kept in (made.makers, made.methods, made.statics):
            found += [(statements.get(function), name, function) for name, function in kept.items()]
        begins = {f for f in self.makers.of_function if f in made.makers.values()} | {
            made.methods.get("__init")
        }
        return sorted(found, key=lambda item: (item[2] not in begins, item[2].place.start))

    def _function(self, made: LuaClass, name: str, function: tree.Function) -> None:
        t = self.t
        if function in self.makers.of_function:
            maker = self.makers.of_function[function]
            inits, last = self.fields.missing(made), []
            if maker.keys is not None:
                inits = [*self.literal_objects.lines(made, maker.keys), *inits]
                last = self.literal_objects.parameters(maker.keys)
            t.functions.define("__init__", function, maker.parameters, inits, ["self"], last)
        elif function in self.factories.functions and self.factories.is_of_class(function):
            t.gap()
            t.emit("@classmethod")
            t.functions.define(code.attribute_name(name), function)
        elif name in made.statics or function in self.factories.functions:
            t.gap()
            t.emit("@staticmethod")
            t.functions.define(code.attribute_name(name), function)
        else:
            if made.by_metatable and self.is_of_class(function):
                t.gap()
                t.emit("@classmethod")
            if name == "__concat":  # of which either operand may be the object
                t.gap()
                t.emit("@staticmethod")
            before = len(t.lines)
            begin = self.fields.missing(made) if name == "__init" else []
            if name == "__eq" and self._is_compared_with_others():
                other = t.names.of(function.parameters[-1])
                begin = [f"if not isinstance({other}, {self.names[made]}):", "    return NotImplemented"]
            t.functions.define(self.method(made, name), function, inits=begin)
            written = [line.strip() for line in t.lines[before:] if line.strip()]
            if name == "__init" and made.parent == "nn.Container":
                at = next((i for i in range(before, len(t.lines)) if "super().__init__(" in t.lines[i]), None)
                if at is not None:
                    t.lines.insert(at + 1, f"{'    ' * (t.depth + 1)}self.modules_ = nn.ModuleList()")
            if name == "reset" and made.parent == "nn.Linear":  # whose constructor calls it without arguments
                at = next(i for i in range(before, len(t.lines)) if "def reset_parameters(" in t.lines[i])
                t.lines[at] = re.sub(r"(?<=, )(\w+)(?=[,)])", r"\1=None", t.lines[at])
            if self.current is not None and written == ["def __init__(self):", "super().__init__()"]:
                del t.lines[before:]  # says nothing
            if name == "__eq":
                t.emit("__hash__ = object.__hash__")

    def _is_compared_with_others(self) -> bool:
        """Whether the program compares objects with what may be of another kind, where Lua does not ask ``__eq``."""
        compared = [
            (node.left, node.right)
            for node in tree.every(self.t.program, tree.Binary)
            if node.operator in ("==", "~=")
        ]
        return any(
            any(self.t.types.methods_of(self.t.type(side), "__eq") for side in sides)
            and any(self.t.kind(side) != "object" and not isinstance(side, tree.Nil) for side in sides)
            for sides in compared
        )

    def takes_objects(self, functions: Sequence[tree.Function]) -> bool:
        """Whether functions that are called on a class take an object in Python: they are given the class itself."""
        return any(
            function in self.owners[function].methods.values() and not self.is_of_class(function)
            for function in functions
            if function in self.owners
        )

    def method_name(self, function: tree.Function) -> str:
        """What a function of a class is called in Python."""
        made = self.owners[function]
        for kept in (made.methods, made.statics, made.makers):
            for name, other in kept.items():
                if other is function:
                    return code.attribute_name(name)
        raise KeyError(function)

    def method(self, made: LuaClass, name: str) -> str:
        if name in _SPECIAL:
            return _SPECIAL[name]
        if name == "updateOutput" and made.instance.kind != "object":
            return "forward"
        if name == "reset" and made.parent == "nn.Linear":
            return "reset_parameters"  # which its constructor calls, as in Torch7
        if name in LEFT_OUT and made.instance.kind != "object":
            raise Problem("T7-243", made.statement.line, f"a call of {name} of a layer")
        if name == "__concat" and made.find("concat") is None:
            return "concat"  # Python has no such operator
        if name in METAMETHODS:
            raise Problem("T7-242", made.statement.line, f"the metamethod {name}")
        return code.attribute_name(name)

    def _constant(self, made: LuaClass, name: str, value: Expression) -> Py:
        t = self.t
        for node in tree.walk(value):
            if (
                isinstance(node, Name)
                and t.scopes.of_name[node] not in t.module_level
                and t.path(node) is None
            ):
                raise Problem("T7-242", value.line, f"the field {name} of a class, made of variables")
        return t.value(value)

    def statement(self, node: Statement) -> bool:
        """Write a statement of a constructor or of a layer that is written otherwise; whether it is one."""
        if isinstance(node, tree.Return) and self._ends_init(node):
            return True
        if self.factories.statement(node) or self.literal_objects.statement(node):
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
        """How a class of layers is written."""
        found = self.layers.get(made)
        if found is None:
            outer, self.studied = self.studied, made
            try:
                found = self.layers[made] = OwnLayer(self.t, made, self.names[made])
            finally:
                self.studied = outer
        return found
