"""Lua's tables and functions as objects of Python. They are references: nothing is copied unless asked for."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterable, Iterator, MutableMapping, ValuesView
from typing import Any

import torch

from torch7py.bridge.calls import ForOneCall, LuaReference
from torch7py.nn.foreign import PyTorch
from torch7py.ops import types

__all__ = ["Foreign", "Globals", "LuaFunction", "LuaTable", "LuaValue", "PythonFunction", "from_lua"]

AT_A_TIME = 50  # values that one call carries
SHOWN = 10  # entries in a repr


class PythonFunction:
    """Stands in Lua for a Python callable."""

    __slots__ = ("__weakref__", "function")

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function


class Foreign(ForOneCall):
    """Stands for a Lua value that lupa cannot pass on: a C integer, or a type without a Python counterpart."""

    __slots__ = ("name", "number")

    def __init__(self, name: str) -> None:
        self.name = name
        digits = name.rstrip("UL")
        self.number = int(digits) if digits.lstrip("-").isdigit() else None


def from_lua(value: Any) -> Any:
    """Convert a value from ``decode`` to what the user of Python gets."""
    kind = value.__class__
    if kind is str:
        if value.isascii():
            return value
        data = value.encode("latin1")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return data
    if kind is PythonFunction:
        return value.function
    if kind is PyTorch:
        return value.module
    if kind is Foreign:
        if value.number is not None:
            return value.number
        raise TypeError(f"a Lua {value.name} has no counterpart in Python (docs/value_conversion.md)")
    return value


class LuaValue(LuaReference):
    """A Lua table or function in Python. There is one object for each Lua value while Python holds it."""

    __slots__ = ()

    def __reduce__(self) -> Any:
        raise TypeError(f"a {type(self).__name__} lives in its runtime and cannot be copied or pickled")

    def __copy__(self) -> Any:
        return self.__reduce__()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.__reduce__()


class LuaFunction(LuaValue):
    """A Lua function: called with and giving what docs/value_conversion.md says, a tuple for several results.

    Raises LuaError, with the place in Lua, when it fails.
    """

    __slots__ = ()

    def __call__(self, *arguments: Any) -> Any:
        return self.runtime().enter_lua("user_call", self.number, values=arguments)

    def __repr__(self) -> str:
        if self._runtime.closed:
            return "<LuaFunction of a closed runtime>"
        file, line = self.runtime().enter_lua("user_place", self.number)
        return f"<LuaFunction {file}:{line}>" if file else "<LuaFunction built in>"


class LuaTable(LuaValue, MutableMapping[Any, Any]):
    """A Lua table, read and written where it is.

    ::

        t = runtime.globals["opt"]
        t["rate"] = 0.1            # the program sees it
        len(t), "rate" in t, list(t.items())
        t[1], t.array()            # arrays begin with 1, as in Lua
        t.append(3)
        t.plain()                  # a copy: lists and dicts throughout

    Keys are what Lua's are; a key that is not there is a KeyError. Reading and writing one go by the metatable, as
    in Lua; ``len`` and iteration by the entries. Two are equal when they are the same table.
    """

    __slots__ = ()

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __getitem__(self, key: Any) -> Any:
        value = self.runtime().enter_lua("user_get", self.number, values=(key,))
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: Any, value: Any) -> None:
        self.runtime().enter_lua("user_set", self.number, values=(key, value))

    def __delitem__(self, key: Any) -> None:
        if key not in self:
            raise KeyError(key)
        self.runtime().enter_lua("user_set", self.number, values=(key, None))

    def __contains__(self, key: object) -> bool:
        return bool(self.runtime().enter_lua("user_has", self.number, values=(key,)))

    def __len__(self) -> int:
        return int(self.runtime().enter_lua("user_count", self.number))

    def __iter__(self) -> Iterator[Any]:
        return iter([from_lua(key) for key in self._listed("user_keys")])

    def items(self) -> ItemsView[Any, Any]:
        return _Items(self)

    def values(self) -> ValuesView[Any]:
        return _Values(self)

    def array(self) -> list[Any]:
        """The values of 1, 2, ... up to Lua's length of the table."""
        length = int(self.runtime().enter_lua("user_length", self.number))
        return [from_lua(value) for value in self._parts(self.number, length)]

    def append(self, value: Any) -> None:
        """Put a value behind the last of an array."""
        self.runtime().enter_lua("user_append", self.number, values=(value,))

    def extend(self, values: Iterable[Any]) -> None:
        """Put values behind the last of an array."""
        for value in values:
            self.append(value)

    def plain(self) -> Any:
        """A copy of this table and those in it: lists where the keys are 1..n or there are none, else dicts.

        What is one table here is one object there. Tables that are keys, functions, tensors and modules stay.
        """
        copies: dict[LuaTable, Any] = {}

        def start(value: Any) -> Any:
            value = from_lua(value)
            if not isinstance(value, LuaTable):
                return value
            if value not in copies:
                entries = value._listed("user_entries")
                keys = entries[::2]
                is_list = all(type(key) is int and key == n for n, key in enumerate(keys, 1))
                copies[value] = [] if is_list else {}
                waiting.append((value, entries))
            return copies[value]

        waiting: list[tuple[LuaTable, list[Any]]] = []
        result = start(self)
        while waiting:
            table, entries = waiting.pop()
            copy = copies[table]
            if isinstance(copy, list):
                copy += map(start, entries[1::2])
            else:
                copy.update(zip(map(from_lua, entries[::2]), map(start, entries[1::2]), strict=True))
        return result

    def __repr__(self) -> str:
        if self._runtime.closed:
            return f"<{type(self).__name__} of a closed runtime>"
        entries = self._listed("user_entries", SHOWN)
        pairs = zip(entries[::2], entries[1::2], strict=True)
        shown = [f"{_brief(key)}: {_brief(value)}" for key, value in pairs]
        more = ", ..." if len(self) > SHOWN else ""
        return f"{type(self).__name__}({{{', '.join(shown)}{more}}})"

    def _listed(self, which: str, most: float = float("inf")) -> list[Any]:
        """Keys, or keys and values by turns, of ``most`` entries at most; not yet what a user gets for them."""
        number, count = self.runtime().enter_lua(which, self.number, most)
        listed = LuaReference(self._runtime, int(number))
        return self._parts(listed.number, int(count))

    def _parts(self, number: int, count: int) -> list[Any]:
        parts: list[Any] = []
        for first in range(1, count + 1, AT_A_TIME):
            parts += self.runtime().read_lua("user_part", number, first, min(first + AT_A_TIME - 1, count))
        return parts


