"""Where the parameters of layers lie in memory, and lay before a program moved them into another flat vector."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch.multiprocessing.reductions import StorageWeakRef

from torch7py.nn.base import Module
from torch7py.translate.patching import patched

__all__ = ["Layouts", "MemorySlot"]

Item = TypeVar("Item")


@dataclass
class MemorySlot(Generic[Item]):
    """Where a parameter of a layer lies: the address of its memory, its first element there, and its shape."""

    item: Item
    name: str
    memory: int
    first: int
    shape: torch.Size


class Layouts(Generic[Item]):
    """The places that parameters have and had. ``parameters`` gives those of all layers, with their names."""

    def __init__(self, parameters: Callable[[], Iterable[tuple[Item, str, torch.Tensor]]]) -> None:
        self._parameters = parameters
        self._before: dict[tuple[int, int, int], tuple[StorageWeakRef, MemorySlot[Item]]] = {}

    def _now(self) -> Iterator[tuple[torch.UntypedStorage, MemorySlot[Item]]]:
        for item, name, tensor in self._parameters():
            storage = tensor.untyped_storage()
            yield (
                storage,
                MemorySlot(item, name, storage.data_ptr(), int(tensor.storage_offset()), tensor.shape),
            )

    def places(self) -> list[MemorySlot[Item]]:
        """Those of now, and earlier ones in memory that something still holds."""
        earlier = [location for storage, location in self._before.values() if not storage.expired()]
        return [*(location for _, location in self._now()), *earlier]

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """Note all places before each ``getParameters``."""
        original = Module.flattened

        @functools.wraps(original)
        def noting(module: Any, *lists: Any) -> Any:
            self._before = {key: entry for key, entry in self._before.items() if not entry[0].expired()}
            for storage, location in self._now():
                self._before[id(location.item), location.memory, location.first] = (
                    StorageWeakRef(storage),
                    location,
                )
            return original(module, *lists)

        with patched([(Module, "flattened", noting)]):
            yield
