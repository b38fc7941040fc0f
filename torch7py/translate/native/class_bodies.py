"""The body of a Python class: its fields, its constructor, its methods in the order of the source.

A layer's class has the protocol of ``nn.Module`` instead of Torch7's: what that does by itself is left out.
"""

from __future__ import annotations

import re

from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.facts.layers import BACKWARD
from torch7py.translate.kinds import LuaClass
from torch7py.translate.layers.as_modules import BASES, draws_weights
from torch7py.translate.native import code
from torch7py.translate.native.class_fields import ClassFields
from torch7py.translate.native.classmethod_constructors import Factories
from torch7py.translate.native.code import Py
from torch7py.translate.native.init_constructors import Makers
from torch7py.translate.native.interfaces.classes import Classes
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.layer_fields import LayerFields
from torch7py.translate.native.literal_objects import LiteralObjects
from torch7py.translate.native.metamethods import Metamethods
from torch7py.translate.native.mode_methods import MODES, ModeMethods
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.user_layers import LEFT_OUT
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement, String

__all__ = ["ClassBodies"]

_OF_WEIGHTS = {"zeroGradParameters", "updateParameters"}
# Methods of layers that nn.Module calls of the layers in it.
_PASSED_DOWN = {
    "training",
    "evaluate",
    "zeroGradParameters",
    "updateParameters",
    "type",
    "float",
    "double",
    "cuda",
}


