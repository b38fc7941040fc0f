"""Layers as a translated program sees them: a Lua table with its class as metatable, and the layer itself behind it.

The program's own fields are raw in the table. Fields of the engine (``weight``, ``output``, ``train``, ...) live in
the layer; those that hold tables are raw in the table, where they count. Before a call into the layer the tree below
it is walked: changed children and table fields are handed over, and methods that the program has defined since are
put in the place of the layer's own, so that containers call them.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any

import torch

from torch7py.lua.behaviour import kind_of
from torch7py.lua.loops import next_value, special_fields
from torch7py.lua.operators import call, index
from torch7py.lua.torch7 import classes
from torch7py.lua.torch7.copying import copy_fields
from torch7py.lua.torch7.exchange import (
    ScriptTable,
    is_plain,
    result_to_lua,
    tables_of_modules,
    to_lua,
    to_python,
)
from torch7py.lua.torch7.module_class import ModuleClass, builtin_class, native
from torch7py.lua.values import LuaError, Table, fail, first, multi, truth
from torch7py.nn.binding import all_exports
from torch7py.nn.copying import TensorMap
from torch7py.nn.elsewhere import forward_through
from torch7py.nn.object import Overrides, TorchObject
from torch7py.nn.place import explain
from torch7py.nn.quirks import taken
from torch7py.nn.registry import layers, package_of
from torch7py.nn.saved import SavedForm
from torch7py.ops.dispatch.python import adapt
from torch7py.ops.errors import TorchError

__all__ = [
    "Record",
    "adopt",
    "define",
    "extend",
    "fields_of_module",
    "heirs",
    "is_module",
    "redefine",
    "reset",
    "walk",
]


class Record:
    """What is known of one layer's table besides what is in it.

    ``mirrored`` and ``linked`` are the children and links that the layer has, ``marked`` its methods that are the
    program's now, ``restored`` the table fields as a file had them.
    """

    __slots__ = ("__weakref__", "linked", "marked", "mirrored", "number", "peer", "restored", "table_fields")

    def __init__(self, peer: TorchObject) -> None:
        self.peer = peer
        self.number = next(_numbers)
        self.table_fields: dict[str, None] = {}
        self.mirrored: list[Any] | None = None
        self.linked: dict[str, Any] = {}
        self.marked: tuple[str, ...] = ()
        self.restored: set[str] = set()


_numbers = itertools.count(1)
with_table_fields: weakref.WeakSet[Table] = weakref.WeakSet()
by_number: weakref.WeakValueDictionary[int, Table] = weakref.WeakValueDictionary()
of_files: dict[str, Any] = {}  # the methods read and write of all classes, set by serial.py
load_package: list[Callable[[str], Any]] = []  # set by packages.py


def is_module(value: Any) -> bool:
    """Whether a value is a layer, its Python side made or not."""
    if not isinstance(value, Table):
        return False
    if type(value.extra_) is Record:
        return True
    return value.meta_ is not None and native(value.meta_) is not None


def own(m: Table, peer: TorchObject) -> Record:
    """Let a table stand for a layer."""
    record = m.extra_ = Record(peer)
    peer.__dict__["_overrides"] = ProgramFields(m)
    by_number[record.number] = m
    return record


def new_peer(m: Table, info: ModuleClass) -> TorchObject:
    cls = layers[info.key]
    made = cls.__new__(cls)
    TorchObject.__init__(made)
    return _named(made, m)


def _named(made: TorchObject, m: Table) -> TorchObject:
    assert m.meta_ is not None
    name = m.meta_.rawget_("__typename")
    if name != made.torch7_name:
        made.__dict__["_class_name"] = name
    return made


def record_of(m: Table) -> Record:
    """A layer's record, its Python side made now if the class's __init never called the parent's."""
    known = m.extra_
    if type(known) is Record:
        return known
    info = None if m.meta_ is None else native(m.meta_)
    if info is None:
        raise fail(f"{classes.torch_type(m)} is not a module")
    record = own(m, new_peer(m, info))
    for name in info.fields:  # what was set before
        value = m.rawget_(name)
        if value is not None:
            m.rawset_(name, None)
            set_field(m, name, value)
    return record


