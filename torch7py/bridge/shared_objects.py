"""Tensors and storages on their way from one Lua state of a program to another, by reference instead of by content."""

from __future__ import annotations

import itertools
from typing import Any, ClassVar

import torch

from torch7py.ops import types
from torch7py.ops.memory import Storage
from torch7py.t7 import format as t7
from torch7py.t7.errors import T7Error
from torch7py.t7.reader import NamedStorage, Reader, class_of_tensor
from torch7py.t7.writer import Writer

__all__ = ["Shared", "SharingReader", "SharingWriter"]


class Shared:
    """Objects on their way from one state to another, by number."""

    objects: ClassVar[dict[int, Any]] = {}
    _numbers: ClassVar[Any] = itertools.count(1)

    @classmethod
    def number_from(cls, first: int) -> None:
        """Count from here: another process counts from elsewhere."""
        cls._numbers = itertools.count(first)

    @classmethod
    def put(cls, obj: Any) -> int:
        number: int = next(cls._numbers)
        if isinstance(obj, Storage):
            _ = obj.untyped  # its memory is the same for all who get it
        cls.objects[number] = obj
        return number

    @classmethod
    def take(cls, number: int, at: int | None) -> Any:
        if number not in cls.objects:
            raise T7Error("a shared object that was read before, or by another process", at)
        return cls.objects.pop(number)


class SharingWriter(Writer):
    """Writes a tensor or storage as the number of a shared object, and notes the number where that is asked for."""

    def __init__(self, file: Any, noted: list[int] | None) -> None:
        super().__init__(file)
        self._noted = noted

    def _start(self, obj: Any, waiting: list[Any]) -> Any:
        if not isinstance(obj, (torch.Tensor, Storage)):
            return super()._start(obj, waiting)
        if self._begin(t7.TORCH, obj):
            t7.write_class(self.file, 1, _class_of(obj))
            number = Shared.put(obj)
            if self._noted is not None:
                self._noted.append(number)
            self.file.write_number(types.LONG, number)
        return None


class SharingReader(Reader):
    """Reads what ``SharingWriter`` wrote. Each object can be read once."""

    def tensor_or_storage(self, index: int, name: str) -> Any:
        at = self.file.known_position()
        return self._keep(index, t7.TORCH, Shared.take(int(self.file.read_number(types.LONG)), at))


def _class_of(obj: torch.Tensor | Storage) -> str:
    if isinstance(obj, torch.Tensor):
        return class_of_tensor(obj)
    return obj.class_name if isinstance(obj, NamedStorage) else obj.type.storage
