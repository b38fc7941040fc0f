"""The classes of built-in layers as Lua tables: their constructors, methods and metatable functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch7py.lua_compat.errors import LuaError, fail
from torch7py.lua_compat.loops import next_value
from torch7py.lua_compat.torch7 import classes
from torch7py.lua_compat.torch7.borrowed_methods import lent_to
from torch7py.lua_compat.torch7.marshalling import ScriptTable, result_to_lua, to_python
from torch7py.lua_compat.torch7.module_class import ModuleClass, builtin_class, native
from torch7py.lua_compat.torch7.module_record import Record
from torch7py.lua_compat.torch7.modules import (
    ProgramFields,
    adopt,
    depth,
    fields_of_module,
    get_field,
    give_field,
    leave,
    new_peer,
    of_files,
    own,
    record_of,
    set_field,
    walk,
)
from torch7py.lua_compat.torch7.program_methods import mark
from torch7py.lua_compat.values import Table, call, first, index, multi, truth
from torch7py.nn.binding import answers_for, method_of
from torch7py.nn.error_location import explain
from torch7py.nn.object import TorchObject
from torch7py.nn.quirks import taken
from torch7py.nn.registry import layers

__all__ = ["define", "extend", "heirs", "redefine", "watch"]


def _equip(c: Table, info: ModuleClass) -> None:
    """The metatable functions of a class whose instances are layers."""
    fields = info.fields

    def get(m: Any, key: Any) -> Any:
        if key in fields and type(m.extra_) is Record:
            value = get_field(m, m.extra_, key)
            if value is not None:
                return value
        f = index(c, "__index__")
        if f is not None:
            found = multi(call(f, m, key))
            if len(found) > 1 and truth(found[1]):
                return found[0]
        return index(c, key)

    def put(m: Any, key: Any, value: Any) -> Any:
        if key in fields:
            set_field(m, key, value)
            return ()
        f = index(c, "__newindex__")
        if f is None or not truth(first(call(f, m, key, value))):
            m.rawset_(key, value)
        return ()

    c.rawset_("__index", get)
    c.rawset_("__newindex", put)
    c.rawset_("__pairs", lambda m, *_: (next_value, fields_of_module(m), None))


def _adorn(c: Table) -> None:
    info = native(c)
    if info is not None:
        _equip(c, info)


def _native_method(key: str, name: str, structural: bool, stay: tuple[int, ...] = ()) -> Callable[..., Any]:
    """A method of a built-in class: not virtual, so that parent.method(self, ...) means what it says."""
    runs: dict[type[TorchObject], Callable[[list[Any]], Any]] = {}
    numbers = frozenset(stay)

    def method(m: Any = None, *arguments: Any) -> Any:
        if not isinstance(m, Table):
            raise fail(f"{key}:{name}: called without an object (with . in place of :?)")
        record = record_of(m)
        touched: list[Table] = []
        walk(m, touched)
        values = [
            ScriptTable(value) if at in numbers and isinstance(value, Table) else to_python(value)
            for at, value in enumerate(arguments, 1)
        ]
        depth[0] += 1
        try:
            cls = type(record.peer)
            run = runs.get(cls)
            if run is None:
                run = runs[cls] = method_of(cls, key, name, f"{key}:{name}")
            if answers_for(cls, key, name):
                result = run([record.peer, *values])
            else:
                with lent_to(m, layers[key]):
                    result = run([record.peer, *values])
        except (LuaError, RecursionError):
            raise
        except Exception as error:
            raise explain(error, record.peer) from error
        finally:
            leave(touched)
            depth[0] -= 1
        if structural or name in type(record.peer).structural:
            adopt(m)
        return result_to_lua(result)

    method.__name__ = method.__qualname__ = name
    return method


def _initializer(key: str, class_fields: list[str]) -> Callable[..., Any]:
    def init(m: Any = None, *arguments: Any) -> Any:
        if not isinstance(m, Table) or m.meta_ is None:
            raise fail(f"{key}: called without an object (with . in place of :?)")
        c = m.meta_
        info = native(c)
        assert info is not None
        record = m.extra_ if type(m.extra_) is Record else own(m, new_peer(m, info))
        mark(m, record, c, info)
        for name in class_fields:
            value = index(c, name)
            if value is not None:
                give_field(record, name, value)
        peer = record.peer
        class_name = peer.__dict__.get("_class_name")
        values = [to_python(value) for value in arguments]
        try:
            method_of(type(peer), key, "__init", key)([peer, *taken(key, values)])
        except (LuaError, RecursionError):
            raise
        except Exception as error:
            raise explain(error, peer) from error
        if class_name is not None:
            peer.__dict__["_class_name"] = class_name
        peer.__dict__["_overrides"] = ProgramFields(m)
        adopt(m)
        return ()

    return init


def define(d: dict[str, Any], virtual: list[str]) -> None:
    """Define the class of a built-in layer, or define it anew; ``d`` as ``nn.binding.describe`` makes it."""
    parent = classes.registered.get(d["parent"]) if d["parent"] else None
    c = classes.registered.get(d["name"])
    replaced = None if c is None else native(c)
    if c is None:
        c = classes.create(d["name"], parent)
    above = replaced or (None if parent is None else native(parent))
    info = c.extra_ = ModuleClass(d, above, virtual)
    classes.version[0] += 1
    _equip(c, info)
    for name in d["methods"]:
        if name == "__init":
            method = _initializer(d["key"], d["class_fields"])
        else:
            method = _native_method(d["key"], name, name in d["structural"], tuple(d["stay"].get(name, ())))
        info.methods[name] = method
        c.rawset_(name, method)
    if parent is None:
        for name, f in of_files.items():
            c.rawset_(name, f)
    c.rawset_("__version", d["version"])
    if replaced is not None:
        return
    made_class = c

    def factory(*_: Any) -> Table:
        return classes.instance_of(made_class)

    def construct(*arguments: Any) -> Table:
        made = classes.instance_of(made_class)
        call(index(made, "__init"), made, *arguments)
        return made

    classes.publish(d["name"], c, None, construct, factory)


def redefine(c: Any = None, name: Any = None, f: Any = None, *_: Any) -> Any:
    """Another function for a method of a built-in class, which does not count as the program's."""
    builtin_class(c).methods[name] = f
    c.rawset_(name, f)
    return ()


def extend(key: str, name: str, methods: list[str]) -> None:
    """Methods that a package adds to a class defined before."""
    c = classes.registered[name]
    for each in methods:
        redefine(c, each, _native_method(key, each, structural=False))


def heirs(c: Any = None, *_: Any) -> Table:
    """The built-in classes that descend from a class."""
    found = []
    for heir in classes.registered.values():
        at: Table | None = heir
        while at is not None and at is not c:
            at = classes.parent_of(at)
        if at is not None and heir is not c and type(heir.extra_) is ModuleClass:
            found.append(heir)
    return Table(found)


def watch(c: Any = None, on_walk: Any = None, complete: Any = None, *_: Any) -> Any:
    """What a package does for the layers of a class and its heirs: when walked, and before their fields are shown."""
    info = builtin_class(c)
    info.on_walk, info.complete = on_walk, complete
    return ()


classes.adorn[:] = [_adorn]
