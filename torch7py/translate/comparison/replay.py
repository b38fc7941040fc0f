"""What the translation is given in place of random numbers, the clock and files."""

from __future__ import annotations

import io
import math
import os
import time
from collections.abc import Callable
from typing import Any, ClassVar

import torch

from torch7py.files import load as load_t7
from torch7py.nn.object import TorchObject
from torch7py.t7.objects import Object, Table
from torch7py.translate.comparison.original import REST, Construction, Recording
from torch7py.translate.comparison.partners import Partners, first_weights
from torch7py.translate.model import taken
from torch7py.translate.page_library.torch7_files import is_torch7_file
from torch7py.translate.verify import Different

__all__ = ["Clock", "Draws", "Files", "Snapshots", "on_the_day"]


class Draws:
    """Hands out the numbers of the original, family by family, to ``who`` is compared with it."""

    # Families by what they are called.
    KINDS: ClassVar[dict[str, str]] = {"unit": "uniform", "standard": "normal", "offset": "whole"}

    def __init__(self, draws: dict[str, list[Any]], who: str = "the translation") -> None:
        self.draws = {family: iter(values) for family, values in draws.items()}
        self.who = who

    def take(self, family: str, count: int) -> list[Any]:
        values = []
        source = self.draws.get(family, iter(()))
        for _ in range(count):
            value = next(source, None)
            if value is None:
                raise Different(
                    f"{self.who} draws more {self.KINDS.get(family, family)} numbers than the original"
                )
            values.append(value)
        return values

    def one(self, family: str) -> Any:
        return self.take(family, 1)[0]

    def tensor(self, family: str, *size: Any, **options: Any) -> torch.Tensor:
        if len(size) == 1 and isinstance(size[0], (tuple, list, torch.Size)):
            size = tuple(size[0])
        like = torch.empty(*size, dtype=options.get("dtype"))
        return like.copy_(torch.tensor(self.take(family, like.numel()), dtype=torch.float64).view(like.shape))

    def categories(self, p: torch.Tensor, count: int, replacement: bool = False) -> torch.Tensor:
        """What ``torch.multinomial`` gives: the original's categories, from 0."""
        size = (*p.shape[:-1], count)
        drawn = torch.tensor(self.take("multinomial", math.prod(size)), dtype=torch.int64)
        return drawn.view(size) - 1

    def fill(self, family: str, tensor: torch.Tensor) -> torch.Tensor:
        values = torch.tensor(self.take(family, tensor.numel()), dtype=torch.float64)
        with torch.no_grad():
            tensor.copy_(values.view(tensor.shape))
        return tensor


class Snapshots:
    """Gives parameters what the original drew for the vector that they lie in, in whatever order they are filled."""

    def __init__(self, recording: Recording, partners: Partners) -> None:
        self.left = list(recording.snapshots)
        self.partners = partners
        self.filled: set[int] = set()

    def of(self, tensor: torch.Tensor) -> torch.Tensor | None:
        memory = tensor.data_ptr()
        if memory in self.filled:  # the next one
            self.left.pop(0)
            self.filled.clear()
        for number, snapshot in enumerate(self.left):
            snapshot_values = self._within(snapshot, tensor)
            if snapshot_values is not None:
                if number:  # those before were of other modules
                    del self.left[:number]
                    self.filled.clear()
                self.filled.add(memory)
                return snapshot_values
        whole = self._of_vector(tensor) if self.left else None
        if whole is not None:
            self.left.pop(0)
            self.filled.clear()
            return whole
        rest = self.left[0][REST] if self.left else {"": torch.empty(0)}
        if not 0 < tensor.numel() <= rest[""].numel():
            return None
        self.filled.add(memory)
        values, rest[""] = rest[""][: tensor.numel()], rest[""][tensor.numel() :]
        return values.view(tensor.shape)

    def _of_vector(self, vector: torch.Tensor) -> torch.Tensor | None:
        """What a vector is given in which parameters of the page lie, if it is all parameters that the next one has."""
        memory, result = vector.untyped_storage().data_ptr(), torch.empty_like(vector)
        filled = torch.zeros(vector.numel(), dtype=torch.bool)  # several layers may share weights
        for _, module, entries, item in self.partners.matches:
            state = dict(module.named_parameters())
            weights = self.left[0].get(item.order)
            if not weights:
                continue
            for entry in entries.keys() & state.keys():  # a buffer lies elsewhere
                take = entries[entry]
                at = state[entry].storage_offset() - vector.storage_offset()
                if state[entry].untyped_storage().data_ptr() != memory or not 0 <= at < vector.numel():
                    return None
                listed = [weights[name] for name in item.names if name in weights]
                value = taken(take, first_weights(Construction(item.name, item.module, weights, listed)))
                result[at:].as_strided(value.shape, state[entry].stride()).copy_(value)
                filled[at : at + value.numel()] = True
        return result if filled.all() else None

    def _within(
        self, snapshot: dict[int, dict[str, torch.Tensor]], tensor: torch.Tensor
    ) -> torch.Tensor | None:
        """What a parameter was given in one of the vectors."""
        for _, module, entries, item in self.partners.matches:
            weights = snapshot.get(item.order)
            if not weights:
                continue
            state = {**dict(module.named_parameters()), **dict(module.named_buffers())}
            for entry, take in entries.items():
                if isinstance(take, str) and take in item.names and take not in weights:
                    continue  # it was not filled
                if state[entry].data_ptr() != tensor.data_ptr():
                    continue
                if state[entry].shape != tensor.shape:  # a weight as Torch7 has it
                    same = [w for w in weights.values() if w.shape == tensor.shape]
                    if same and state[entry].numel() == tensor.numel():
                        return same[0]
                    continue
                listed = [weights[name] for name in item.names if name in weights]
                return taken(take, first_weights(Construction(item.name, item.module, weights, listed)))
        return None


