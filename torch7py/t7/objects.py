"""What a ``.t7`` file holds besides tensors and layers: tables, functions, objects of classes nobody knows here."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import Any

import torch

from torch7py.t7.errors import T7Error

__all__ = ["HEADED", "Function", "Object", "Table", "has_fields"]

# Classes that write a table of their own before that of their fields, and from which version on.
HEADED = {"nn.GPU": 1, "nn.DataParallelTable": 2}


def _token(key: Any) -> Any:
    """What stands for a key in a dict: Lua's true is not its 1, and tables and tensors are keys by identity."""
    kind = type(key)
    if kind is str or kind is int or kind is float:
        return key
    if kind is bool:
        return (key,)
    if kind is bytes:
        return (b"", key)
    return (id(key), None)


class Table(MutableMapping[Any, Any]):
    """A Lua table: any key but nil, in the order of the file.

    ::

        t = torch7py.load("checkpoint.t7")
        t["opt"]["rnn_size"], t["losses"][1]      # arrays begin with 1, as in Lua
        t["losses"].array()                       # a list
        t.plain()                                 # lists and dicts throughout

    Two tables are equal when they are the same table.
    """

    __slots__ = ("__weakref__", "_keys", "_values")

    def __init__(self, entries: MutableMapping[Any, Any] | Iterable[tuple[Any, Any]] = ()) -> None:
        self._values: dict[Any, Any] = {}
        self._keys: dict[Any, Any] = {}  # of those that are not their own tokens
        for key, value in entries.items() if isinstance(entries, MutableMapping) else entries:
            self[key] = value

    @classmethod
    def of(cls, values: Iterable[Any]) -> Table:
        """An array: the values under 1, 2, 3, ..."""
        table = cls()
        table._values = dict(enumerate(values, 1))
        return table

    def __getitem__(self, key: Any) -> Any:
        try:
            return self._values[_token(key)]
        except KeyError:
            raise KeyError(key) from None

    def __setitem__(self, key: Any, value: Any) -> None:
        if key is None or (isinstance(key, float) and key != key):
            raise KeyError("nil and nan are no keys of a table")
        token = _token(key)
        if token is not key:
            self._keys[token] = key
        self._values[token] = value

    def __delitem__(self, key: Any) -> None:
        token = _token(key)
        if token not in self._values:
            raise KeyError(key)
        del self._values[token]
        self._keys.pop(token, None)

    def __iter__(self) -> Iterator[Any]:
        keys = self._keys
        if not keys:
            return iter(self._values)
        return (keys.get(token, token) for token in self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: object) -> bool:
        return _token(key) in self._values

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def replace(self, change: Callable[[Any], Any]) -> None:
        """Put ``change(x)`` in the place of every key and value x; the order stays."""
        values = self._values
        for token, value in values.items():
            values[token] = change(value)
        if any(change(key) is not key for key in self._keys.values()):
            entries = [(change(key), value) for key, value in self.items()]
            values.clear()
            self._keys.clear()
            for key, value in entries:
                self[key] = value

    def is_array(self) -> bool:
        """Whether the keys are 1, 2, ..., n, in whatever order."""
        count = len(self._values)
        return not self._keys and all(
            not isinstance(key, str) and 1 <= key <= count and key == int(key) for key in self._values
        )

    def array(self) -> list[Any]:
        """The values of 1, 2, ... up to the first that is missing."""
        values = []
        number = 1
        while number in self._values:
            values.append(self._values[number])
            number += 1
        return values

    def plain(self) -> Any:
        """This table and those in it as lists (keys 1..n, or no keys at all) and dicts. Tables that are keys stay."""
        return _plain(self, {})

    def map_tensors(self, convert: Callable[[Any], Any]) -> None:
        """Put ``convert(x)`` in the place of every tensor x in this table and in those inside it."""
        tables: list[Table] = [self]
        seen = {id(self)}

        def change(value: Any) -> Any:
            if isinstance(value, torch.Tensor):
                return convert(value)
            if isinstance(value, (Table, Object)) and id(value) not in seen:
                seen.add(id(value))
                if isinstance(value, Table):
                    tables.append(value)
                else:
                    value.payload[:] = [change(item) for item in value.payload]
            return value

        while tables:
            tables.pop().replace(change)

    def __deepcopy__(self, memo: dict[int, Any]) -> Table:
        from torch7py.nn.copying import deep_copy  # tensors that share memory go on sharing it

        copy = Table()
        memo[id(self)] = copy
        for key, value in self.items():
            copy[deep_copy(key, memo)] = deep_copy(value, memo)
        return copy

    def __getstate__(self) -> list[tuple[Any, Any]]:
        return list(self.items())

    def __setstate__(self, entries: list[tuple[Any, Any]]) -> None:
        self._values, self._keys = {}, {}
        for key, value in entries:
            self[key] = value

    def __repr__(self) -> str:
        shown = [f"{key!r}: {_short(value)}" for key, value in list(self.items())[:20]]
        more = ", ..." if len(self) > 20 else ""
        return f"Table({{{', '.join(shown)}{more}}})"


