"""readObject and writeObject, torch.save and torch.load of a translated program.

The format is the t7 floor's; here its reader and writer deal with Lua's tables and the program's own classes. What was
written before is written as its index. A table remembers the order in which its keys were read, so that it is written
in the same order again. A translated function has no bytecode, so it cannot be saved; one that was read is written back
as it was.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from typing import Any

import torch

from torch7py.lua_compat.errors import fail
from torch7py.lua_compat.printing import print_plain
from torch7py.lua_compat.torch7 import classes, modules
from torch7py.lua_compat.torch7.marshalling import ScriptForeign, is_plain, to_lua
from torch7py.lua_compat.torch7.module_class import native
from torch7py.lua_compat.torch7.module_record import Record, is_module
from torch7py.lua_compat.values import Table, call, index, kind_of, metatable, method, setindex, truth
from torch7py.nn.registry import layers
from torch7py.nn.saved_form import SavedForm
from torch7py.ops import memory
from torch7py.ops.atomic_file import NewFile
from torch7py.ops.files import File, MemoryFile
from torch7py.ops.memory import Storage
from torch7py.t7 import format as t7
from torch7py.t7.errors import T7Error
from torch7py.t7.objects import Table as SavedTable
from torch7py.t7.reader import Reader
from torch7py.t7.reader import Steps as ReadSteps
from torch7py.t7.upgrades import has_upgrade, upgrade
from torch7py.t7.writer import Steps, Writer

__all__ = ["publish"]

_orders: weakref.WeakKeyDictionary[Table, list[Any]] = weakref.WeakKeyDictionary()
_torch = Table()
"""The program's table ``torch``, from :func:`publish` on."""


def class_of(x: Any) -> str | None:
    """The class of an object that has one and can be made anew: constructor tables and the like have none."""
    name = classes.typename(x)
    if name is None:
        return None
    return name if classes.registered[name].rawget_("__factory") is not None else None


def _method(x: Any, name: str) -> Any:
    """A method under its name or, where a class keeps the name for something else, with ``__`` before it."""
    meta = metatable(x)
    for key in (f"__{name}", name):
        f = None if meta is None else index(meta, key)
        if kind_of(f) == "function":
            return f
    return None


def _ordered_keys(t: Table) -> list[Any]:
    """The keys of a table in the order to write them: as they were read, what has come since after that."""
    present = [key for key, _ in t.pairs_()]
    order = _orders.get(t)
    if order is None:
        return present
    kept = [key for key in order if t.rawget_(key) is not None]
    seen = set(map(_identity, kept))
    return kept + [key for key in present if _identity(key) not in seen]


def _identity(key: Any) -> Any:
    return (type(key) is bool, key) if isinstance(key, (bool, int, float, str)) else id(key)


# Writing


class _OfFile:
    """Knows the file itself, without keeping it alive: the file keeps its reader and writer."""

    own_file: Callable[[], Any]


class ProgramWriter(_OfFile, Writer):
    """Writes Lua values to one file."""

    def _start(self, obj: Any, waiting: list[tuple[Steps, Any]]) -> Steps | None:
        if isinstance(obj, Table):
            is_object = class_of(obj) is not None
            if not self._begin(t7.TORCH if is_object else t7.TABLE, obj):
                return None
            return self._object_of_class(obj) if is_object else self._entries(obj)
        if isinstance(obj, ScriptForeign):
            return super()._start(obj.saved, waiting)
        if isinstance(obj, (type(None), bool, int, float, str, torch.Tensor, Storage)):
            return super()._start(obj, waiting)
        name = class_of(obj)
        if name is None:
            raise T7Error(_unwritable(obj))
        if self._begin(t7.TORCH, obj):
            self._head(obj, name)
            call(_method(obj, "write"), obj, self.own_file())
        return None

    def _head(self, obj: Any, name: str) -> None:
        meta = metatable(obj)
        version = None if meta is None else meta.rawget_("__version")
        t7.write_class(self.file, int(version or 1), name)

    def _entries(self, t: Table) -> Steps:
        entries = [(key, t.rawget_(key)) for key in _ordered_keys(t)]
        self.file.write_int(len(entries))
        for key, value in entries:
            yield key
            yield value

    def _object_of_class(self, obj: Table) -> Steps:
        name = class_of(obj)
        assert name is not None
        self._head(obj, name)
        write = _method(obj, "write")
        if write is not None and write is not write_module:
            call(write, obj, self.own_file())
            return
        if is_module(obj):
            yield saved_fields(obj)
            return
        fields = Table()
        order = []
        for key in _ordered_keys(obj):
            value = obj.rawget_(key)
            if kind_of(value) in ("function", "thread") and not isinstance(value, ScriptForeign):
                print_plain(f"$ Warning: cannot write object field <{key}> of <{name}> {name}")
                continue
            fields.rawset_(key, value)
            order.append(key)
        _orders[fields] = order
        yield fields


