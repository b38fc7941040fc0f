"""Methods of layers that the program defines: put in the place of the layer's own, so that Python calls them."""

from __future__ import annotations

import weakref
from typing import Any

from torch7py.lua_compat.torch7 import classes
from torch7py.lua_compat.torch7.marshalling import tables_of_modules, to_lua, to_python
from torch7py.lua_compat.torch7.module_class import ModuleClass
from torch7py.lua_compat.torch7.module_record import Record
from torch7py.lua_compat.values import Table, call, index, kind_of, multi
from torch7py.nn.binding import all_exports
from torch7py.nn.explicit_backward import forward_through

__all__ = ["ProgramMethod", "mark", "reset"]


def _program_methods(c: Table, info: ModuleClass) -> tuple[str, ...]:
    """The virtual methods that the program defines for a class."""
    known = _defined.get(id(c))
    if known is not None and known[0] == classes.version[0] and known[1]() is c:
        return known[2]
    found = []
    for name in info.virtual:
        f = index(c, name)
        if f is not None and f is not info.pristine(name):
            found.append(name)
    result = tuple(found)
    _defined[id(c)] = classes.version[0], weakref.ref(c), result
    return result


_defined: dict[int, tuple[int, weakref.ref[Table], tuple[str, ...]]] = {}


class ProgramMethod:
    """A method that the program defines for one layer, in the place of the layer's own."""

    __slots__ = ("name", "table")

    def __init__(self, table: Table, name: str) -> None:
        self.table = table
        self.name = name

    def __call__(self, *arguments: Any) -> Any:
        tables_of_modules.catch_up()
        given = [to_lua(value) for value in arguments]
        results = multi(call(index(self.table, self.name), self.table, *given))
        tables_of_modules.settle()
        values = [to_python(value) for value in results]
        if not values:
            return None
        return values[0] if len(values) == 1 else tuple(values)


_CHANGE_FORWARD = {"updateOutput", "updateGradInput", "accGradParameters", "backward", "forward"}


def mark(m: Table, record: Record, c: Table, info: ModuleClass) -> None:
    """Let the program's definitions of methods, and no others, stand in the place of the layer's."""
    found = _program_methods(c, info)
    for key, value in m.hash_.items():
        if key in info.virtual_set and kind_of(value) == "function":
            found = (*found, key)
    if found == record.marked:
        return
    record.marked = found
    peer = record.peer
    attributes = peer.__dict__
    exports = all_exports(type(peer))
    for attribute in attributes.pop("_marked", ()):
        attributes.pop(attribute, None)
    methods = [name for name in found if name in exports]
    if not methods:
        return
    marked = []
    for name in methods:
        attributes[exports[name]] = ProgramMethod(m, name)
        marked.append(exports[name])
    if not _CHANGE_FORWARD.isdisjoint(methods):
        attributes["_elsewhere"] = forward_through(peer)
        marked.append("_elsewhere")
    attributes["_marked"] = tuple(marked)


def reset() -> None:
    """Forget which methods the program defines."""
    _defined.clear()