# Fields


def _keep_table_field(m: Table, record: Record, name: str, value: Table) -> None:
    m.rawset_(name, value)
    if not record.table_fields:
        with_table_fields.add(m)
    if name not in record.table_fields:
        record.table_fields[name] = None
        if _depth[0]:
            _fresh.append(m)


_depth = [0]  # calls into layers that have not returned
_fresh: list[Table] = []  # layers with new table fields meanwhile


def _give_field(record: Record, name: str, value: Any) -> None:
    given = to_python(value)
    peer = record.peer
    kept = peer.set_field(name, given)
    if kept is not given and isinstance(kept, torch.nn.Parameter) and type(given) is torch.Tensor:
        # the program goes on with the tensor that it has: that one is the parameter
        given.__class__ = torch.nn.Parameter
        given.requires_grad_(True)
        peer.set_field(name, given)


def get_field(m: Table, record: Record, name: str) -> Any:
    value = record.peer.get_field(name)
    if type(value) is tuple:
        value = list(value)
    shown = to_lua(value)
    if isinstance(shown, Table) and is_plain(shown):
        _keep_table_field(m, record, name, shown)
    return shown


def set_field(m: Table, name: str, value: Any) -> None:
    record = record_of(m)
    if isinstance(value, Table) and is_plain(value):
        _keep_table_field(m, record, name, value)
    _give_field(record, name, value)


def fields_of_module(m: Table) -> Table:
    """All fields of a layer: its own and the engine's."""
    info = None if m.meta_ is None else native(m.meta_)
    if info is not None and info.complete is not None:
        call(info.complete, m)
    shown = Table()
    for key, value in m.pairs_():
        shown.rawset_(key, value)
    if type(m.extra_) is Record:
        for name in m.extra_.peer.field_names():
            if name != "modules" and shown.rawget_(name) is None:
                shown.rawset_(name, index(m, name))
    return shown


# Before and after a call into a layer


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
        catch_up()
        given = [to_lua(value) for value in arguments]
        results = multi(call(index(self.table, self.name), self.table, *given))
        settle()
        values = [to_python(value) for value in results]
        if not values:
            return None
        return values[0] if len(values) == 1 else tuple(values)


_CHANGE_FORWARD = {"updateOutput", "updateGradInput", "accGradParameters", "backward", "forward"}


def _mark(m: Table, record: Record, c: Table, info: ModuleClass) -> None:
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


def _child_of(value: Any) -> Any:
    return value.extra_.peer if isinstance(value, Table) and type(value.extra_) is Record else None


def _walk_children(m: Table, record: Record, listed: Table, touched: list[Table]) -> None:
    children = [listed.rawget_(i) for i in range(1, len(listed.array_) + 1)]
    for child in children:
        walk(child, touched)
    peers = [_child_of(child) for child in children]
    known = record.mirrored
    if known is None:
        same = not peers
    else:
        same = len(known) == len(peers) and all(a is b for a, b in zip(known, peers, strict=True))
    if same:
        return
    peer = record.peer
    for child in peers:
        if not isinstance(child, torch.nn.Module):
            raise TorchError(f"modules of {peer.class_name} holds something that is not a module")
    present = peer.child_list()
    if (
        present is None
        or len(present) != len(peers)
        or any(a is not b for a, b in zip(present, peers, strict=True))
    ):
        peer.set_child_list(peers)
    record.mirrored = peers


def _push(m: Table, record: Record) -> None:
    """Hand over what the program did to the table fields of a layer."""
    for name in list(record.table_fields):
        value = m.rawget_(name)
        if not isinstance(value, Table):
            del record.table_fields[name]
            m.rawset_(name, None)
        _give_field(record, name, value)


