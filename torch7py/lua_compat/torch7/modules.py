"""Layers as a translated program sees them: a Lua table with its class as metatable, and the layer itself behind it.

The program's own fields are raw in the table. Fields of the engine (``weight``, ``output``, ``train``, ...) live in
the layer; those that hold tables are raw in the table, where they count. Before a call into the layer the tree below
it is walked: changed children and table fields are handed over, and methods that the program has defined since are
put in the place of the layer's own, so that containers call them.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import torch

from torch7py.lua_compat.errors import fail
from torch7py.lua_compat.loops import special_fields
from torch7py.lua_compat.torch7 import classes, program_methods
from torch7py.lua_compat.torch7.copying import copy_fields
from torch7py.lua_compat.torch7.marshalling import is_plain, tables_of_modules, to_lua, to_python
from torch7py.lua_compat.torch7.module_class import ModuleClass, native
from torch7py.lua_compat.torch7.module_record import Record, by_number, child_of, is_module
from torch7py.lua_compat.torch7.program_methods import mark
from torch7py.lua_compat.values import Table, call, index
from torch7py.nn.copying import TensorMap
from torch7py.nn.object import Overrides, TorchObject
from torch7py.nn.registry import layers, package_of
from torch7py.nn.saved_form import SavedForm
from torch7py.ops.errors import TorchError

__all__ = [
    "ProgramFields",
    "adopt",
    "fields_of_module",
    "get_field",
    "give_field",
    "leave",
    "new_peer",
    "own",
    "record_of",
    "reset",
    "set_field",
    "walk",
]

with_table_fields: weakref.WeakSet[Table] = weakref.WeakSet()
of_files: dict[str, Any] = {}  # the methods read and write of all classes, set by serial.py
load_package: list[Callable[[str], Any]] = []  # set by packages.py


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
    record.peer.without_constructor()
    for name in info.fields:  # what was set before; modules in links are found where they are
        value = m.rawget_(name)
        if value is not None and name not in info.links:
            m.rawset_(name, None)
            set_field(m, name, value)
    record.peer.fill_absent()
    return record


# Fields


def _keep_table_field(m: Table, record: Record, name: str, value: Table) -> None:
    m.rawset_(name, value)
    if not record.table_fields:
        with_table_fields.add(m)
    if name not in record.table_fields:
        record.table_fields[name] = None
        if depth[0]:
            _fresh.append(m)


depth = [0]  # calls into layers that have not returned
_fresh: list[Table] = []  # layers with new table fields meanwhile


def give_field(record: Record, name: str, value: Any) -> None:
    """Set a field of the layer itself."""
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
    give_field(record, name, value)


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


def _walk_children(m: Table, record: Record, listed: Table, touched: list[Table]) -> None:
    children = [listed.rawget_(i) for i in range(1, len(listed.array_) + 1)]
    for child in children:
        walk(child, touched)
    peers = [child_of(child) for child in children]
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
        give_field(record, name, value)


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
    mark(m, record, c, info)
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
        now = child_of(child)
        if record.linked.get(name) is not now:
            give_field(record, name, child)
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


def leave(touched: list[Table]) -> None:
    """A call into a layer is over: the table fields get what it has put there."""
    _pull_all(touched)
    if _fresh:
        _pull_all(_fresh)
        if depth[0] == 1:
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
        record.linked[name] = child_of(value)


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
        target = table_of(copied)  # another's fields may have led to it before
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

    def show_children(self) -> None:
        adopt(self.table)

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


def reset() -> None:
    """Forget what belongs to one run of a program."""
    program_methods.reset()
    _fresh.clear()
    depth[0] = 0


def _peer_if_module(table: Table) -> Table | None:
    return fields_of_module(table) if is_module(table) else None


special_fields[:] = [_peer_if_module]
tables_of_modules.is_module = is_module
tables_of_modules.peer_of = peer_of
tables_of_modules.table_of = table_of
tables_of_modules.catch_up = catch_up
tables_of_modules.settle = settle