def _unwritable(obj: Any) -> str:
    kind = kind_of(obj)
    if kind == "function":
        return "a function of a translated program has no bytecode: it cannot be saved"
    return f"Unwritable object <{kind}>"


def saved_fields(m: Table) -> Table:
    """The fields of a layer as the table that is saved: the engine's and the program's own, in their order."""
    record = modules.record_of(m)
    modules.walk(m)
    engine = record.peer.engine_fields_to_save()
    fields, order = Table(), []
    for key in dict.fromkeys([*_orders.get(m, []), *engine, *_ordered_keys(m)]):
        value = m.rawget_(key)
        if value is None and key in engine:
            value = to_lua(engine[key])
        if value is not None:
            fields.rawset_(key, value)
            order.append(key)
    _orders[fields] = order
    return fields


def write_module(m: Any = None, file: Any = None, *_: Any) -> Any:
    """What every built-in class has as ``write``; a program's class may call its parent's."""
    write_object(file, saved_fields(m))
    return ()


def _file_of(file: Any) -> File:
    if not isinstance(file, File):
        raise fail(f"a torch.File expected, got {classes.torch_type(file)}")
    return file


def _writer(file: File) -> ProgramWriter:
    found: ProgramWriter | None = file.attached.get("writer")
    if found is None:
        found = file.attached["writer"] = ProgramWriter(weakref.proxy(file))
        found.own_file = weakref.ref(file)
    return found


def _reader(file: File) -> ProgramReader:
    found: ProgramReader | None = file.attached.get("reader")
    if found is None:
        found = file.attached["reader"] = ProgramReader(weakref.proxy(file))
        found.own_file = weakref.ref(file)
    return found


def write_object(file: Any = None, obj: Any = None, name: Any = None, hook: Any = None, *_: Any) -> Any:
    """``file:writeObject(object)``"""
    if hook is not None:
        raise fail("writeObject: a translated program can give no hook")
    _writer(_file_of(file)).write(obj)
    return ()


# Reading


class ProgramReader(_OfFile, Reader):
    """Reads Lua values from one file."""

    def _table(self, index: int) -> ReadSteps:
        table: Table = self._keep(index, t7.TABLE, Table())
        keys: list[Any] = []
        for _ in range(t7.read_count(self.file, t7.entry_size(self.file))):
            key = yield
            value = yield
            if key is None or (isinstance(key, float) and key != key):
                raise T7Error("nil or nan as the key of a table", self.file.known_position())
            if value is not None:
                keys.append(key)
                table.rawset_(key, value)
        if keys != list(range(1, len(keys) + 1)):
            _orders[table] = keys
        return table

    def _function(self, kind: int, index: int | None) -> ReadSteps:
        saved = yield from super()._function(kind, None)
        made = ScriptForeign(saved)
        if index is not None:
            self._keep(index, kind, made)
        return made

    def _object(self, index: int, version: int, name: str) -> ReadSteps:
        factory = call(_torch.rawget_("factory"), name)  # a program may have put its own there
        if not truth(factory):
            raise fail(f"unknown Torch class <{name}> (is its package required?)")
        made = self._keep(index, t7.TORCH, call(factory, self.file))
        _prepare(made)
        read = _method(made, "read")
        if read is not None and read is not read_module:
            call(read, made, self.own_file(), version)
            return made
        fields = yield
        if is_module(made):
            _restore_module(made, fields, version)
        elif isinstance(made, Table) and isinstance(fields, Table):
            if fields in _orders:
                _orders[made] = _orders[fields]
            for key, value in fields.pairs_():
                setindex(made, key, value)
        else:
            raise fail(f"cannot load an object of class <{name}>")
        return made