def _pull(m: Table, record: Record) -> None:
    """Fill them with what Python has put there."""
    for name in list(record.table_fields):
        if name in record.restored:
            record.restored.discard(name)  # it was there to be saved unchanged; Python has it now
            value = None
        else:
            value = to_lua(record.peer.get_field(name))
        if isinstance(value, Table) and is_plain(value):
            m.rawset_(name, value)
        else:
            del record.table_fields[name]
            m.rawset_(name, None)


def walk(m: Any, touched: list[Table] | None = None) -> None:
    """Tell the layers from ``m`` downward what the program has done; collects those with table fields."""
    if not isinstance(m, Table) or m.meta_ is None:
        return
    c = m.meta_
    info = native(c)
    if info is None:
        return
    touched = [] if touched is None else touched
    record = record_of(m)
    _mark(m, record, c, info)
    if record.table_fields:
        _push(m, record)
        touched.append(m)

    def visit(inner: Any = None, *_: Any) -> Any:
        walk(inner, touched)
        return ()

    listed = m.rawget_("modules")
    if isinstance(listed, Table):
        _walk_children(m, record, listed, touched)
    for on_walk in info.watchers():
        call(on_walk, m, visit)
    for name in info.lists:
        entries = m.rawget_(name)
        if isinstance(entries, Table):
            for entry in list(entries.array_):
                walk(entry, touched)
    for name in info.links:
        child = m.rawget_(name)
        walk(child, touched)
        now = _child_of(child)
        if record.linked.get(name) is not now:
            _give_field(record, name, child)
            record.linked[name] = now


def settle() -> None:
    """A function of the program that Python called may have done something to the tables of any layer."""
    for m in list(with_table_fields):
        if type(m.extra_) is Record:
            _push(m, m.extra_)


def catch_up() -> None:
    """Before one runs, they get what Python has put there."""
    for m in list(with_table_fields):
        if type(m.extra_) is Record:
            _pull(m, m.extra_)


def _pull_all(modules: list[Table]) -> None:
    for m in modules:
        if m.extra_.table_fields:
            _pull(m, m.extra_)


def _leave(touched: list[Table]) -> None:
    _pull_all(touched)
    if _fresh:
        _pull_all(_fresh)
        if _depth[0] == 1:
            _fresh.clear()


def adopt(m: Table) -> None:
    """Take over the children and links that the layer has now."""
    record = m.extra_
    info = native(m.meta_) if m.meta_ is not None else None
    assert info is not None
    children = record.peer.child_list()
    if children is not None:
        listed = m.rawget_("modules")
        if not isinstance(listed, Table):
            listed = Table()
            m.rawset_("modules", listed)
        listed.array_[:] = [to_lua(child) for child in children]
        record.mirrored = list(children)
    for name in info.lists:
        get_field(m, record, name)
    for name in info.links:
        value = to_lua(record.peer.get_field(name))
        m.rawset_(name, value)
        record.linked[name] = _child_of(value)


def table_of(peer: TorchObject) -> Table:
    """The table of a layer that Python hands over."""
    overrides = peer.__dict__.get("_overrides")
    if isinstance(overrides, ProgramFields):
        return overrides.table
    name, builtin = peer.class_name, peer.torch7_name
    if name not in classes.registered and builtin not in classes.registered:
        load_package[0](package_of[peer.registered_as])
    c = classes.registered.get(name) or classes.registered.get(builtin)
    if c is None:
        raise fail(f"class '{name}' is not known here (is its package required?)")
    m = Table()
    m.meta_ = c
    own(m, peer)
    adopt(m)
    form: SavedForm | None = peer.__dict__.get("_saved_form")
    for key in [] if form is None else [k for k in form.extras if isinstance(k, str)]:
        m.rawset_(key, to_lua(peer.get_field(key)))
    return m


def peer_of(m: Table) -> TorchObject:
    """The layer of a table. What the program did to it is handed over when one of its methods is called."""
    return record_of(m).peer


# What a program adds to a layer, for Python


