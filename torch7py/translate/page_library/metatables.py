"""Tables with metatables of which no class is known: what such a table lacks, and what operators do to it."""

from __future__ import annotations

import inspect
from typing import Any

from torch7py.translate.page_library.values import NotInPage, call, call_all, index, store


class Table(dict[Any, Any]):
    """A table that may be given a metatable, whose entries are asked as Lua asks them."""

    meta: Any = None
    in_row = 0  # so many places in a row were filled when the border was last asked for

    def border(self) -> int:
        """How many places in a row are filled, from the first."""
        while self.in_row + 1 in self:
            self.in_row += 1
        while self.in_row and self.in_row not in self:
            self.in_row -= 1
        return self.in_row

    def pop(self, key: Any, *default: Any) -> Any:
        if isinstance(key, (int, float)) and key <= self.in_row:
            self.in_row = max(int(key) - 1, 0)
        return super().pop(key, *default)

    def handler(self, name: str) -> Any:
        return None if self.meta is None else index(self.meta, name)

    def lacking(self, key: Any) -> Any:
        """What ``__index`` gives for a key that the table does not have."""
        handler = self.handler("__index")
        if inspect.isroutine(handler):
            return call(handler, self, key)
        return None if handler is None else index(handler, key)

    def __missing__(self, key: Any) -> Any:
        return self.lacking(key)

    def get(self, key: Any, default: Any = None) -> Any:
        value = self[key] if key in self else self.lacking(key)
        return default if value is None else value

    def __setitem__(self, key: Any, value: Any) -> None:
        handler = None if key in self else self.handler("__newindex")
        if handler is None:
            super().__setitem__(key, value)
        elif inspect.isroutine(handler):
            call(handler, self, key, value)
        else:
            store(handler, key, value)

    def operation(self, name: str, *operands: Any) -> Any:
        handler = self.handler(name)
        if handler is None:
            raise TypeError(f"a table without {name}")
        return call(handler, *operands)

    def __call__(self, *args: Any) -> Any:
        handler = self.handler("__call")
        if handler is None:
            raise TypeError("a call of a table")
        return call_all(handler, self, *args)

    def __str__(self) -> str:
        has_text = self.handler("__tostring") is not None
        return str(self.operation("__tostring", self)) if has_text else dict.__repr__(self)

    def __add__(self, other: Any) -> Any:
        return self.operation("__add", self, other)

    def __radd__(self, other: Any) -> Any:
        return self.operation("__add", other, self)

    def __sub__(self, other: Any) -> Any:
        return self.operation("__sub", self, other)

    def __rsub__(self, other: Any) -> Any:
        return self.operation("__sub", other, self)

    def __mul__(self, other: Any) -> Any:
        return self.operation("__mul", self, other)

    def __rmul__(self, other: Any) -> Any:
        return self.operation("__mul", other, self)

    def __neg__(self) -> Any:
        return self.operation("__unm", self)


class LuaTable(Table):
    """A table of a page in which nothing is known of tables: only the functions here know what is where in it."""

    def __iter__(self) -> Any:
        raise NotInPage("a table where a list is needed")

    def __missing__(self, key: Any) -> Any:
        raise NotInPage(f"a table where a list or dict is needed, at {key!r}")


def new_table(named: Any = (), *items: Any) -> LuaTable:
    """``{a, b, name = c}``: what is nil is no entry."""
    table = LuaTable(named)
    table.update(enumerate(items, 1))
    for key in [key for key, value in table.items() if value is None]:
        del table[key]
    return table


def setmetatable(table: Any, meta: Any) -> Any:
    """``setmetatable(table, meta)``, of a table that a page has made for it."""
    if not isinstance(table, Table):
        raise NotInPage(f"a metatable for a {type(table).__name__}")
    if isinstance(meta, type):
        raise NotInPage(f"an object of the class {meta.__name__}, made of a table")
    table.meta = meta
    return table


def getmetatable(value: Any) -> Any:
    """``getmetatable(value)`` of a table, or of an object of a class of the program's own: that class."""
    if isinstance(value, Table) or type(value) in (dict, list):
        return value.meta if isinstance(value, Table) else None
    if type(value).__module__.partition(".")[0] in ("builtins", "torch"):
        raise NotInPage(f"the metatable of a {type(value).__name__}")
    return type(value)


def raw_get(table: Any, key: Any) -> Any:
    """``rawget(table, key)``: what the table itself has."""
    return dict.get(table, key) if isinstance(table, dict) else index(table, key)


def raw_set(table: Any, key: Any, value: Any) -> Any:
    """``rawset(table, key, value)``: what the table itself has from now on."""
    if isinstance(table, Table) and value is not None:
        dict.__setitem__(table, key, value)
    else:
        store(table, key, value)
    return table
