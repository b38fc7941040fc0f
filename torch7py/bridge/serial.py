"""The Python half of Lua's readObject and writeObject: the primitives of the format, tensors, and the fields of layers.

Lua reads and writes tables, functions and objects of Lua classes (``lua/serial*.lua``). Both halves number the objects
of a file together: a file has a ``Reader`` and a ``Writer``, created at the first use.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from itertools import chain
from typing import Any

from torch import Tensor

from torch7py.bridge.calls import decode
from torch7py.bridge.dispatch import encode_results, kind_of
from torch7py.bridge.runtime_interface import RuntimeInterface
from torch7py.bridge.trusted_bytecode import is_trusted, trust
from torch7py.nn.fields import what_became
from torch7py.ops import memory, types
from torch7py.ops.atomic_file import NewFile
from torch7py.ops.dispatch.kinds import Kind
from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.ops.files import DiskFile, File, MemoryFile
from torch7py.t7 import format as t7
from torch7py.t7.layers import has_header, header_of
from torch7py.t7.objects import Function, Table
from torch7py.t7.reader import NamedStorage, Reader, class_of_tensor
from torch7py.t7.upgrades import has_upgrade, upgrade
from torch7py.t7.writer import Writer

__all__ = ["serial_functions"]

CUDA_CLASSES = {name: t for t in types.CUDA_TYPES for name in (t.tensor, t.storage)}
KNOWN = 9  # beside the kinds of the format: an object that was read before


def serial_functions(runtime: RuntimeInterface) -> dict[str, Callable[..., Any]]:
    """The functions for ``serial*.lua``. The first parameter of most is the handle of a file."""
    objects = runtime.handles.objects

    def file_of(handle: int) -> File:
        file = objects[handle]
        if not isinstance(file, File):
            raise ArgumentError("an object of another class where a torch.File is expected")
        return file

    def reader_of(file: File) -> Reader:
        reader: Reader | None = file.attached.get("reader")
        if reader is None:
            reader = file.attached["reader"] = Reader(_weakly(file))
        return reader

    def writer_of(handle: int) -> Writer:
        file = file_of(handle)
        writer: Writer | None = file.attached.get("writer")
        if writer is None:
            writer = file.attached["writer"] = Writer(_weakly(file))
        return writer

    def give(obj: Any) -> int:
        if runtime.handles.cuda:  # else what was saved on a GPU comes as a type of the CPU
            if isinstance(obj, Tensor) and class_of_tensor(obj) in CUDA_CLASSES:
                return runtime.handles.give_typed(types.label_all(obj))
            if isinstance(obj, NamedStorage) and obj.class_name in CUDA_CLASSES:
                obj = memory.Storage(CUDA_CLASSES[obj.class_name], obj.untyped)
        kind = kind_of(obj)
        assert kind is not None
        return runtime.handles.give_tensor(obj) if kind < Kind.STORAGE else runtime.handles.give(obj, kind)

    # -- reading ------------------------------------------------------------------------------------------

    def scalar(file: File, kind: int) -> Any:
        if kind == t7.NUMBER:
            return t7.read_number(file)
        if kind == t7.STRING:
            return t7.read_string(file).decode("latin1")
        return file.read_int() == 1

    def head(handle: int) -> tuple[Any, ...]:
        """The kind of the next value, and the value itself or the index of what follows."""
        file = file_of(handle)
        kind = file.attached.pop("kind", None)
        if kind is None:
            kind = t7.read_kind(file)
        if kind in SCALARS:
            return kind, scalar(file, kind)
        if kind not in t7.INDEXED:
            return (kind,)
        index = t7.read_index(file)
        known = reader_of(file).known(index) if kind == t7.TORCH else None
        return (kind, index) if known is None else (KNOWN, index, give(what_became(known)))

    def scalars(handle: int, limit: int) -> tuple[Any, ...]:
        """The next values as long as they are numbers, strings or booleans."""
        file = file_of(handle)
        if "kind" in file.attached:
            return ()
        values: list[Any] = []
        while len(values) < limit:
            kind = t7.read_kind(file)
            if kind not in SCALARS:
                file.attached["kind"] = kind
                break
            values.append(scalar(file, kind))
        return tuple(values)

    def read_class(handle: int) -> tuple[int, str, bool]:
        version, name = t7.read_class(file_of(handle))
        return version, name, name in t7.TENSORS

    def read_tensor(handle: int, index: int, name: str) -> int:
        return give(reader_of(file_of(handle)).tensor_or_storage(index, name))

    def read_count(handle: int) -> int:
        file = file_of(handle)
        return t7.read_count(file, t7.entry_size(file))

    def referenced(handle: int, value: bool) -> None:
        reader_of(file_of(handle)).referenced = value
        writer_of(handle).referenced = value

    # -- writing ------------------------------------------------------------------------------------------

    def write_scalars(handle: int, *values: Any) -> None:
        write = writer_of(handle).write
        for value in values:
            write(value)

    def write_tensor(handle: int, obj: int) -> int:
        """Write a tensor or a storage; returns its index."""
        writer = writer_of(handle)
        index = writer.index_of(objects[obj])
        writer.write(objects[obj])
        return index

    def write_content(handle: int, obj: int) -> None:
        writer_of(handle).content(objects[obj])

    def read_content(handle: int, obj: int) -> None:
        """Read what ``write_content`` wrote into a tensor or storage."""
        into = objects[obj]
        content = reader_of(file_of(handle)).content(into)
        if isinstance(into, memory.Storage):
            into.resize(len(content))
            into.tensor().copy_(content.tensor())
        else:
            memory.share(into, content)

    def begin(handle: int, kind: int) -> int:
        return writer_of(handle).begin(kind)

    def refer(handle: int, kind: int, index: int) -> None:
        writer_of(handle).refer(kind, index)

    # -- whole files --------------------------------------------------------------------------------------

    def new_file(name: str) -> int:
        try:
            return give(NewFile(os.fsdecode(name.encode("latin1"))))
        except OSError as error:
            raise TorchError(f"cannot open <{name}> in mode 'w': {error.strerror}") from None

    def discard(handle: int) -> None:
        file = objects[handle]
        assert isinstance(file, DiskFile)
        if isinstance(file, NewFile) and file.opened:
            file.discard()

    def memory_of(text: str) -> int:
        file = MemoryFile(None, "r")
        file._buffer = bytearray(text.encode("latin1"))
        return give(file)

    def content(handle: int) -> str:
        file = objects[handle]
        assert isinstance(file, MemoryFile)
        return file.give_up().decode("latin1")

    # -- functions ----------------------------------------------------------------------------------------

    def trust_function(code: str, handle: int | None = None) -> None:
        """Trust a function that this process compiled; one written to a disk file is trusted by later processes too."""
        trust(code, handle is not None and not isinstance(objects[handle], MemoryFile))

    def function(code: str, kind: int, upvalues: int) -> int:
        return give(Function(code.encode("latin1"), objects[upvalues], int(kind)))

    def code_of(handle: int) -> tuple[Any, ...]:
        """Code, kind and upvalues of a function that Python read; None for another object."""
        obj = objects[handle]
        if not isinstance(obj, Function):
            return (None,)
        return obj.code.decode("latin1"), obj.kind, *encode_results(runtime.handles, obj.upvalues)

    # -- layers -------------------------------------------------------------------------------------------

    def upgraded(name: str, version: int, mask: int, *pairs: Any) -> tuple[Any, ...]:
        """The number and names of the fields that an upgrade replaces, then names and values of the new fields in turn.

        ``pairs``: names and values of the fields that are tensors, numbers and booleans, and the inner modules.
        """
        values = decode(runtime.handles, mask, pairs)
        fields = Table(zip(values[::2], values[1::2], strict=True))
        if isinstance(fields.get("modules"), list):
            fields["modules"] = Table.of(fields["modules"])
        _, before, after = upgrade(name, version, fields)
        new = {name: value.array() if isinstance(value, Table) else value for name, value in after.items()}
        return encode_results(runtime.handles, (len(before), *before, *chain.from_iterable(new.items())))

    def header(handle: int) -> tuple[Any, ...]:
        """What a layer writes before its fields, nil for most layers. Scripts always write the latest version."""
        return encode_results(runtime.handles, header_of(objects[handle], objects[handle].class_version()))

    return {
        "t7_has_header": has_header,
        "t7_header": header,
        "t7_head": head,
        "t7_scalars": scalars,
        "t7_count": read_count,
        "t7_string": lambda handle: t7.read_string(file_of(handle)).decode("latin1"),
        "t7_class": read_class,
        "t7_tensor": read_tensor,
        "t7_referenced": referenced,
        "t7_write_nil": lambda handle: writer_of(handle).write(None),
        "t7_write_negative_zero": lambda handle: writer_of(handle).write(-0.0),
        "t7_write_scalars": write_scalars,
        "t7_write_tensor": write_tensor,
        "t7_write_content": write_content,
        "t7_read_content": read_content,
        "t7_begin": begin,
        "t7_refer": refer,
        "t7_write_count": lambda handle, count: file_of(handle).write_int(count),
        "t7_write_string": lambda handle, text: t7.write_string(file_of(handle), text.encode("latin1")),
        "t7_write_class": lambda handle, version, name: t7.write_class(file_of(handle), int(version), name),
        "t7_new_file": new_file,
        "t7_discard": discard,
        "t7_memory_of": memory_of,
        "t7_content": content,
        "t7_trust": trust_function,
        "t7_is_trusted": is_trusted,
        "t7_function": function,
        "t7_code_of": code_of,
        "t7_has_upgrade": has_upgrade,
        "t7_upgraded": upgraded,
    }


SCALARS = frozenset({t7.NUMBER, t7.STRING, t7.BOOLEAN})


def _weakly(file: File) -> Any:
    """A weak reference to a file, for objects that the file itself keeps alive."""
    return weakref.proxy(file)
