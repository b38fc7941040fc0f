"""Lua's values in Python, and what metamethods decide for all of them: indexing, calls, metatables.

nil is None, booleans are bool, numbers int or float (an int stands for the double of the same value), strings are
str with one character a byte, functions are Python callables, tables are ``Table``. Several results are a tuple,
which no Lua value is; no result is ``()``. A ``Behaviour`` says what values of another Python type do.
"""

from __future__ import annotations

from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, ClassVar

from torch7py.lua_compat.errors import LuaError, fault

__all__ = [
    "Behaviour",
    "Environment",
    "Globals",
    "GuardedGlobals",
    "Later",
    "Library",
    "Table",
    "behaviour_of",
    "behaviours",
    "bound",
    "call",
    "first",
    "index",
    "index_by",
    "kind_of",
    "metamethod",
    "metatable",
    "method",
    "multi",
    "setindex",
    "truth",
    "type_metatables",
]

_TRUE, _FALSE = object(), object()  # True == 1 in Python, so booleans are other keys
_BOOLEANS = {_TRUE: True, _FALSE: False}


def truth(value: Any) -> bool:
    """Whether a value counts as true: all do but nil and false."""
    return value is not None and value is not False


def first(result: Any) -> Any:
    """The first of a call's results, nil when there is none."""
    if type(result) is tuple:
        return result[0] if result else None
    return result


def multi(result: Any) -> tuple[Any, ...]:
    """All results of a call."""
    return result if type(result) is tuple else (result,)


class Table:
    """A Lua table: ``array_`` holds 1..n, ``hash_`` all other keys (removed ones stay, as None, for ``next``)."""

    __slots__ = ("__weakref__", "array_", "extra_", "hash_", "meta_", "order_")

    array_: list[Any]
    hash_: dict[Any, Any]
    meta_: Table | None
    order_: tuple[int, list[Any], dict[Any, int]] | None
    extra_: Any  # what the torch package keeps of a table

    def __init__(self, array: list[Any] | None = None, fields: dict[Any, Any] | None = None) -> None:
        self.array_ = [] if array is None else array
        while self.array_ and self.array_[-1] is None:
            self.array_.pop()
        self.hash_ = {}
        self.meta_ = None
        self.order_ = None
        self.extra_ = None
        if fields:
            for key, value in fields.items():
                self.rawset_(key, value)

    def rawget_(self, key: Any) -> Any:
        kind = type(key)
        if kind is str:
            return self.hash_.get(key)
        if kind is float:
            if not key.is_integer():
                return self.hash_.get(key)
            key = int(key)
        elif kind is bool:
            return self.hash_.get(_TRUE if key else _FALSE)
        elif kind is not int:
            return self.hash_.get(key)
        if 0 < key <= len(self.array_):
            return self.array_[key - 1]
        return self.hash_.get(key)

    def rawset_(self, key: Any, value: Any) -> None:
        kind = type(key)
        if kind is str:
            self.hash_[key] = value
            return
        if kind is float:
            if key.is_integer():
                key = int(key)
                kind = int
            elif key != key:
                raise fault("table index is NaN")
        elif kind is bool:
            key = _TRUE if key else _FALSE
        elif key is None:
            raise fault("table index is nil")
        if kind is int:
            array = self.array_
            size = len(array)
            if 0 < key <= size:
                array[key - 1] = value
                if value is None and key == size:
                    while array and array[-1] is None:
                        array.pop()
                return
            if key == size + 1:
                if value is not None:
                    self.hash_.pop(key, None)
                    array.append(value)
                    if self.hash_:
                        self._take_over()
                return
        if value is not None or key in self.hash_:
            self.hash_[key] = value

    def _take_over(self) -> None:
        array, fields = self.array_, self.hash_
        while True:
            value = fields.pop(len(array) + 1, None)
            if value is None:
                return
            array.append(value)

    def keys_(self) -> list[Any]:
        """All keys but 1..n, in the order of ``pairs``: numbers ascending, strings ascending, the others."""
        numbers, strings, others = [], [], []
        for key, value in self.hash_.items():
            if value is None:
                continue
            if type(key) is str:
                strings.append(key)
            elif type(key) in (int, float):
                numbers.append(key)
            else:
                others.append(key)
        strings.sort()
        if numbers:
            numbers.sort()
            if numbers[0] < len(self.array_):
                numbers = sorted([*numbers, *range(1, len(self.array_) + 1)])
                return [*numbers, *strings, *others]
        return [*numbers, *strings, *others]

    def pairs_(self) -> Any:
        """Keys and values, in order; fields may be set and removed meanwhile."""
        keys = self.keys_() if self.hash_ else []
        if not (keys and type(keys[0]) in (int, float) and keys[0] < len(self.array_)):
            at = 0
            while at < len(self.array_):
                value = self.array_[at]
                at += 1
                if value is not None:
                    yield at, value
        for key in keys:
            value = self.rawget_(key)
            if value is not None:
                yield _BOOLEANS.get(key, key) if type(key) is object else key, value

    def next_(self, key: Any) -> tuple[Any, ...]:
        """The key after ``key`` and its value; ``(None,)`` at the end."""
        if type(key) is bool:
            key = _TRUE if key else _FALSE
        elif type(key) is float and key.is_integer():
            key = int(key)
        stamp = len(self.hash_)
        if self.order_ is None or self.order_[0] != stamp or (key is None):
            order = self.keys_()
            if not (order and type(order[0]) in (int, float) and order[0] < len(self.array_)):
                order = [*range(1, len(self.array_) + 1), *order]
            self.order_ = (stamp, order, {k: i for i, k in enumerate(order)})
        _, order, places = self.order_
        if key is None:
            at = 0
        elif key in places:
            at = places[key] + 1
        else:
            raise LuaError("invalid key to 'next'")
        while at < len(order):
            key = order[at]
            value = self.rawget_(key)
            if value is not None:
                return (_BOOLEANS.get(key, key) if type(key) is object else key), value
            at += 1
        self.order_ = None
        return (None,)

    def __call__(self, *args: Any) -> Any:
        return call(self, *args)

    def __getattr__(self, name: str) -> Any:  # where a library of that name is expected
        if name.startswith("__"):
            raise AttributeError(name)
        return index(self, name)

    def __repr__(self) -> str:
        return f"Table({self.array_!r}, {self.hash_!r})"


