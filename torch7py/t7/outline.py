"""What a ``.t7`` file holds without its numbers: storages are passed over, tensors are what is said of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from torch7py.ops.files import DiskFile
from torch7py.ops.types import NumberType
from torch7py.t7 import format as t7
from torch7py.t7.files import ReadForm, read_file
from torch7py.t7.objects import Function, Object, Table, has_fields
from torch7py.t7.reader import Reader
from torch7py.t7.sniff import Layout

__all__ = [
    "Outline",
    "StorageOutline",
    "TensorOutline",
    "direct_parameters",
    "inner_values",
    "outline",
    "parameters_of",
]


@dataclass(eq=False)
class StorageOutline:
    """A storage: its class, how many numbers it has, where they are in the file, and what tensors look at it."""

    type: NumberType
    class_name: str
    count: int
    position: int
    views: int = 0

    def __len__(self) -> int:
        return self.count

    @property
    def bytes(self) -> int:
        """What it takes in memory."""
        return self.count * self.type.size


@dataclass(eq=False)
class TensorOutline:
    """A tensor: its class, and how it looks at its storage; the offset counts from 0."""

    class_name: str
    storage: StorageOutline | None
    offset: int
    sizes: list[int]
    strides: list[int]

    @property
    def elements(self) -> int:
        total = 1 if self.sizes else 0
        for size in self.sizes:
            total *= size
        return total

    @property
    def view_key(self) -> tuple[int, int, tuple[int, ...], tuple[int, ...]]:
        """What is the same for two tensors that are the same numbers."""
        return id(self.storage), self.offset, tuple(self.sizes), tuple(self.strides)


class _Skimmer(Reader):
    """A reader that passes over the numbers of storages."""

    storage_class: ClassVar[type[Any]] = StorageOutline

    def __init__(self, file: DiskFile, referenced: bool, encoding: str) -> None:
        super().__init__(file, referenced=referenced, encoding=encoding)
        self.storages: list[StorageOutline] = []

    def make_storage(self, number_type: NumberType, name: str, count: int) -> StorageOutline:
        storage = StorageOutline(number_type, name, count, self.file.position())
        self.file.skip_numbers(number_type, count)
        self.storages.append(storage)
        return storage

    def make_tensor(
        self,
        class_name: t7.ClassName,
        name: str,
        storage: StorageOutline | None,
        offset: int,
        sizes: list[int],
        strides: list[int],
    ) -> TensorOutline:
        if storage is not None:
            storage.views += 1
        return TensorOutline(name, storage, offset, sizes, strides)


@dataclass(eq=False)
class Outline:
    """A file: its size and layout, what it holds, and all its storages."""

    path: str
    size: int
    layout: Layout
    root: Any
    storages: list[StorageOutline]

    @property
    def bytes(self) -> int:
        """What the numbers of all storages take in memory."""
        return sum(storage.bytes for storage in self.storages)


def outline(
    path: str | os.PathLike[str],
    *,
    format: ReadForm | None = None,
    referenced: bool = True,
    encoding: str = "latin1",
) -> Outline:
    """Read a file but for the numbers in its storages; the errors are those of ``load``."""

    def parse(file: DiskFile, layout: Layout) -> Outline:
        skimmer = _Skimmer(file, referenced, encoding)
        size = file.remaining() or 0
        root = skimmer.read()
        return Outline(os.fspath(path), size, layout, root, skimmer.storages)

    return read_file(path, parse, lambda parsed: parsed, format)


def inner_values(value: Any) -> Iterator[tuple[Any, Any]]:
    """The keys and values of what holds others."""
    if isinstance(value, Table):
        yield from value.items()
    elif isinstance(value, Object):
        if has_fields(value):
            yield from value.fields.items()
        else:
            yield from enumerate(value.payload, 1)
    elif isinstance(value, Function):
        yield "upvalues", value.upvalues


def direct_parameters(obj: Object) -> list[TensorOutline]:
    """The parameters that an object has itself: weight, bias, and what has a buffer for its gradient."""
    fields = dict(inner_values(obj))
    return [
        value
        for name, value in fields.items()
        if isinstance(value, TensorOutline)
        and isinstance(name, str)
        and (name in ("weight", "bias") or f"grad{name[:1].upper()}{name[1:]}" in fields)
    ]


def parameters_of(root: Any) -> int:
    """How many parameters there are in an object and in those inside it, shared ones once."""
    counted: dict[Any, int] = {}
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        value = waiting.pop()
        if not isinstance(value, (Table, Object, Function)) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Object):
            counted.update((tensor.view_key, tensor.elements) for tensor in direct_parameters(value))
        for key, inner in inner_values(value):
            waiting += (key, inner)
    return sum(counted.values())