def _prepare(m: Any) -> None:
    """Before its fields are read: an object of a built-in class gets a layer whose constructor has not run."""
    if not isinstance(m, Table) or m.meta_ is None or isinstance(m.extra_, Record):
        return
    info = native(m.meta_)
    if info is not None:
        peer = layers[info.key].blank()
        name = m.meta_.rawget_("__typename")
        if name != peer.torch7_name:
            peer.__dict__["_class_name"] = name
        modules.own(m, peer)


def read_module(m: Any = None, file: Any = None, version: Any = None, *_: Any) -> Any:
    """What every built-in class has as ``read``."""
    _restore_module(m, read_object(file), int(version or 1))
    return ()


def _restore_module(m: Table, fields: Any, version: int) -> None:
    if not isinstance(fields, Table):
        raise fail(f"{classes.torch_type(m)}: a table of fields expected")
    info = native(m.meta_) if m.meta_ is not None else None
    assert info is not None
    _upgrade(info.key.partition("@")[0], fields, version)
    _prepare(m)
    record = m.extra_
    names = [key for key, _ in fields.pairs_() if type(key) is str]
    record.peer.__dict__["_saved_form"] = SavedForm(names, version)
    later = []
    for key, value in fields.pairs_():
        if key in info.fields:
            later.append(key)
        else:
            m.rawset_(key, value)
    modules.walk(m)

    def turn(
        key: str,
    ) -> tuple[int, str]:  # layers, on which others may rest, first; gradients after parameters
        if is_module(fields.rawget_(key)):
            return 0, key
        return (2 if key.startswith("grad") and key[4:5].isupper() else 1), key

    for key in sorted(later, key=turn):
        value = fields.rawget_(key)
        if is_plain(value):
            record.restored.add(key)
        modules.set_field(m, key, value)
    record.peer.end_restore()
    if fields in _orders:
        _orders[m] = _orders[fields]


def _upgrade(name: str, fields: Table, version: int) -> None:
    """Put what a later version of a class has in the place of what an older one saved."""
    if not has_upgrade(name, version):
        return
    given = SavedTable(
        (key, value)
        for key, value in fields.pairs_()
        if type(key) is str and isinstance(value, (bool, int, float, torch.Tensor))
    )
    _, before, after = upgrade(name, version, given)
    for key in before:
        fields.rawset_(key, None)
    for key, value in after.items():
        fields.rawset_(key, to_lua(value))


def read_object(file: Any = None, *_: Any) -> Any:
    """``file:readObject()``"""
    return _reader(_file_of(file)).read()


# Methods of files, tensors and storages


def referenced(file: Any = None, value: Any = None, *_: Any) -> Any:
    on = value is not None and value is not False
    _writer(_file_of(file)).referenced = on
    _reader(file).referenced = on
    return file


def is_referenced(file: Any = None, *_: Any) -> bool:
    return _writer(_file_of(file)).referenced


def write_bool(file: Any = None, value: Any = None, *_: Any) -> Any:
    return method(file, "writeInt", 0 if value is None or value is False else 1)


def write_content(x: Any = None, file: Any = None, *_: Any) -> Any:
    """``x:write(file)``: a tensor or storage without its head."""
    _writer(_file_of(file)).content(x)
    return ()


def read_content(x: Any = None, file: Any = None, *_: Any) -> Any:
    """``x:read(file)``: what ``write`` wrote. The class is the reader's to know."""
    found = _reader(_file_of(file)).content(x)
    if isinstance(x, Storage):
        x.resize(len(found))
        x.tensor().copy_(found.tensor())
    else:
        memory.share(x, found)
    return ()