class _Items(ItemsView[Any, Any]):
    _mapping: LuaTable

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        entries = self._mapping._listed("user_entries")
        for key, value in zip(entries[::2], entries[1::2], strict=True):
            yield from_lua(key), from_lua(value)


class _Values(ValuesView[Any]):
    _mapping: LuaTable

    def __iter__(self) -> Iterator[Any]:
        return map(from_lua, self._mapping._listed("user_entries")[1::2])


def _brief(value: Any) -> str:
    """The repr of a value inside the repr of a table."""
    if isinstance(value, LuaTable):
        return f"<table of {len(value)}>"
    if isinstance(value, torch.Tensor):
        return f"<{types.of(value).tensor} {'x'.join(map(str, value.shape)) or 'empty'}>"
    if isinstance(value, torch.nn.Module):
        return f"<{getattr(value, 'class_name', type(value).__name__)}>"
    if isinstance(value, Foreign) and value.number is None:
        return f"<{value.name}>"
    return repr(from_lua(value))


class Globals(LuaTable):
    """The global variables of a runtime's Lua program: a table like any other, but that no metatable is asked.

    ``del runtime.globals["x"]`` sets a global to nil.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "<Globals of a closed runtime>" if self._runtime.closed else f"<Globals of {self._runtime!r}>"
