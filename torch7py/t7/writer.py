"""Writes tensors, tables, layers and objects as the original does, byte for byte."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any, TypeAlias

import numpy as np
import torch

from torch7py.nn.object import TorchObject
from torch7py.ops import types
from torch7py.ops.files import File
from torch7py.ops.generator_file import write_generator
from torch7py.ops.memory import Storage, size_of
from torch7py.ops.mersenne import Generator as RandomGenerator
from torch7py.t7 import format as t7
from torch7py.t7.errors import T7Error
from torch7py.t7.layers import payload_of
from torch7py.t7.objects import Function, Object, Table
from torch7py.t7.reader import MAX_DEPTH, NamedStorage, class_of_tensor

__all__ = ["Writer"]

LONG = types.LONG

# A writer of one composite value: yields the values inside it.
Steps: TypeAlias = Generator[Any, None, None]


class Writer:
    """Writes objects to one file.

    An object written before is written as its index. With ``referenced`` False every object is written each time it
    occurs. ``str`` becomes bytes by ``encoding``.
    """

    def __init__(self, file: File, *, referenced: bool = True, encoding: str = "latin1") -> None:
        self.file = file
        self.referenced = referenced
        self.encoding = encoding
        self._indices: dict[Any, int] = {}
        self._alive: list[Any] = []  # an id is good as long as its object lives
        self._count = 0

    def write(self, obj: Any) -> None:
        """Write one object; T7Error when something in it cannot be saved."""
        waiting: list[tuple[Steps, Any]] = []
        steps = self._start(obj, waiting)
        while True:
            if steps is not None:
                waiting.append((steps, obj))
                if len(waiting) > MAX_DEPTH:
                    raise T7Error(f"more than {MAX_DEPTH} objects inside each other")
            if not waiting:
                return
            try:
                obj = next(waiting[-1][0])
            except StopIteration:
                waiting.pop()
                steps = None
            else:
                steps = self._start(obj, waiting)

    def _start(self, obj: Any, waiting: list[tuple[Steps, Any]]) -> Steps | None:
        """Write a value; for one that holds others its beginning, and how to go on."""
        file = self.file
        if obj is None:
            file.write_int(t7.NIL)
        elif isinstance(obj, (bool, np.bool_)):
            file.write_int(t7.BOOLEAN)
            file.write_int(int(obj))
        elif isinstance(obj, (int, float, np.integer, np.floating)):
            file.write_int(t7.NUMBER)
            t7.write_number(file, float(obj))
        elif isinstance(obj, (str, bytes)):
            file.write_int(t7.STRING)
            t7.write_string(file, self._bytes(obj))
        elif isinstance(obj, (Table, dict)):
            if self._begin(t7.TABLE, obj):
                return self._table(obj)
        elif isinstance(obj, (list, tuple)):
            if self._begin(t7.TABLE, obj):
                return self._table(dict(enumerate(obj, 1)))
        elif isinstance(obj, torch.Tensor):
            if self._begin(t7.TORCH, obj):
                return self._tensor(obj)
        elif isinstance(obj, Storage):
            self._storage(obj)
        elif isinstance(obj, RandomGenerator):
            if self._begin(t7.TORCH, obj):
                t7.write_class(file, 1, "torch.Generator")
                write_generator(obj, file)
        elif isinstance(obj, TorchObject):
            if self._begin(t7.TORCH, obj):
                payload = payload_of(obj)  # first: it may turn out that an old object is one of today now
                t7.write_class(file, obj.saved_version, obj.class_name)
                return self._values(payload)
        elif isinstance(obj, Object):
            if self._begin(t7.TORCH, obj):
                t7.write_class(file, obj.version, obj.class_name)
                return self._object(obj)
        elif isinstance(obj, Function):
            return self._function(obj)
        elif isinstance(obj, np.ndarray):
            return self._start(torch.from_numpy(obj), waiting)
        else:
            path = ".".join(_name_in(owner) for _, owner in waiting) or "the top"
            raise T7Error(f"a {type(obj).__name__} cannot be saved (inside {path})")
        return None

    def _bytes(self, text: str | bytes) -> bytes:
        if isinstance(text, bytes):
            return text
        try:
            return text.encode(self.encoding, "surrogateescape")
        except UnicodeEncodeError:
            return text.encode("utf-8", "surrogateescape")

    def begin(self, kind: int) -> int:
        """Write the head of an object that was not written before; returns its index."""
        self._count += 1
        self.refer(kind, self._count)
        return self._count

    def refer(self, kind: int, index: int) -> None:
        """Write the head of an object, which is all for one written before."""
        self.file.write_int(kind)
        self.file.write_int(index)

    def index_of(self, obj: Any) -> int:
        """The index that an object has or, written now, would get."""
        index = self._indices.get(_identity(obj)) if self.referenced else None
        return self._count + 1 if index is None else index

    def _begin(self, kind: int, obj: Any) -> bool:
        """Write the head of an object; whether the content has to follow."""
        key = _identity(obj)
        index = self._indices.get(key) if self.referenced else None
        if index is not None:
            self.refer(kind, index)
            return False
        index = self.begin(kind)
        if self.referenced:
            self._indices[key] = index
            self._alive.append(obj)
        return True

    @staticmethod
    def _values(values: Iterable[Any]) -> Steps:
        yield from values

    def _table(self, table: Table | dict[Any, Any]) -> Steps:
        entries = [(key, value) for key, value in table.items() if value is not None]
        self.file.write_int(len(entries))
        for key, value in entries:
            if key is None or (isinstance(key, float) and key != key):
                raise T7Error("None and nan cannot be keys of a table")
            yield key
            yield value

    def _function(self, function: Function) -> Steps | None:
        if function.kind == t7.OLD_FUNCTION:
            self.file.write_int(t7.OLD_FUNCTION)
        elif not self._begin(function.kind, function):
            return None
        t7.write_string(self.file, function.code)
        return self._values((function.upvalues,))

    def _object(self, obj: Object) -> Steps:
        if obj.class_name == "tds.AtomicCounter":
            self.file.write_number(LONG, obj.payload[0])
            return
        if obj.class_name in ("tds.Hash", "tds_hash", "tds.Vec"):
            count = len(obj.payload) // (1 if obj.class_name == "tds.Vec" else 2)
            self.file.write_number(LONG, count)
        yield from obj.payload

    # -- tensors ------------------------------------------------------------------------------------------

    def content(self, obj: torch.Tensor | Storage) -> None:
        """Write what follows the class of a tensor or storage (``x:write(file)``)."""
        if isinstance(obj, Storage):
            self._elements(obj)
        else:
            plain = _as_torch7(obj)
            self.write(self._geometry(obj, plain, _class_of(obj, plain)))

    def _tensor(self, tensor: torch.Tensor) -> Steps:
        plain = _as_torch7(tensor)
        name = _class_of(tensor, plain)
        t7.write_class(self.file, 1, name)
        yield self._geometry(tensor, plain, name)

    def _geometry(self, tensor: torch.Tensor, plain: torch.Tensor, name: str) -> Storage | None:
        """Write where a tensor's elements are in its storage, which is to follow."""
        file = self.file
        sizes: tuple[int, ...] = size_of(plain)
        strides: tuple[int, ...] = plain.stride() if sizes else ()
        if plain.dim() == 0:
            sizes, strides = (1,), (1,)
        file.write_int(len(sizes))
        file.write_numbers(torch.tensor(sizes, dtype=torch.int64))
        file.write_numbers(torch.tensor(strides, dtype=torch.int64))
        file.write_number(LONG, int(plain.storage_offset()) + 1)
        storage = getattr(tensor, "torch7_storage", None)
        if plain.untyped_storage().nbytes() or plain.numel():
            storage = NamedStorage(types.of(plain), plain.untyped_storage(), t7.storage_name(name))
            last = plain.storage_offset() + sum((n - 1) * s for n, s in zip(sizes, strides, strict=True))
            if sizes and last >= len(storage):
                raise T7Error(f"a tensor that ends at element {last + 1} of a storage of {len(storage)}")
        return storage

    def _storage(self, storage: Storage) -> None:
        if not self._begin(t7.TORCH, storage):
            return
        name = storage.class_name if isinstance(storage, NamedStorage) else storage.type.storage
        t7.write_class(self.file, 1, name)
        self._elements(storage)

    def _elements(self, storage: Storage) -> None:
        self.file.write_number(LONG, len(storage))
        self.file.write_numbers(storage.tensor())


def _identity(obj: Any) -> Any:
    """What tells an object from others: of a storage, which Python has as several, its memory."""
    return ("storage", obj.pointer()) if isinstance(obj, Storage) else id(obj)


def _class_of(tensor: torch.Tensor, plain: torch.Tensor) -> str:
    return class_of_tensor(tensor if plain.dtype == tensor.dtype else plain)


def _as_torch7(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor on memory of the CPU and of a type that Torch7 has."""
    if tensor.layout != torch.strided or tensor.device.type == "meta":
        raise T7Error(f"a tensor that is {tensor.layout} on {tensor.device} cannot be saved")
    tensor = tensor.detach()
    if tensor.dtype == torch.bool:
        return tensor.to(torch.uint8)
    if tensor.dtype not in types.BY_DTYPE:
        raise T7Error(f"a tensor of {tensor.dtype} cannot be saved: Torch7 has no such type")
    return tensor


def _name_in(owner: Any) -> str:
    return str(getattr(owner, "class_name", "table"))
