"""Metamethods of Lua as Python's special methods: their names, and where the two languages look for them otherwise."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.kinds import LuaClass
from torch7py.translate.native.interfaces.classes import Classes
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem
from torch7py.translate.templates import Template

__all__ = ["SPECIAL", "Metamethods", "leaves_names"]

SPECIAL = {
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


_ASKED_FOR_NAME = Template("return type(KEY) == 'string'")
_FOR_NAMES = Template("return CLASS[KEY]")


def leaves_names(t: Translation, lua_class: LuaClass) -> bool:
    """Whether ``__index`` begins with what classes do anyway: a text names a field of the class. Others are items."""
    function = lua_class.methods.get("__index")
    first = function.body.statements[0] if function is not None and function.body.statements else None
    if function is None or len(function.parameters) != 2 or not isinstance(first, tree.If):
        return False
    (condition, body), key = first.branches[0], function.parameters[1]
    asked = _ASKED_FOR_NAME.match(condition, KEY=key)
    found = _FOR_NAMES.match(body, KEY=key)
    return asked is not None and found is not None and t.types.class_named(found["CLASS"]) is lua_class


class Metamethods:
    def __init__(self, t: Translation, classes: Classes) -> None:
        self.classes, self.t = classes, t

    def write_reflected(self, lua_class: LuaClass) -> None:
        """Operators with an object on the right alone."""
        t = self.t
        for name, (operator, reflected) in _REFLECTED.items():
            if name in lua_class.methods and self._on_the_right(lua_class, operator):
                t.gap()
                t.emit(f"def {reflected}(self, other):")
                with t.indented():
                    t.emit(f"return {self.classes.names[lua_class]}.{SPECIAL[name]}(other, self)")
                t.emit("")

    def write_not_inherited(self, lua_class: LuaClass) -> None:
        """What Python's classes inherit and Lua's metatables do not."""
        t = self.t
        if not lua_class.by_metatable or lua_class.base is None:
            return
        method_names = {*lua_class.methods, *lua_class.aliases, *lua_class.inherited}
        for name in sorted(
            {n for n in SPECIAL if n != "__init" and lua_class.base.find(n) is not None} - method_names
        ):
            if name == "__len":
                raise Problem(
                    "T7-242", lua_class.statement.line, "a length that the objects of a parent have"
                )
            for line in _NOT_INHERITED.get(name, ()):
                t.emit(line)

    def _on_the_right(self, lua_class: LuaClass, operator: str) -> bool:
        """Whether something else than an object stands on the left of an operator, and an object on the right."""
        t = self.t
        return any(
            node.operator == operator
            and lua_class in t.type(node.right).find().classes
            and t.kind(node.left) != "object"
            for node in tree.every(t.program, tree.Binary)
        )

    def compared_with_others(self) -> bool:
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
