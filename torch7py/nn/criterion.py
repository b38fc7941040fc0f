"""Losses of an input against a target of the same size: squared, absolute and smoothed differences."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn.arguments import size_text
from torch7py.nn.base import Criterion
from torch7py.nn.checks import check_shape, fit, truthy
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError
from torch7py.ops.ordered_sum import ordered_sum

__all__ = [
    "AbsCriterion",
    "ElementwiseCriterion",
    "L1Cost",
    "MSECriterion",
    "SmoothL1Criterion",
    "SpatialAutoCropMSECriterion",
    "TargetlessCriterion",
    "WeightedMSECriterion",
]


class ElementwiseCriterion(Criterion):
    """A sum, or a mean where ``sizeAverage``, of a loss of each element against its target.

    A subclass gives ``losses`` and ``slopes``, its derivative times ``share``: one kernel costs less than a graph. Both
    find the target in the shape of the input, which must have as many elements. Where the share comes into the product
    and in what order the losses are added up is the original's: the last digits depend on it.
    """

    fields: ClassVar[tuple[str, ...]] = ("sizeAverage", "output_tensor")
    sizeAverage: bool | None = True
    summed_in: ClassVar[torch.dtype | None] = None  # the type in which losses are added up, None: their own

    def losses(self, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def slopes(self, input: torch.Tensor, target: torch.Tensor, share: float) -> torch.Tensor:
        raise NotImplementedError

    def prepare(self, input: torch.Tensor, target: Any) -> torch.Tensor:
        """The target as ``losses`` and ``slopes`` take it."""
        return fit(self, "the target", target, input)

    def factors(self, input: torch.Tensor, target: Any) -> torch.Tensor | None:
        """A weight for each element, in the shape of the input."""
        return None

    def _weighted(self, values: torch.Tensor, input: torch.Tensor, target: Any) -> torch.Tensor:
        factors = self.factors(input, target)
        return values if factors is None else values * factors

    def forward(self, input: torch.Tensor, target: Any) -> torch.Tensor:
        losses = self.losses(input, self.prepare(input, target))
        total = ordered_sum(self._weighted(losses, input, target), self.summed_in)
        return total / input.numel() if truthy(self.sizeAverage) else total

    def updateGradInput(self, input: torch.Tensor, target: Any) -> Any:
        share = 1 / input.numel() if truthy(self.sizeAverage) else 1
        slopes = self.slopes(input.data, self.prepare(input.data, target), share)
        gradient = self._weighted(slopes, input, target)
        return self.keep("gradInput", gradient.contiguous(), is_result=True)


class TargetlessCriterion(Criterion):
    """A criterion that needs no target: the methods take one and do not look at it."""

    def updateOutput(self, input: Any, target: Any = None) -> Any:
        return super().updateOutput(input, target)

    def torch7_forward(self, input: Any, target: Any = None) -> Any:
        return self.updateOutput(input, target)

    def updateGradInput(self, input: Any, target: Any = None) -> Any:
        return super().updateGradInput(input, target)

    def backward(self, input: Any, target: Any = None) -> Any:
        return self.updateGradInput(input, target)

    def call(self, input: Any, target: Any = None) -> Any:
        return super().call(input, target)


@layer("nn.MSECriterion")
class MSECriterion(ElementwiseCriterion):
    """``nn.MSECriterion([sizeAverage])``: the squared differences' mean, or their sum with ``sizeAverage`` false.

    Shapes: input and target with as many elements; any shape.
    """

    rows_alone = True

    def __init__(self, sizeAverage: bool = True) -> None:
        super().__init__()
        self.sizeAverage = sizeAverage

    def losses(self, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return (input - target).square()

    def slopes(self, input: torch.Tensor, target: torch.Tensor, share: float) -> torch.Tensor:
        return (input - target).mul_(2 * share)


@layer("nn.AbsCriterion")
class AbsCriterion(ElementwiseCriterion):
    """``nn.AbsCriterion([sizeAverage])``: the absolute differences' mean, or sum. Shapes as for ``MSECriterion``.

    Where input and target are equal the slope is 1.
    """

    rows_alone = True

    def __init__(self, sizeAverage: bool = True) -> None:
        super().__init__()
        self.sizeAverage = sizeAverage

    def losses(self, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return (input - target).abs()

    def slopes(self, input: torch.Tensor, target: torch.Tensor, share: float) -> torch.Tensor:
        return torch.where(input - target >= 0, torch.ones_like(input), -1).mul_(share)


@layer("nn.SmoothL1Criterion")
class SmoothL1Criterion(ElementwiseCriterion):
    """``nn.SmoothL1Criterion([sizeAverage])``: of a difference d ``d^2 / 2`` where ``|d| < 1``, else ``|d| - 1/2``.

    The mean, or the sum with ``sizeAverage`` false. Shapes as for ``nn.MSECriterion``.
    """

    rows_alone = True

    def __init__(self, sizeAverage: bool = True) -> None:
        super().__init__()
        self.sizeAverage = sizeAverage

    def losses(self, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return F.smooth_l1_loss(input, target, reduction="none")

    def slopes(self, input: torch.Tensor, target: torch.Tensor, share: float) -> torch.Tensor:
        return (input - target).clamp_(-1, 1).mul_(share)


@layer("nn.L1Cost", target="none")
class L1Cost(TargetlessCriterion):
    """``nn.L1Cost()``: ``sum |x|`` of an input of any shape; there is no target."""

    fields: ClassVar[tuple[str, ...]] = ("output_tensor",)

    def forward(self, input: torch.Tensor, target: Any = None) -> torch.Tensor:
        if input.requires_grad:
            return input.abs().sum()
        return ordered_sum(input.abs().double()).to(input.dtype)

    def updateGradInput(self, input: torch.Tensor, target: Any = None) -> Any:
        return self.keep("gradInput", input.data.sign().contiguous(), is_result=True)


@layer("nn.WeightedMSECriterion")
class WeightedMSECriterion(MSECriterion):
    """``nn.WeightedMSECriterion(weight)``: the mean of ``(x - weight * target)^2``: the target alone is weighted.

    Shapes: a weight with as many elements as the input, or as many as one example and one dimension less.
    """

    rows_alone = False

    fields: ClassVar[tuple[str, ...]] = ("weight", "buffer")

    def __init__(self, w: torch.Tensor) -> None:
        super().__init__()
        self.__dict__["weight"] = w.data.clone()

    def prepare(self, input: torch.Tensor, target: Any) -> torch.Tensor:
        target = fit(self, "the target", target, input)
        if input.dim() == self.weight.dim() + 1:
            return target * fit(self, "the weight", self.weight, input[0])
        return target * fit(self, "the weight", self.weight, input)

    def set_field(self, name: str, value: Any) -> Any:
        if name == "weight":  # not a parameter
            self.__dict__["weight"] = value
            return value
        return super().set_field(name, value)


@layer("nn.SpatialAutoCropMSECriterion")
class SpatialAutoCropMSECriterion(MSECriterion):
    """``nn.SpatialAutoCropMSECriterion([sizeAverage])``: ``nn.MSECriterion`` against the middle of a larger target.

    Shapes: ``(channels, h, w)`` or ``(batch, channels, h, w)``; the target is at least as high and wide. As in the
    original, the backward takes targets of the input's own size only.
    """

    rows_alone = False

    def prepare(self, input: torch.Tensor, target: Any) -> torch.Tensor:
        if not 3 <= input.dim() <= 4 or target.dim() != input.dim():
            raise TorchError(f"{self.class_name}: input and target must both have 3 or 4 dimensions")
        height, width = input.shape[-2:]
        down, right = target.shape[-2] - height, target.shape[-1] - width
        if down < 0 or right < 0:
            raise TorchError(
                f"{self.class_name}: the target of {size_text(target)} is smaller than the input of {size_text(input)}"
            )
        middle = target[..., down // 2 : down // 2 + height, right // 2 : right // 2 + width]
        check_shape(self, "the middle of the target", middle, input)
        return fit(self, "the target", middle, input)

    def updateGradInput(self, input: torch.Tensor, target: Any) -> Any:
        check_shape(self, "the target", target, input)
        return super().updateGradInput(input, target)