# Whole files

_LONGS = {"b32": 4, "b64": 8}


def _set_mode(file: Any, mode: Any, longs: bool) -> Any:
    if mode is None:
        mode = "binary"
    if mode in ("binary", "ascii"):
        return method(file, mode)
    if longs and mode in _LONGS:
        return method(method(file, "binary"), "longSize", _LONGS[mode])
    among = "'binary', 'b32', 'b64' or 'ascii'" if longs else "'binary' or 'ascii'"
    raise fail(f"{among} (or nil) expected for mode")


def _check_referenced(value: Any) -> bool:
    if value is not None and not isinstance(value, bool):
        raise fail("true or false (or nil) expected for referenced")
    return value is not False


def save(name: Any = None, obj: Any = None, mode: Any = None, refer: Any = None, *_: Any) -> Any:
    """``torch.save(name, object[, mode[, referenced]])``"""
    keep = _check_referenced(refer)
    if type(name) is not str:
        raise fail(f"torch.save: a file name expected, got {classes.torch_type(name)}")
    try:
        file = NewFile(os.fsdecode(name.encode("latin1")))
    except OSError as error:
        raise fail(f"cannot open <{name}> in mode 'w': {error.strerror}") from None
    try:
        referenced(_set_mode(file, mode, longs=False), keep)
        write_object(file, obj)
    except BaseException:
        file.discard()
        raise
    method(file, "close")
    return ()


def load(name: Any = None, mode: Any = None, refer: Any = None, *_: Any) -> Any:
    """``torch.load(name[, mode[, referenced]])``"""
    keep = _check_referenced(refer)
    file = call(classes.constructors["torch.DiskFile"], name, "r")
    referenced(_set_mode(file, mode, longs=True), keep)
    found = read_object(file)
    method(file, "close")
    return found


def _written(obj: Any, mode: Any) -> MemoryFile:
    file: MemoryFile = call(classes.constructors["torch.MemoryFile"])
    write_object(_set_mode(file, mode, longs=False), obj)
    return file


def serialize(obj: Any = None, mode: Any = None, *_: Any) -> str:
    return _written(obj, mode).content().decode("latin1")


def serialize_to_storage(obj: Any = None, mode: Any = None, *_: Any) -> Any:
    storage = method(_written(obj, mode), "storage")
    method(storage, "resize", len(storage) - 1)
    return storage


def deserialize(text: Any = None, mode: Any = None, *_: Any) -> Any:
    if type(text) is not str:
        raise fail(f"torch.deserialize: a string expected, got {classes.torch_type(text)}")
    file = MemoryFile(None, "r")
    file._buffer = bytearray(text.encode("latin1"))
    return read_object(_set_mode(file, mode, longs=True))


def deserialize_from_storage(storage: Any = None, mode: Any = None, *_: Any) -> Any:
    if isinstance(storage, torch.Tensor):
        storage = memory.storage_of(storage.clone())
    return deserialize(method(storage, "string"), mode)


def publish(torch_table: Table) -> None:
    """Put the functions into the table ``torch``, and the methods into the classes."""
    global _torch
    _torch = torch_table
    functions: dict[str, Callable[..., Any]] = {
        "save": save,
        "load": load,
        "saveobj": save,
        "loadobj": load,
        "serialize": serialize,
        "serializeToStorage": serialize_to_storage,
        "deserialize": deserialize,
        "deserializeFromStorage": deserialize_from_storage,
    }
    for name, f in functions.items():
        torch_table.rawset_(name, f)
    methods: dict[str, Callable[..., Any]] = {
        "referenced": referenced,
        "isReferenced": is_referenced,
        "writeBool": write_bool,
        "writeObject": write_object,
        "readObject": read_object,
    }
    for name, f in methods.items():
        classes.registered["torch.File"].rawset_(name, f)
    for name, meta in classes.registered.items():
        if name.startswith("torch.") and name.endswith(("Tensor", "Storage")):
            meta.rawset_("write", write_content)
            meta.rawset_("read", read_content)


modules.of_files.update(read=read_module, write=write_module)
