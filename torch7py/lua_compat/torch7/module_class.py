"""What is known of a class of layers, kept with its class table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch7py.lua_compat.errors import fail
from torch7py.lua_compat.torch7 import classes
from torch7py.lua_compat.values import Table

__all__ = ["ModuleClass", "builtin_class", "native"]


class ModuleClass:
    """A built-in class: its fields, the attributes that hold layers, its own methods before a program changed any."""

    def __init__(self, d: dict[str, Any], above: ModuleClass | None, virtual: list[str]) -> None:
        self.key: str = d["key"]
        self.fields = frozenset(d["fields"]) - {"modules"}
        self.links: list[str] = d["links"]
        self.lists: list[str] = d["lists"]
        self.above = above
        self.virtual = virtual
        self.virtual_set = frozenset(virtual)
        self.methods: dict[str, Any] = {}
        self.on_walk: Any = None
        self.complete: Any = None
        self._engine = self.fields | {"modules", *self.links}

    def pristine(self, name: str) -> Any:
        """The method as it was before the program changed it."""
        at: ModuleClass | None = self
        while at is not None:
            if name in at.methods:
                return at.methods[name]
            at = at.above
        return None

    def is_engine_field(self, key: Any) -> bool:
        return isinstance(key, str) and key in self._engine

    def watchers(self) -> Iterator[Any]:
        if self.on_walk is not None:
            yield self.on_walk


_nearest: dict[int, tuple[int, Table, ModuleClass | None]] = {}


def native(c: Table) -> ModuleClass | None:
    """The nearest built-in class of a class table, None where its objects are no layers."""
    known = _nearest.get(id(c))
    if known is not None and known[1] is c and known[0] == classes.version[0]:
        return known[2]
    found: ModuleClass | None = None
    at: Table | None = c
    while at is not None:
        if type(at.extra_) is ModuleClass:
            found = at.extra_
            break
        at = classes.parent_of(at)
    _nearest[id(c)] = classes.version[0], c, found
    return found


def builtin_class(c: Any) -> ModuleClass:
    info = native(c) if isinstance(c, Table) else None
    if info is None:
        raise fail("a class of layers expected")
    return info
