"""Objects of Python classes that Torch7 knows: torch.Timer, torch.Generator, files.

The methods of a class are the operations named ``<class>.<method>``, its constructor is ``<class>.new``.
"""

from __future__ import annotations

from typing import Any

from torch7py.lua_compat.errors import fail
from torch7py.lua_compat.torch7 import classes
from torch7py.lua_compat.torch7.calls import function_of, method_of
from torch7py.lua_compat.values import Behaviour, Table, behaviours, call, index, kind_of
from torch7py.ops.registry import classes as registered_classes
from torch7py.ops.registry import operations

__all__ = ["metatable_of", "publish"]

_metatables: dict[type, Table] = {}


def metatable_of(value: Any) -> Table | None:
    """The class table of an object of a registered class."""
    return next((_metatables[base] for base in type(value).__mro__ if base in _metatables), None)


class Objects(Behaviour):
    """An object of a registered class."""

    def index(self, value: Any, key: Any) -> Any:
        meta = metatable_of(value)
        return None if meta is None else index(meta, key)

    def set_index(self, value: Any, key: Any, new: Any) -> None:
        raise fail(f"the class {classes.torch_type(value)} cannot be indexed")

    def method(self, value: Any, name: str, args: tuple[Any, ...]) -> Any:
        return call(self.index(value, name), value, *args)

    def call(self, value: Any, args: tuple[Any, ...]) -> Any:
        raise fail(f"attempt to call a {kind_of(value)} value")

    def text(self, value: Any) -> str:
        meta = metatable_of(value)
        f = None if meta is None else index(meta, "__tostring")
        return classes.torch_type(value) if f is None else str(call(f, value))

    def metatable(self, value: Any) -> Any:
        return metatable_of(value)


def publish(prefix: str, table: Table) -> None:
    """Make the classes whose names begin with ``prefix`` known, their constructors in a table."""
    for name, cls in sorted(registered_classes.items(), key=lambda item: len(item[1].__mro__)):
        if name.rpartition(".")[0] == prefix and name not in classes.registered:
            _define(name, cls, table)


def _define(name: str, cls: type, table: Table) -> None:
    meta = classes.ClassTable(None, {"__typename": name, "__version": 1})
    meta.rawset_("__index", meta)
    parent = next((_metatables[base] for base in cls.__mro__[1:] if base in _metatables), None)
    if parent is not None:
        meta.meta_ = Table(None, {"__index": parent, "__metatable": parent})
    for key in operations:
        owner, _, short = key.rpartition(".")
        if owner == name and short != "new":
            meta.rawset_(short, method_of(key))
    _metatables[cls] = classes.registered[name] = meta
    behaviours[cls] = Objects()
    if f"{name}.new" in operations:
        construct = function_of(f"{name}.new")
    else:

        def construct(*_: Any) -> Any:
            raise fail(f"'{name}.new' is not supported")

    meta.rawset_("new", construct)
    if meta.rawget_("read") is not None:
        meta.rawset_("__factory", lambda *_: construct())
    made = classes.constructors[name] = classes.constructor_table(meta, construct)
    table.rawset_(name.rpartition(".")[2], made)