class Later(dict[str, Any]):
    """Names of a library's fields that are made when a program first asks for one: what makes each."""


class Library(Table):
    """A table whose fields are Python attributes too: ``G.string.format``."""

    RESERVED: ClassVar[frozenset[str]]

    def __init__(self, fields: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.hash_ = self.__dict__
        if fields:
            self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:
        if type(self.extra_) is Later and name in self.extra_:
            return self.rawget_(name)
        if self.meta_ is None:
            return None
        return index(self, name)

    def add_later(self, makers: dict[str, Any]) -> None:
        """Let fields be made when a program first asks for one."""
        self.extra_ = Later(makers)

    def rawget_(self, key: Any) -> Any:
        found = super().rawget_(key)
        if found is None and type(self.extra_) is Later and type(key) is str:
            make = self.extra_.pop(key, None)
            if make is not None:
                make()
                return super().rawget_(key)
        return found

    def keys_(self) -> list[Any]:
        while type(self.extra_) is Later and self.extra_:
            self.extra_.popitem()[1]()
        return super().keys_()


class Globals(Library):
    """``_G``. A global that was never set is nil."""


class GuardedGlobals(Globals):
    """``_G`` once it has a metatable: an assignment to a new global asks its ``__newindex``."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name.endswith("_") and hasattr(Table, name):
            object.__setattr__(self, name, value)
        else:
            setindex(self, name, value)


class Environment(GuardedGlobals):
    """Another table in the place of ``_G``."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self.extra_ = table
        self.meta_ = Table(None, {"__index": table, "__newindex": table})

    @property
    def table(self) -> Table:
        return self.extra_  # type: ignore[no-any-return]


Library.RESERVED = frozenset(dir(Library))


# What other values do in expressions


class Behaviour:
    """How values of a Python type behave. The base class refuses everything, as functions and booleans do."""

    kind = "userdata"

    def index(self, value: Any, key: Any) -> Any:
        raise fault(f"attempt to index a {kind_of(value)} value")

    def set_index(self, value: Any, key: Any, new: Any) -> None:
        raise fault(f"attempt to index a {kind_of(value)} value")

    def method(self, value: Any, name: str, args: tuple[Any, ...]) -> Any:
        """``value:name(...)``"""
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


# Metatables of types other than tables; debug.setmetatable may set them.
type_metatables: dict[str, Table] = {}


def metatable(value: Any) -> Table | None:
    """The metatable itself, whatever its __metatable says."""
    if isinstance(value, Table):
        return value.meta_
    if type_metatables:
        found = type_metatables.get(kind_of(value))
        if found is not None:
            return found
    return behaviour_of(value).metatable(value)


def metamethod(value: Any, event: str) -> Any:
    meta = metatable(value)
    return None if meta is None else meta.rawget_(event)


# Indexing


def index(value: Any, key: Any) -> Any:
    """``value[key]``"""
    if isinstance(value, Table):
        found = value.hash_.get(key) if type(key) is str else value.rawget_(key)
        if found is not None:
            return found
        if type(value.extra_) is Later:
            found = value.rawget_(key)
            if found is not None:
                return found
        if value.meta_ is None:
            return None
        handler = value.meta_.rawget_("__index")
        if handler is None:
            return None
        if isinstance(handler, Table):
            return index(handler, key)
        return first(call(handler, value, key))
    if type_metatables:
        handler = metamethod(value, "__index")
        if handler is not None:
            return index(handler, key) if isinstance(handler, Table) else first(call(handler, value, key))
    return behaviour_of(value).index(value, key)


def setindex(value: Any, key: Any, new: Any) -> None:
    """``value[key] = new``"""
    if isinstance(value, Table):
        meta = value.meta_
        if meta is None:
            value.rawset_(key, new)
            return
        handler = meta.rawget_("__newindex")
        if handler is None or value.rawget_(key) is not None:
            value.rawset_(key, new)
        elif isinstance(handler, Table):
            setindex(handler, key, new)
        else:
            call(handler, value, key, new)
        return
    handler = metamethod(value, "__newindex") if type_metatables else None
    if handler is not None:
        if isinstance(handler, Table):
            setindex(handler, key, new)
        else:
            call(handler, value, key, new)
        return
    behaviour_of(value).set_index(value, key, new)


def index_by(handler: Any, value: Any, key: Any) -> Any:
    """``value[key]`` by what a metatable has as ``__index``."""
    if handler is None:
        return None
    return index(handler, key) if isinstance(handler, Table) else first(call(handler, value, key))


# Calls


def call(function: Any, *args: Any) -> Any:
    """``function(...)``"""
    if type(function) is FunctionType:
        return function(*args)
    if isinstance(function, Table) or type_metatables:
        handler = metamethod(function, "__call")
        if handler is not None:
            return call(handler, function, *args)
        if isinstance(function, Table):
            raise fault("attempt to call a table value")
    return behaviour_of(function).call(function, args)


def method(value: Any, name: str, *args: Any) -> Any:
    """``value:name(...)``"""
    if isinstance(value, Table):
        function = index(value, name)
        if type(function) is FunctionType:
            return function(value, *args)
        if function is None:
            raise fault(f"attempt to call method '{name}' (a nil value)")
        return call(function, value, *args)
    if type_metatables and metamethod(value, "__index") is not None:
        return call(index(value, name), value, *args)
    return behaviour_of(value).method(value, name, args)


def bound(value: Any, name: str) -> Callable[..., Any]:
    """``value:name`` before its arguments are known, where computing these may do something."""
    if isinstance(value, Table) or (type_metatables and metamethod(value, "__index") is not None):
        function = index(value, name)

        def invoke(*args: Any) -> Any:
            return call(function, value, *args)
    else:
        behaviour = behaviour_of(value)
        if behaviour.kind != "userdata":  # all but those have no fields: an error before the arguments
            behaviour.index(value, name)

        def invoke(*args: Any) -> Any:
            return behaviour.method(value, name, args)

    return invoke
