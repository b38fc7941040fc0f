"""Logistic losses of targets 1 and -1: BinaryLogisticRegression, SpatialBinaryLogisticRegression."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import size_text
from torch7py.nn.base import Criterion
from torch7py.nn.checks import check_shape, check_type, truthy
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError

__all__ = ["BinaryLogisticRegression", "SpatialBinaryLogisticRegression"]


class _Logistic(Criterion):
    """The sum of ``log(1 + exp(-target x))`` over a divisor."""

    fields: ClassVar[tuple[str, ...]] = ("sizeAverage",)
    spare: ClassVar[dict[str, Any]] = {"sizeAverage": True}
    sizeAverage: bool | None = True

    def divisor(self, input: torch.Tensor, target: torch.Tensor) -> float:
        """What the sum is divided by; a TorchError where the shapes do not fit."""
        raise NotImplementedError

    def forward(self, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        divisor = self.divisor(input, target)
        return torch.log(1 + torch.exp(-target.reshape(input.shape) * input)).sum() / divisor


@layer("nn.BinaryLogisticRegression", package="dpnn", target="truths")
class BinaryLogisticRegression(_Logistic):
    """``nn.BinaryLogisticRegression([sizeAverage])``: the mean of ``log(1 + exp(-target x))``, or the sum with
    ``sizeAverage`` false.

    Shapes: ``(batch)``, ``(batch, 1)`` or ``(1, batch)`` for input and target, which holds 1 and -1.
    """

    def __init__(self, sizeAverage: bool = True) -> None:
        super().__init__()
        self.sizeAverage = sizeAverage

    def divisor(self, input: torch.Tensor, target: torch.Tensor) -> float:
        for what, tensor in (("input", input), ("target", target)):
            if tensor.dim() not in (1, 2) or (tensor.dim() == 2 and 1 not in tensor.shape):
                raise TorchError(
                    f"{self.class_name}: {what} must be a vector or one column, not {size_text(tensor)}"
                )
        check_type(self, "the target", target, input)
        if input.numel() != target.numel():
            raise TorchError(f"{self.class_name}: {input.numel()} inputs and {target.numel()} targets")
        return input.numel() if truthy(self.sizeAverage) else 1


@layer("nn.SpatialBinaryLogisticRegression", package="dpnn", target="sign")
class SpatialBinaryLogisticRegression(_Logistic):
    """``nn.SpatialBinaryLogisticRegression()``: half the mean of ``log(1 + exp(-target x))`` over all pixels.

    Shapes: ``(1, h, w)`` or ``(batch, 1, h, w)`` for input and target, which holds 1 and -1. With the field
    ``sizeAverage`` false the images' means are added up.
    """

    def divisor(self, input: torch.Tensor, target: torch.Tensor) -> float:
        check_shape(self, "the target", target, input)
        check_type(self, "the target", target, input)
        if input.dim() not in (3, 4) or input.shape[-3] != 1:
            raise TorchError(
                f"{self.class_name}: the input must be images of one plane, not {size_text(input)}"
            )
        batch = input.shape[0] if input.dim() == 4 and truthy(self.sizeAverage) else 1
        return 2 * batch * input.shape[-2] * input.shape[-1]