class Clock:
    """Every look at it is one second after the last one, as in the original's run."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        self.now += 1
        return self.now


def on_the_day(original: Callable[..., str], form: str, *at: Any) -> str:
    """``time.strftime`` of now, on the day on which the original was run."""
    return original(form, *(at or (time.localtime(1e9),)))


class Files:
    """What the translation saves stays in memory; what it loads and did not save itself is the original's.

    A file that the original made (``modification_times``: when it last wrote to each) was not there when it began,
    and so it is not there for the translation until it has made it, too.
    """

    def __init__(self, modification_times: dict[str, int]) -> None:
        self.saved: dict[str, bytes] = {}
        self.modification_times = modification_times
        self._load, self._save = torch.load, torch.save
        self._remove, self._list = os.remove, os.listdir

    def save(self, value: Any, path: Any, **options: Any) -> None:
        buffer = io.BytesIO()
        self._save(value, buffer, **options)
        self.saved[os.path.realpath(path)] = buffer.getvalue()

    def remove(self, path: Any) -> None:
        if self.saved.pop(os.path.realpath(path), None) is None:
            self._remove(path)

    def listed(self, path: Any = ".") -> list[str]:
        """What lies in a directory, with what was saved in it."""
        home = os.path.realpath(path)
        saved = {os.path.basename(name) for name in self.saved if os.path.dirname(name) == home}
        return sorted({*self._list(path), *saved})

    def exists(self, otherwise: Callable[[Any], bool], path: Any) -> bool:
        real_path = os.path.realpath(path)
        if real_path in self.saved:
            return True
        return otherwise(path) and self.modification_times.get(real_path) != os.stat(real_path).st_mtime_ns

    def is_torch7_file(self, path: Any) -> bool:
        """Whether Torch7 wrote a file, and the translation has not written another one in its place."""
        return os.path.realpath(path) not in self.saved and is_torch7_file(path)

    def load(self, path: Any, **options: Any) -> Any:
        saved = self.saved.get(os.path.realpath(path))
        if saved is not None:
            return self._load(io.BytesIO(saved), **options)
        return _plain(load_t7(path), path)


def _plain(value: Any, path: Any) -> Any:
    """What a .t7 file has, as a translation would have saved it."""
    if isinstance(value, TorchObject):
        raise Different(f"the translation loads {path}, in which the original saved a module of its own")
    if isinstance(value, Object) and value.class_name == "tds.Vec":
        value = list(value.payload)
    if isinstance(value, Object) and value.class_name.startswith("dl."):  # kept by what they are made of
        value = value.fields
    if isinstance(value, Table):
        value = value.plain()
    if isinstance(value, dict):
        return {_plain(k, path): _plain(v, path) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(item, path) for item in value]
    return value
