"""Copies of a module on several GPUs, each of which computes its part of a batch, as in the original.

The module itself is that of the first GPU: it has the parameters and gets the sums of the gradients. The GPUs work at
the same time, since a call of PyTorch returns before the GPU has done it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from torch7py.nn import data_parallel
from torch7py.nn.copying import storage_map
from torch7py.ops import devices, types

__all__ = ["Replicas"]


@dataclass
class _Replica:
    rank: int
    size: int


class Replicas:
    """The copies of a module, in the order of the GPUs."""

    def __init__(self, module: Any, numbers: Sequence[float], axis: int) -> None:
        self.numbers, self.axis = list(numbers), axis
        self.modules: list[Any] = [module, *(self._copied(module, number) for number in self.numbers[1:])]
        self._form = self._form_of(module)
        self._inputs: list[Any] = []

    def _copied(self, module: Any, number: float) -> Any:
        copied = module.clone()
        device = devices.at(number)
        if device != devices.at(self.numbers[0]):
            convert = storage_map(lambda whole: whole.to(device), {}, types.of)
            with torch.no_grad():
                copied.convert(convert, module.torch7_type())
        return copied

    @staticmethod
    def _form_of(module: Any) -> Any:
        """What the copies were made by."""
        parameters = module.parameter_pairs()[0]
        return module, [(types.of(p), p.shape) for p in parameters], [type(part) for part in module.modules()]

    def fit(self, module: Any) -> bool:
        """Whether these are copies of this module as it is now, but for its numbers."""
        return bool(self._form == self._form_of(module))

    def follow(self) -> None:
        """Give the copies the numbers of the first: parameters, running statistics, and whether they train."""
        with torch.no_grad():
            self._copy_numbers()

    def _copy_numbers(self) -> None:
        first = self.modules[0]
        for copied in self.modules[1:]:
            for mine, its in zip(first.parameter_pairs()[0], copied.parameter_pairs()[0], strict=True):
                its.copy_(mine)
            for one, other in zip(first.modules(), copied.modules(), strict=True):
                other.training = one.training
                for name in getattr(one, "buffer_fields", ()):
                    mine, its = one._buffers.get(name), other._buffers.get(name)
                    if (
                        isinstance(mine, torch.Tensor)
                        and isinstance(its, torch.Tensor)
                        and its.shape == mine.shape
                    ):
                        its.copy_(mine)

    def _parts(self, value: Any) -> list[Any]:
        count = len(self.modules)
        return [
            devices.move(data_parallel.part_of(value, self.axis, _Replica(rank, count)), devices.at(number))
            for rank, number in enumerate(self.numbers)
        ]

    def _joined(self, results: Sequence[Any]) -> Any:
        """The results of all copies on the first GPU, along the axis of the batch."""
        home = devices.at(self.numbers[0])
        results_here = [devices.move(_listed(result), home) for result in results if result is not None]
        return _cat(results_here, self.axis) if results_here else None

    def forward(self, input: Any) -> Any:
        self._inputs = self._parts(input)
        results: list[Any] = []
        for module, number, part in zip(self.modules, self.numbers, self._inputs, strict=True):
            with devices.on(number):
                results.append(module.updateOutput(part) if data_parallel.has_data(part) else None)
        return self._joined(results)

    def gradients(self, method: str, gradient: Any, *scale: float) -> Any:
        """Call ``updateGradInput``, ``accGradParameters`` or ``backward`` of each copy; ``gradInput``."""
        parts, results = self._parts(gradient), list[Any]()
        if method != "updateGradInput":
            for copied in self.modules[1:]:
                copied.zeroGradParameters()
        for module, number, input, part in zip(self.modules, self.numbers, self._inputs, parts, strict=True):
            if not data_parallel.has_data(input):
                results.append(None)
                continue
            with devices.on(number):
                results.append(getattr(module, method)(input, part, *scale))
        if method != "updateGradInput":
            home = devices.at(self.numbers[0])
            for copied in self.modules[1:]:
                pairs = zip(self.modules[0].parameter_pairs()[1], copied.parameter_pairs()[1], strict=True)
                for mine, its in pairs:
                    mine.add_(devices.move(its, home))
        return self._joined(results) if method != "accGradParameters" else None


def _listed(value: Any) -> Any:
    return [_listed(item) for item in value] if isinstance(value, (list, tuple)) else value


def _cat(values: Sequence[Any], axis: int) -> Any:
    if isinstance(values[0], list):
        return [_cat(items, axis) for items in zip(*values, strict=True)]
    if not isinstance(values[0], torch.Tensor):
        return values[0]
    return types.label(torch.cat(list(values), axis), types.of(values[0]))