class ClassBodies:
    def __init__(
        self,
        t: Translation,
        classes: Classes,
        fields: ClassFields,
        makers: Makers,
        factories: Factories,
        literal_objects: LiteralObjects,
    ) -> None:
        self.classes, self.t = classes, t
        self.makers, self.factories, self.literal_objects, self.fields = (
            makers,
            factories,
            literal_objects,
            fields,
        )
        self.metamethods = Metamethods(t, classes)
        self.modes = ModeMethods(t, classes, self.only_passes_down)

    def write(self, lua_class: LuaClass) -> None:
        t = self.t
        base = self.base(lua_class)
        self.fields.refuse_alike(lua_class)
        t.gap()
        t.emit(f"class {self.classes.names[lua_class]}{f'({base})' if base else ''}:")
        with t.indented():
            if self.classes.current is not None and self.classes.current.remembers_output:
                t.emit("output = torch.empty(0)  # of the last input")
            for name, value in lua_class.values.items():
                if self.classes.current is not None and name in LEFT_OUT:
                    continue
                t.emit(f"{code.attribute_name(name)} = {self.constant(lua_class, name, value)}")
            for name in self.fields.of_derived(lua_class):
                t.emit(f"{code.attribute_name(name)} = None")
            self.metamethods.write_not_inherited(lua_class)
            inits = self.fields.missing(lua_class)
            if self.factories.functions.intersection(
                f for c in self.classes.family(lua_class) for f in c.makers.values()
            ):
                for line in inits:  # objects begin empty
                    t.emit(line.removeprefix("self."))
            elif self._has_no_constructor(lua_class):
                # The parent's constructor knows nothing of them.
                for line in self.fields.missing(lua_class, True):
                    t.emit(line.removeprefix("self."))
            elif lua_class in self.literal_objects.classes:
                self.literal_objects.write(lua_class, inits)
            elif (
                lua_class.find("__init") is None and not lua_class.makers and inits and lua_class.base is None
            ):
                t.emit("def __init__(self):")
                with t.indented():
                    if self.classes.current is not None:
                        t.emit("super().__init__()")
                    for line in inits:
                        t.emit(line)
            for statement, name, function in self._functions(lua_class):
                layer = self.classes.current
                half = layer is not None and not layer.user_passes and name in BACKWARD
                if statement is not None and not half:
                    for comment in statement.around.outside:
                        t.comment(comment)
                if self.classes.current is None or not self._of_layer(self.classes.current, name, function):
                    self._function(lua_class, name, function)
            layer = self.classes.current
            if lua_class.instance.kind == "module" and layer is not None:
                self.modes.write(lua_class)
            self.metamethods.write_reflected(lua_class)
            for name, other in lua_class.aliases.items():
                t.emit(f"{code.attribute_name(name)} = {self.classes.method(lua_class, other)}")
            layer = self.classes.current
            if layer is not None and layer.by_hand and layer.forward is None:
                layer.write_forward()
        t.emit("")

    def _has_no_constructor(self, lua_class: LuaClass) -> bool:
        """Whether objects of a class that derives are made by its parent's constructor."""
        has_constructor = lua_class.makers or "__init" in lua_class.methods
        return lua_class.instance.kind == "object" and lua_class.base is not None and not has_constructor

    def _of_layer(self, layer: LayerFields, name: str, function: tree.Function) -> bool:
        """Write a method of the protocol of layers; whether it is one."""
        t = self.t
        if name == "updateOutput":
            layer.write_forward()
        elif name in ("__tostring", "__tostring__"):
            t.functions.define("__repr__", function)
        elif name in MODES:
            if name in self.modes.effective_methods(layer.lua_class):
                t.functions.define(MODES[name], function)
        elif name in _PASSED_DOWN and self.only_passes_down(name, function):
            return True
        elif not function.body.statements and name in _OF_WEIGHTS:
            raise Problem("T7-243", function.line, f"{name} that leaves weights with gradients as they are")
        elif name not in LEFT_OUT or (layer.user_passes and name in BACKWARD):
            return False
        return True

    def mode_called(self, node: Invoke, base: str) -> str:
        return self.modes.called(node, base)

    def passes_down(self, node: Invoke) -> bool:
        functions = self.t.types.function_called(node)
        if node.method not in _PASSED_DOWN or self.t.kind(node.receiver) != "module":
            return False
        return bool(functions) and all(self.only_passes_down(node.method, f) for f in functions)

    def only_passes_down(self, name: str, function: tree.Function) -> bool:
        t = self.t
        if not function.body.statements and name in _OF_WEIGHTS:
            return not self._gathers_gradients(function)
        statements = list(function.body.statements)
        for loop in function.body.statements:
            if isinstance(loop, tree.GenericFor):
                statements.remove(loop)
                statements += loop.body.statements
        for statement in statements:
            if isinstance(statement, tree.Return):
                calls: tuple[Expression, ...] = statement.values
            else:
                calls = (statement.call,) if isinstance(statement, tree.Run) else (tree.Nil(statement.span),)
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

    def _gathers_gradients(self, function: tree.Function) -> bool:
        """Whether the layer that a method belongs to may have weights that gradients are added to."""
        owner = self.classes.owners.get(function)
        if owner is None:
            return True
        half = owner.find("accGradParameters")
        if half is not None:
            return bool(half.body.statements)
        return owner.parent is None or not facts.is_base(owner.parent)

    def base(self, lua_class: LuaClass) -> str:
        if lua_class.base is not None:
            return self.classes.names[lua_class.base]
        if lua_class.parent is None:
            return ""
        if lua_class.parent not in BASES:
            raise Problem("T7-242", lua_class.statement.line, f"a class that derives from {lua_class.parent}")
        return BASES[lua_class.parent]

    def _functions(self, lua_class: LuaClass) -> list[tuple[Statement | None, str, tree.Function]]:
        """The functions of a class, its constructor and then the others in the order of the source."""
        functions: list[tuple[Statement | None, str, tree.Function]] = []
        statements: dict[tree.Function, Statement] = {}
        for statement in lua_class.parts:
            if isinstance(statement, tree.FunctionStatement):
                statements[statement.function] = statement
            elif isinstance(statement, tree.Assign) and isinstance(statement.values[0], tree.Function):
                statements[statement.values[0]] = statement
        for kept in (lua_class.makers, lua_class.methods, lua_class.statics):
            functions += [(statements.get(function), name, function) for name, function in kept.items()]
        begins = {f for f in self.makers.of_function if f in lua_class.makers.values()} | {
            lua_class.methods.get("__init")
        }
        return sorted(functions, key=lambda item: (item[2] not in begins, item[2].span.start))

    def _function(self, lua_class: LuaClass, name: str, function: tree.Function) -> None:
        t = self.t
        if function in self.makers.of_function:
            maker = self.makers.of_function[function]
            inits, last = self.fields.missing(lua_class), []
            if maker.keys is not None:
                inits = [*self.literal_objects.lines(lua_class, maker.keys), *inits]
                last = self.literal_objects.parameters(maker.keys)
            t.functions.define("__init__", function, maker.parameters, inits, ["self"], last)
        elif function in self.factories.functions and self.factories.is_of_class(function):
            t.gap()
            t.emit("@classmethod")
            t.functions.define(code.attribute_name(name), function)
        elif name in lua_class.statics or function in self.factories.functions:
            t.gap()
            t.emit("@staticmethod")
            t.functions.define(code.attribute_name(name), function)
        else:
            if lua_class.by_metatable and self.classes.is_of_class(function):
                t.gap()
                t.emit("@classmethod")
            before = len(t.lines)
            begin = self.fields.missing(lua_class) if name == "__init" else []
            if name == "__init" and self.classes.current is not None and not _begins_parent(function):
                begin = ["super().__init__()", *begin]  # which PyTorch wants of all modules
            if name == "__eq" and self.metamethods.compared_with_others():
                other = t.names.of(function.parameters[-1])
                begin = [
                    f"if not isinstance({other}, {self.classes.names[lua_class]}):",
                    "    return NotImplemented",
                ]
            t.functions.define(self.classes.method(lua_class, name), function, inits=begin)
            written = [line.strip() for line in t.lines[before:] if line.strip()]
            if name == "__init" and facts.is_container(lua_class.parent):
                at = next((i for i in range(before, len(t.lines)) if "super().__init__(" in t.lines[i]), None)
                if at is not None:
                    t.lines.insert(at + 1, f"{'    ' * (t.depth + 1)}self.modules_ = nn.ModuleList()")
            # Whose constructor calls it without arguments.
            if name == "reset" and draws_weights(lua_class.parent):
                at = next(i for i in range(before, len(t.lines)) if "def reset_parameters(" in t.lines[i])
                t.lines[at] = re.sub(r"(?<=, )(\w+)(?=[,)])", r"\1=None", t.lines[at])
            if self.classes.current is not None and written == ["def __init__(self):", "super().__init__()"]:
                del t.lines[before:]  # says nothing
            if name == "__eq":
                t.emit("__hash__ = object.__hash__")

    def constant(self, lua_class: LuaClass, name: str, value: Expression) -> Py:
        t = self.t
        for node in tree.walk(value):
            if isinstance(node, Name) and t.types.class_named(node) is lua_class:
                raise Problem("T7-242", value.line, f"the field {name} of a class, made of the class itself")
            if (
                isinstance(node, Name)
                and t.scopes.of_name[node] not in t.module_level
                and t.path(node) is None
            ):
                raise Problem("T7-242", value.line, f"the field {name} of a class, made of variables")
        return t.value(value)


def _begins_parent(function: tree.Function) -> bool:
    """Whether a constructor calls that of a parent."""
    return any(
        isinstance(call.callee, Index) and call.callee.key_name == "__init"
        for call in tree.every(function.body, Call)
    )
