"""Losses of yes-or-no answers and of probabilities, element by element."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn.activation import Sigmoid
from torch7py.nn.arguments import size_text
from torch7py.nn.checks import any_true, check_shape, check_type, no_nan, number, truthy, weights_of
from torch7py.nn.criterion import ElementwiseCriterion
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError
from torch7py.ops.quirks import older

__all__ = [
    "BCECriterion",
    "DistKLDivCriterion",
    "MarginCriterion",
    "MultiLabelSoftMarginCriterion",
    "SoftMarginCriterion",
]

EPSILON = 1e-12  # what Torch7 adds to a probability before its logarithm


class _WeightedCriterion(ElementwiseCriterion):
    """Losses with a weight for each column, or weights of the target's size."""

    fields: ClassVar[tuple[str, ...]] = ("weights",)

    def __init__(self, weights: torch.Tensor | None = None, sizeAverage: bool = True) -> None:
        super().__init__()
        self.__dict__["weights"] = weights_of(self.torch7_name, weights)
        self.sizeAverage = sizeAverage

    def factors(self, input: torch.Tensor, target: Any) -> torch.Tensor | None:
        weights: torch.Tensor | None = self.weights
        if weights is None:
            return None
        elementwise = weights.dim() > 1 and weights.shape == target.shape
        if not elementwise and (not 1 <= target.dim() <= 2 or weights.numel() != target.shape[-1]):
            raise TorchError(
                f"{self.class_name}: {weights.numel()} weights do not fit a target of {size_text(target)}"
            )
        check_type(self, "weights", weights, input)
        return weights.expand(target.shape).reshape(input.shape)


@layer("nn.BCECriterion", target="truths")
class BCECriterion(_WeightedCriterion):
    """``nn.BCECriterion([weights, sizeAverage])``: ``-(t log(x) + (1 - t) log(1 - x))``, the mean or the sum.

    Shapes: input and target with as many elements, any shape; an input must be from 0 to 1. Weights, one for each
    column of a matrix or element of a vector, multiply the losses.
    """

    lua_methods = names(__len__="weight_sizes")

    def losses(self, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        if any_true(~((input >= 0) & (input <= 1))):
            raise TorchError(f"{self.class_name}: the input must be from 0 to 1")
        return -((input + EPSILON).log() * target + (1 - input + EPSILON).log() * (1 - target))

    def slopes(self, input: torch.Tensor, target: torch.Tensor, share: float) -> torch.Tensor:
        difference = (input - target).mul_(share)
        if older("BCECriterion gradient"):
            return difference / (input * (1 + EPSILON - input) + EPSILON)
        x = input.double()
        return (difference / ((1 - x + EPSILON) * (x + EPSILON))).to(input.dtype)

    def weight_sizes(self) -> int:
        return 0 if self.weights is None else len(self.weights)


@layer("nn.MultiLabelSoftMarginCriterion", target="truths")
class MultiLabelSoftMarginCriterion(_WeightedCriterion):
    """``nn.MultiLabelSoftMarginCriterion([weights, sizeAverage])``: ``nn.BCECriterion`` of the input's sigmoid.

    Shapes and weights as there; the input may be any number.
    """

    fields: ClassVar[tuple[str, ...]] = ("_buffer1", "_buffer2")
    summed_in = torch.float64
    links: ClassVar[tuple[str, ...]] = ("sigmoid",)

    def __init__(self, weights: torch.Tensor | None = None, sizeAverage: bool = True) -> None:
        super().__init__(weights, sizeAverage)
        self._modules["sigmoid"] = Sigmoid()

    def losses(self, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return F.binary_cross_entropy_with_logits(input, target, reduction="none")

    def updateGradInput(self, input: torch.Tensor, target: Any) -> Any:
        slopes = torch.sigmoid(input.data) - self.prepare(input.data, target)
        gradient = self._weighted(slopes, input, target)
        if truthy(self.sizeAverage):
            gradient = gradient / input.numel()
        return self.keep("gradInput", gradient.contiguous(), is_result=True)


@layer("nn.DistKLDivCriterion", target="shares")
class DistKLDivCriterion(ElementwiseCriterion):
    """``nn.DistKLDivCriterion()``: ``t (log(t) - x)`` where the target t is above 0; x holds log-probabilities.

    The mean over all elements, or the sum with the field ``sizeAverage`` false. Shapes: input and target of the same
    shape.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sizeAverage = True

    def prepare(self, input: torch.Tensor, target: Any) -> torch.Tensor:
        check_shape(self, "the target", target, input)
        return super().prepare(input, no_nan(self, target))

    def losses(self, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return torch.where(target > 0, target * (target.log() - input), 0)

    def slopes(self, input: torch.Tensor, target: torch.Tensor, share: float) -> torch.Tensor:
        return torch.where(target > 0, -target, 0).mul_(share)


@layer("nn.MarginCriterion", target="sign")
class MarginCriterion(ElementwiseCriterion):
    """``nn.MarginCriterion([margin])``: ``max(0, margin - t x)`` for targets of 1 and -1; the margin is 1.

    The mean, or the sum with the field ``sizeAverage`` false. Shapes as for ``nn.MSECriterion``.
    """

    fields: ClassVar[tuple[str, ...]] = ("margin",)

    def __init__(self, margin: float = 1) -> None:
        super().__init__()
        self.sizeAverage = True
        self.margin = number("nn.MarginCriterion", "the margin", margin)

    def losses(self, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return (self.margin - input * target).clamp(min=0)

    def slopes(self, input: torch.Tensor, target: torch.Tensor, share: float) -> torch.Tensor:
        return torch.where(input * target < self.margin, -target, 0).mul_(share)


@layer("nn.SoftMarginCriterion", target="sign")
class SoftMarginCriterion(ElementwiseCriterion):
    """``nn.SoftMarginCriterion()``: ``log(1 + exp(-t x))`` for targets of 1 and -1.

    The mean, or the sum with the field ``sizeAverage`` false. Shapes as for ``nn.MSECriterion``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sizeAverage = True

    def losses(self, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return -F.logsigmoid(input * target)

    def slopes(self, input: torch.Tensor, target: torch.Tensor, share: float) -> torch.Tensor:
        return -share * target * torch.sigmoid(-target * input)
