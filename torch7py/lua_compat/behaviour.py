"""What values that are neither numbers nor tables do in expressions: strings, functions, and objects of libraries."""

from __future__ import annotations

from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, NoReturn

from torch7py.lua_compat.values import Table, fault

__all__ = ["Behaviour", "behaviour_of", "behaviours", "kind_of"]


class Behaviour:
    """How values of a Python type behave. The base class refuses everything, as functions and booleans do."""

    kind = "userdata"

    def index(self, value: Any, key: Any) -> Any:
        raise fault(f"attempt to index a {kind_of(value)} value")

    def set_index(self, value: Any, key: Any, new: Any) -> None:
        raise fault(f"attempt to index a {kind_of(value)} value")

    def method(self, value: Any, name: str, args: tuple[Any, ...]) -> Any:
        """``value:name(...)``"""
        from torch7py.lua_compat.operators import call

        return call(self.index(value, name), value, *args)

    def call(self, value: Any, args: tuple[Any, ...]) -> Any:
        raise fault(f"attempt to call a {kind_of(value)} value")

    def arithmetic(self, name: str, left: Any, right: Any) -> Any:
        """``left + right`` and its like, where one of them is of this type; NotImplemented: not with these."""
        return NotImplemented

    def equal(self, left: Any, right: Any) -> bool:
        return left is right

    def length(self, value: Any) -> Any:
        raise fault(f"attempt to get length of a {kind_of(value)} value")

    def text(self, value: Any) -> str:
        return f"{self.kind}: 0x{id(value) & 0xFFFFFFFFFFFF:012x}"

    def metatable(self, value: Any) -> Table | None:
        return None


class Functions(Behaviour):
    kind = "function"

    def call(self, value: Any, args: tuple[Any, ...]) -> Any:
        return value(*args)


class Plain(Behaviour):
    def __init__(self, kind: str) -> None:
        self.kind = kind

    def no_length(self) -> NoReturn:
        raise fault(f"attempt to get length of a {self.kind} value")

    def text(self, value: Any) -> str:
        return {None: "nil", True: "true", False: "false"}[value]


FUNCTIONS = Functions()
behaviours: dict[type, Behaviour] = {
    type(None): Plain("nil"),
    bool: Plain("boolean"),
    FunctionType: FUNCTIONS,
    BuiltinFunctionType: FUNCTIONS,
    MethodType: FUNCTIONS,
}
"""By Python type; a type that is missing has that of the nearest of its bases, or counts as a function."""

_PLAIN_KINDS = {
    int: "number",
    float: "number",
    str: "string",
    bool: "boolean",
    type(None): "nil",
    Table: "table",
}


def behaviour_of(value: Any) -> Behaviour:
    kind = type(value)
    found = behaviours.get(kind)
    if found is None:
        found = next((behaviours[base] for base in kind.__mro__ if base in behaviours), None)
        if found is None:
            found = FUNCTIONS if callable(value) else Behaviour()
        behaviours[kind] = found
    return found


def kind_of(value: Any) -> str:
    """What ``type(value)`` says."""
    known = _PLAIN_KINDS.get(type(value))
    if known is not None:
        return known
    if isinstance(value, Table):
        return "table"
    return behaviour_of(value).kind