class ProgramFields(Overrides):
    """The fields that a program added to a layer."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def _engine(self) -> Callable[[Any], bool]:
        info = None if self.table.meta_ is None else native(self.table.meta_)
        assert info is not None
        return info.is_engine_field

    def _own(self) -> list[tuple[Any, Any]]:
        is_engine = self._engine()
        return [(key, value) for key, value in self.table.pairs_() if not is_engine(key)]

    def map_tensors(self, convert: TensorMap) -> None:
        seen: set[int] = set()

        def change(value: Any) -> Any:
            if isinstance(value, torch.Tensor):
                return convert(value)
            if isinstance(value, Table) and id(value) not in seen and value.meta_ is None:
                seen.add(id(value))
                for key, item in list(value.pairs_()):
                    value.rawset_(key, change(item))
            return value

        for key, value in self._own():
            if not is_module(value):
                self.table.rawset_(key, change(value))

    def copy_to(self, copied: TorchObject, memo: dict[Any, Any]) -> None:
        target = Table()
        target.meta_ = self.table.meta_
        own(target, copied)
        adopt(target)
        copy_fields(self.table, target, self._own(), memo)
        walk(target)

    def name_parameters(self) -> None:
        obj = self.table.extra_.peer
        if "torch7_parameters" not in obj.__dict__.get("_marked", ()):
            return
        parameters, gradients = obj.parameter_pairs()
        for number, (tensor, gradient) in enumerate(zip(parameters, gradients, strict=True), 1):
            if isinstance(tensor, torch.nn.Parameter) or not tensor.is_floating_point():
                continue
            name = f"parameter_{number}"
            tensor.__class__ = torch.nn.Parameter
            tensor.requires_grad_(True)
            obj._gradients[name] = gradient
            obj.register_parameter(name, tensor)
            obj._attach(name)

    def own_modules(self) -> list[Any]:
        found: list[Table] = []
        seen: set[int] = set()

        def look(value: Any) -> None:
            if not isinstance(value, Table) or id(value) in seen:
                return
            seen.add(id(value))
            if is_module(value):
                found.append(value)
            elif value.meta_ is None:
                for _, item in value.pairs_():
                    look(item)

        for _, value in self._own():
            look(value)
        for m in found:
            walk(m)
        return [m.extra_.peer for m in found]

    def own_fields(self) -> dict[str, Any]:
        return {key: to_python(value) for key, value in self._own()}


# Classes


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
    cls = layers[key]
    run = adapt(getattr(cls, all_exports(cls)[name]), f"{key}:{name}", bound=1)
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
        _depth[0] += 1
        try:
            result = run([record.peer, *values])
        except (LuaError, RecursionError):
            raise
        except Exception as error:
            raise explain(error, record.peer) from error
        finally:
            _leave(touched)
            _depth[0] -= 1
        if structural:
            adopt(m)
        return result_to_lua(result)

    method.__name__ = method.__qualname__ = name
    return method


def _initializer(key: str, class_fields: list[str]) -> Callable[..., Any]:
    run = adapt(layers[key].__init__, key, bound=1)

    def init(m: Any = None, *arguments: Any) -> Any:
        if not isinstance(m, Table) or m.meta_ is None:
            raise fail(f"{key}: called without an object (with . in place of :?)")
        c = m.meta_
        info = native(c)
        assert info is not None
        record = m.extra_ if type(m.extra_) is Record else own(m, new_peer(m, info))
        _mark(m, record, c, info)
        for name in class_fields:
            value = index(c, name)
            if value is not None:
                _give_field(record, name, value)
        peer = record.peer
        class_name = peer.__dict__.get("_class_name")
        values = [to_python(value) for value in arguments]
        try:
            run([peer, *taken(key, values)])
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


def reset() -> None:
    _defined.clear()
    _fresh.clear()
    _depth[0] = 0


def _peer_if_module(table: Table) -> Table | None:
    return fields_of_module(table) if is_module(table) else None


special_fields[:] = [_peer_if_module]
classes.adorn[:] = [_adorn]
tables_of_modules.is_module = is_module
tables_of_modules.peer_of = peer_of
tables_of_modules.table_of = table_of
tables_of_modules.catch_up = catch_up
tables_of_modules.settle = settle