def _short(value: Any) -> str:
    if isinstance(value, Table):
        return f"Table of {len(value)}"
    if isinstance(value, (str, int, float, bool)):
        return repr(value)
    return f"<{getattr(value, 'class_name', type(value).__name__)}>"


def _plain(root: Table, done: dict[int, Any]) -> Any:
    """A stack of tables to fill instead of recursion: chains of tables may be long."""

    def start(table: Table) -> Any:
        copy = done.get(id(table))
        if copy is None:
            copy = done[id(table)] = [] if table.is_array() else {}
            waiting.append((table, copy))
        return copy

    waiting: list[tuple[Table, Any]] = []
    result = start(root)
    while waiting:
        table, converted = waiting.pop()
        if isinstance(converted, list):
            converted += [start(v) if isinstance(v, Table) else v for v in table.array()]
        else:
            for key, value in table.items():
                converted[key] = start(value) if isinstance(value, Table) else value
    return result


class Object:
    """An object of a class that is not known here: it can be read, changed and saved, not run.

    ``payload`` is what its class wrote, one table for nearly all; ``fields`` is that table.
    """

    def __init__(self, class_name: str, payload: list[Any], version: int = 1) -> None:
        self.class_name = class_name
        self.payload = payload
        self.version = version

    @property
    def fields(self) -> Table:
        """The object's fields; an error for an object that wrote something else."""
        if has_fields(self):
            fields: Table = self.payload[-1]
            return fields
        raise T7Error(f"{self.class_name} was not saved as a table of fields")

    def __getitem__(self, name: Any) -> Any:
        return self.fields[name]

    def __setitem__(self, name: Any, value: Any) -> None:
        self.fields[name] = value

    def __contains__(self, name: object) -> bool:
        return name in self.fields

    def __call__(self, *arguments: Any) -> Any:
        raise T7Error(f"the class {self.class_name} is not known here: the object can be read, not run")

    def __repr__(self) -> str:
        return f"<{self.class_name}, not known here>"


def has_fields(obj: Object) -> bool:
    """Whether an object was saved as a table of fields."""
    count = 2 if obj.version >= HEADED.get(obj.class_name, obj.version + 1) else 1
    return len(obj.payload) == count and isinstance(obj.payload[-1], Table)


class Function:
    """A Lua function: compiled code and the values of the variables around it.

    It is kept and saved as it was read. It is never run: such code is good for the engine that compiled it alone,
    and a file may hold any.
    """

    def __init__(self, code: bytes, upvalues: Any, kind: int = 8) -> None:
        self.code = code
        self.upvalues = upvalues
        self.kind = kind

    def __call__(self, *arguments: Any) -> Any:
        raise T7Error("a Lua function that was read from a file cannot be called: it is compiled code")

    def __deepcopy__(self, memo: dict[int, Any]) -> Function:
        function = Function(self.code, None, self.kind)
        memo[id(self)] = function
        function.upvalues = copy.deepcopy(self.upvalues, memo)
        return function

    def __repr__(self) -> str:
        return f"<Lua function, {len(self.code)} bytes>"
