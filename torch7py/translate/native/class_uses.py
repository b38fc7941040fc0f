"""Uses of the program's own classes: fields of objects, constructors, methods of the parent, classes as values."""

from __future__ import annotations

from torch7py.translate.facts import layers as facts
from torch7py.translate.layers.as_modules import DERIVED_FROM
from torch7py.translate.native import code
from torch7py.translate.native.classmethod_constructors import Factories
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.init_constructors import Makers
from torch7py.translate.native.interfaces.classes import Classes
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.literal_objects import LiteralObjects
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, String

__all__ = ["ClassUses"]


class ClassUses:
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

    def field(self, node: Index) -> Py:
        t = self.t
        assert isinstance(node.key, String)
        name = node.key.value
        if t.kind(node.base) in ("module", "criterion"):
            if self.classes.current is not None and self.classes.current.self_field(node) is not None:
                text = self.classes.current.text(name)
                if text is not None:
                    return atom(text)
                return atom(f"{t.value(node.base).at(code.ATOM)}.{self.classes.current.attribute(name)}")
            return self._field_of_layer(node, name)
        return atom(f"{t.value(node.base).at(code.ATOM)}.{code.attribute_name(name)}")

    def entry(self, node: Index) -> Py | None:
        if self.classes.current is None or isinstance(node.key, String):
            return None
        layer = self.classes.current
        name = layer.self_field(node)
        if (
            name is None
            and facts.is_container(layer.lua_class.parent)
            and layer.self_field(node.base) == "modules"
        ):
            return atom(f"{self.t.value(node.base).at(code.ATOM)}[{self.t.expressions.position(node.key)}]")
        of_table = (
            name is None and layer.self_field(node.base) == "gradInput" and not layer.entries["gradInput"]
        )
        if of_table and layer.spread and layer.no_return is not None:
            return atom(f"{layer.no_return}[{self.t.expressions.position(node.key)}]")
        text = self.classes.current.text(name) if name is not None else None
        return None if text is None else atom(text)

    def _field_of_layer(self, node: Index, name: str) -> Py:
        """A field of a layer, outside of its methods."""
        base = self.t.value(node.base).at(code.ATOM)
        for lua_class in self.t.type(node.base).find().classes:
            known = lua_class in self.classes.failed or lua_class is self.classes.studied
            # Which may be written later.
            layer = self.classes.layers.get(lua_class) if known else self.classes.layer_of(lua_class)
            if layer is None and lua_class is self.classes.studied:
                return atom(f"{base}.{code.python_name(name)}")
            if lua_class in self.t.plain_layers.written:
                return atom(f"{base}.{self.t.plain_layers.attribute(name)}")
            if layer is None or name in layer.temporary:
                raise Problem("T7-225", node.line, f"the field {name} of a layer")
            if name in layer.gradients:
                return atom(f"{base}.{layer.attribute(layer.gradients[name])}.grad")
            if not facts.is_chain(lua_class.parent) or name not in ("modules", "weight", "bias"):
                return atom(f"{base}.{layer.attribute(name)}")
        raise Problem("T7-225", node.line, f"the field {name} of a layer")

    def named(self, node: Expression) -> Py | None:
        lua_class = self.t.types.class_named(node)
        if lua_class is None or (
            isinstance(node, Name) and self.t.scopes.of_name[node] in self.t.modules.aliases
        ):
            return None
        if isinstance(node, Name) and self.t.names.chosen.get(self.t.scopes.of_name[node]) == "cls":
            return atom("cls")
        if lua_class in self.classes.failed:
            raise Problem(
                self.classes.failed[lua_class].code, node.line, self.classes.failed[lua_class].reason
            )
        return atom(self.classes.names[lua_class])

    def call(self, node: Call | Invoke) -> Py | None:
        """A constructor, a method of the parent, or a metamethod."""
        t = self.t
        inner = self.classes.current.inner_gradient(node) if self.classes.current is not None else None
        if inner is not None:
            return inner
        if isinstance(node, Call) and node in self.factories.setmetatable_calls:
            return self.factories.call(node)
        if isinstance(node, Call) and node in self.literal_objects.calls:
            return self.literal_objects.call(node)
        functions = t.types.function_called(node)
        for function in functions:
            if function in self.factories.functions and self.factories.is_of_class(function):
                if isinstance(node, Call) and t.types.class_named(node.callee) is None:
                    if not node.arguments or t.types.class_named(node.arguments[0]) is None:
                        raise Problem("T7-242", node.line, "a constructor called without its colon")
                    rest = Call(node.span, node.callee, node.arguments[1:])
                    args = t.calls.arguments(rest, functions, 1)
                    owner = t.value(node.arguments[0]).at(code.ATOM)
                    return atom(f"{owner}.{self.classes.method_name(function)}({args})")
                if isinstance(node, Invoke) and t.types.class_named(node.receiver) is None:
                    raise Problem("T7-242", node.line, "an object of a class that is not known")
            maker = self.makers.of_function.get(function)
            if maker is not None:
                first = 1 if isinstance(node, Invoke) else 0
                if isinstance(node, Call) and len(maker.parameters) < len(function.parameters):
                    raise Problem("T7-242", node.line, "a constructor called without its colon")
                name = self.classes.names[self.classes.owners[function]]
                if isinstance(node, Invoke):
                    named = t.types.class_named(node.receiver)
                    if named is None:
                        raise Problem("T7-242", node.line, "an object of a class that is not known")
                    name = self.classes.names[named]
                if maker.keys is not None:
                    first = 1 if t.types.begins_with_self(function) else 0
                    if isinstance(node, Call) and first:
                        node = Call(node.span, node.callee, node.arguments[1:])
                    return atom(f"{name}({self.makers.handed(maker, node, first)})")
                return atom(f"{name}({t.calls.arguments(node, functions, first)})")
        if isinstance(node, Invoke):
            return None
        lua_class = t.types.class_named(node.callee)
        if lua_class is not None:
            start = lua_class.constructor()
            if start is not None and start in self.factories.functions:
                first = 1 if self.factories.is_of_class(start) else 0
                args = t.calls.arguments(node, [start], first)
                return atom(f"{t.value(node.callee)}.{code.attribute_name(lua_class.called)}({args})")
            maker = self.makers.of_function.get(start) if start is not None else None
            skipped = 1 if maker is None or start is None else len(start.parameters) - len(maker.parameters)
            args = t.calls.arguments(node, [start] if start is not None else [], skipped)
            return atom(f"{t.value(node.callee)}({args})")
        return self._of_one_of_several(node) or self._of_parent(node)

    def _of_one_of_several(self, node: Call) -> Py | None:
        """A constructor of one of several classes, which a variable or a table holds."""
        t = self.t
        callee = t.type(node.callee)
        if callee.kind != "class" or not callee.find().classes or t.path(node.callee) is not None:
            return None
        constructors = [lua_class.constructor() for lua_class in callee.find().classes]
        starts = [start for start in constructors if start is not None]
        if any(start in self.factories.functions or start in self.makers.of_function for start in starts):
            return None
        return atom(f"{t.value(node.callee).at(code.ATOM)}({t.calls.arguments(node, starts, 1)})")

    def _of_parent(self, node: Call) -> Py | None:
        """``parent.f(self, ...)``"""
        t = self.t
        callee = node.callee
        if not (isinstance(callee, Index) and isinstance(callee.key, String) and node.arguments):
            return None
        name = callee.key.value
        method = self.classes.owners.get(t.scope.function) if t.scope.function is not None else None
        path = t.path(callee.base)
        is_parent_call = method is not None and (
            (isinstance(callee.base, Name) and t.scopes.of_name[callee.base] in t.types.parent_of_variable)
            or path == method.parent
            or (method.base is not None and t.types.class_named(callee.base) is method.base)
        )
        if not is_parent_call or method is None or not isinstance(node.arguments[0], Name):
            return None
        if node.arguments[0].name != "self":
            return None
        functions = t.types.function_called(node)
        rest = Call(node.span, callee, node.arguments[1:])
        args = t.calls.arguments(rest, functions, 1)
        python = self.classes.method(method, name)
        of_linear = method.parent in DERIVED_FROM and (
            name == "updateOutput" or (name == "reset" and not rest.arguments)
        )
        if name == "__init" and method.parent in DERIVED_FROM and not facts.may_weigh(method.parent):
            args = ""  # whether it works in place
        layer = self.classes.current
        if layer is not None and layer.by_hand and name == "updateOutput" and layer.texts:
            return atom(f"{layer.parents}({args})")
        if not functions and name != "__init" and not of_linear:
            raise Problem("T7-242", node.line, f"the method {name} of {method.parent}")
        made = node.arguments[0]
        in_method = not isinstance(made, Name) or t.scopes.of_name[made].kind == "parameter"
        of = (
            "" if in_method else f"{self.classes.names[method]}, {t.value(made)}"
        )  # in a function of the class
        return atom(f"super({of}).{python}({args})")
