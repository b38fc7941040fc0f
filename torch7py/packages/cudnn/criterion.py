"""The cross entropy over images and volumes."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn.arguments import rows, size_text
from torch7py.nn.base import Criterion
from torch7py.nn.checks import weights_of
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError

__all__ = ["SpatialCrossEntropyCriterion", "VolumetricCrossEntropyCriterion"]


class _CrossEntropy(Criterion):
    """The negative log of the softmax over the channels, at the class that the target names at each place."""

    dims: ClassVar[int] = 4
    fields: ClassVar[tuple[str, ...]] = ("sizeAverage", "weights")

    def __init__(self, weights: torch.Tensor | None = None) -> None:
        super().__init__()
        self.weights = weights_of(self.torch7_name, weights)
        self.sizeAverage = True

    def forward(self, input: Any, target: Any) -> torch.Tensor:
        if not isinstance(input, torch.Tensor) or input.dim() != self.dims:
            raise TorchError(f"{self.class_name}: the input must be a batch of {self.dims} dimensions")
        expected = (input.shape[0], *input.shape[2:])
        if not isinstance(target, torch.Tensor) or tuple(target.shape) != expected:
            given = size_text(target) if isinstance(target, torch.Tensor) else "not a tensor"
            raise TorchError(f"{self.class_name}: the target is {given}, not {'x'.join(map(str, expected))}")
        classes = rows(self, target, input.shape[1])
        return F.cross_entropy(
            input, classes, self.weights, reduction="mean" if self.sizeAverage is not False else "sum"
        )


@layer("cudnn.SpatialCrossEntropyCriterion")
class SpatialCrossEntropyCriterion(_CrossEntropy):
    """``cudnn.SpatialCrossEntropyCriterion([weights])``: input ``(batch, classes, h, w)``, target ``(batch, h, w)``
    of classes from 1. The loss is the mean over places, weighted by the classes' weights; with the field
    sizeAverage false the sum.
    """


@layer("cudnn.VolumetricCrossEntropyCriterion")
class VolumetricCrossEntropyCriterion(_CrossEntropy):
    """``cudnn.VolumetricCrossEntropyCriterion([weights])``: the same for ``(batch, classes, t, h, w)``."""

    dims = 5
