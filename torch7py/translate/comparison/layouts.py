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
from torch7py.translate.comparison.patching import patched

__all__ = ["Layouts", "Place"]

Item = TypeVar("Item")


@dataclass
class Place(Generic[Item]):
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
        self._before: dict[tuple[int, int, int], tuple[StorageWeakRef, Place[Item]]] = {}

    def _now(self) -> Iterator[tuple[torch.UntypedStorage, Place[Item]]]:
        for item, name, tensor in self._parameters():
            storage = tensor.untyped_storage()
            yield (
                storage,
                Place(item, name, storage.data_ptr(), int(tensor.storage_offset()), tensor.shape),
            )

    def places(self) -> list[Place[Item]]:
        """Those of now, and earlier ones in memory that something still holds."""
        earlier = [place for storage, place in self._before.values() if not storage.expired()]
        return [*(place for _, place in self._now()), *earlier]

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """Note all places before each ``getParameters``."""
        original = Module.flattened

        @functools.wraps(original)
        def noting(module: Any, *lists: Any) -> Any:
            self._before = {key: found for key, found in self._before.items() if not found[0].expired()}
            for storage, place in self._now():
                self._before[id(place.item), place.memory, place.first] = StorageWeakRef(storage), place
            return original(module, *lists)

        with patched([(Module, "flattened", noting)]):
            yield
