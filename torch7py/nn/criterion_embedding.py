"""Losses of distances between embeddings: hinges, cosines, rankings."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import exact_table, size_text, tensors
from torch7py.nn.base import Criterion
from torch7py.nn.checks import any_true, as_rows, check_shape, check_type, fit, no_nan, number, truthy
from torch7py.nn.criterion import ElementwiseCriterion, TargetlessCriterion
from torch7py.nn.registry import layer
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.ops.random import fill

__all__ = [
    "CosineEmbeddingCriterion",
    "DistanceRatioCriterion",
    "HingeEmbeddingCriterion",
    "L1HingeEmbeddingCriterion",
    "MarginRankingCriterion",
]


def _pair(criterion: Criterion, input: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """A table of two tensors of one type."""
    first, second = tensors(criterion, input, 2)
    check_type(criterion, "the second input", second, first)
    return first, second


def _of_two(criterion: Criterion) -> None:
    """gradInput begins as a table of two tensors."""
    criterion.__dict__["gradInput"] = [criterion.new(), criterion.new()]


@layer("nn.HingeEmbeddingCriterion", target="sign")
class HingeEmbeddingCriterion(ElementwiseCriterion):
    """``nn.HingeEmbeddingCriterion([margin])``: a distance x where the target is 1, ``max(0, margin - x)`` where -1.

    Shapes: input and target with as many elements, or one element with a number. The margin is 1. The mean, or the
    sum with the field ``sizeAverage`` false.
    """

    fields: ClassVar[tuple[str, ...]] = ("margin", "ty", "buffer")
    summed_in = torch.float64

    def __init__(self, margin: float = 1) -> None:
        super().__init__()
        self.margin = number("nn.HingeEmbeddingCriterion", "the margin", margin)
        self.sizeAverage = True

    def prepare(self, input: torch.Tensor, target: Any) -> torch.Tensor:
        if isinstance(target, (int, float)):
            target = input.new_full((1,), target)
        return no_nan(self, super().prepare(input, target))

    def losses(self, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        hinge = (self.margin - input).clamp(min=0)
        return torch.where(target == -1, 0, input) + torch.where(target == 1, 0, hinge)

    def slopes(self, input: torch.Tensor, target: torch.Tensor, share: float) -> torch.Tensor:
        return torch.where((target == -1) & (input > self.margin), 0, target).mul(share)


@layer("nn.L1HingeEmbeddingCriterion", takes="table", target="sign")
class L1HingeEmbeddingCriterion(Criterion):
    """``nn.L1HingeEmbeddingCriterion([margin])``: of ``d = sum |x1 - x2|`` d for a target of 1, else a hinge.

    The hinge, for a target of -1, is ``max(0, margin - d)``; the margin is 1. Shapes: a table of two tensors with as
    many elements, and a number. Where two elements are equal the slope is 1 or -1 by chance.
    """

    fields: ClassVar[tuple[str, ...]] = ("margin",)

    def __init__(self, margin: float = 1) -> None:
        super().__init__()
        self.margin = number("nn.L1HingeEmbeddingCriterion", "the margin", margin)
        _of_two(self)

    def _difference(self, input: Any, target: Any) -> torch.Tensor:
        if isinstance(target, bool) or not isinstance(target, (int, float)):
            raise TorchError(f"{self.class_name}: the target must be a number")
        if math.isnan(target):
            raise TorchError(f"{self.class_name}: the target is NaN")
        first, second = _pair(self, input)
        return first - fit(self, "the second input", second, first)

    def forward(self, input: Any, target: Any) -> torch.Tensor:
        distance = self._difference(input, target).abs().sum()
        return (self.margin - distance).clamp(min=0) if target == -1 else distance

    def updateGradInput(self, input: Any, target: Any) -> Any:
        difference = self._difference(input, target)
        slope = difference.sign()
        equal = difference == 0
        if any_true(equal):
            chosen = slope.new_empty(int(equal.sum()), device="cpu")
            fill.random(state.current().generator, chosen, 2)
            slope[equal] = (2 * chosen - 3).to(slope.device)
        if target == -1:
            slope = torch.where(difference.abs().sum() > self.margin, 0, -slope)
        return self.keep_list("gradInput", [slope, -slope.reshape(input[1].shape)])


@layer("nn.CosineEmbeddingCriterion", takes="table", target="sign")
class CosineEmbeddingCriterion(Criterion):
    """``nn.CosineEmbeddingCriterion([margin])``: ``1 - cos(x1, x2)`` for a target of 1, else a hinge.

    The hinge, for a target of -1, is ``max(0, cos(x1, x2) - margin)``; the margin is 0. Shapes: a table of two
    ``(n)`` with a number, or of two ``(batch, n)`` with ``(batch)``. The mean over the batch, or the sum with the field
    ``sizeAverage`` false.
    """

    scratch = ("buffer", "w", "w1", "w22", "w32", "_outputs", "_idx", "_y")
    fields: ClassVar[tuple[str, ...]] = ("margin", "sizeAverage", *scratch)

    def __init__(self, margin: float = 0) -> None:
        super().__init__()
        self.margin = number("nn.CosineEmbeddingCriterion", "the margin", margin)
        self.sizeAverage = True
        _of_two(self)

    def _rows(self, input: Any, target: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        first, second = _pair(self, input)
        check_shape(self, "the second input", second, first)
        if not 1 <= first.dim() <= 2:
            raise TorchError(f"{self.class_name}: the inputs must be vectors or matrices")
        first, second = as_rows(first), as_rows(second)
        if not isinstance(target, torch.Tensor):
            target = first.new_full((1,), target)
        return first, second, no_nan(self, fit(self, "the target", target, first[:, 0]))

    def _losses(self, first: torch.Tensor, second: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The loss of each row."""
        squares = (first.square().sum(1) + 1e-12) * (second.square().sum(1) + 1e-12)
        cosine = (first * second).sum(1) / squares.sqrt()
        hinge = (cosine - self.margin).clamp(min=0)
        return torch.where(target == 1, 1 - cosine, torch.where(target == -1, hinge, cosine))

    def forward(self, input: Any, target: Any) -> torch.Tensor:
        losses = self._losses(*self._rows(input, target))
        return losses.mean() if truthy(self.sizeAverage) else losses.sum()

    def updateGradInput(self, input: Any, target: Any) -> Any:
        first, second, target = self._rows(input, target)
        product = (first * second).sum(1, keepdim=True)
        one = 1 / (first.square().sum(1, keepdim=True) + 1e-12)
        other = 1 / (second.square().sum(1, keepdim=True) + 1e-12)
        # A row without a loss has no gradient; a target of 1 turns the cosine's around.
        factor = torch.where(self._losses(first, second, target) <= 0, 0, torch.where(target == 1, -1.0, 1.0))
        factor = factor.to(first.dtype).unsqueeze(1) * (one * other).sqrt()
        if truthy(self.sizeAverage):
            factor = factor / target.numel()
        gradients = [(second - product * one * first) * factor, (first - product * other * second) * factor]
        return self.keep_list("gradInput", [g.view(x.shape) for g, x in zip(gradients, input, strict=True)])


@layer("nn.MarginRankingCriterion", takes="table", target="sign")
class MarginRankingCriterion(Criterion):
    """``nn.MarginRankingCriterion([margin])``: ``max(0, margin - y (x1 - x2))`` for targets y of 1 and -1.

    Shapes: a table of two tensors with as many elements, and a target likewise; or a number as target, for which
    the first element of each counts. The margin is 1. The sum over a batch is divided by the target's first size,
    unless the field ``sizeAverage`` is false. At the edge of the hinge the slope is that within.
    """

    fields: ClassVar[tuple[str, ...]] = ("margin", "sizeAverage", "dist", "mask", "_output")

    def __init__(self, margin: float = 1) -> None:
        super().__init__()
        self.margin = number("nn.MarginRankingCriterion", "the margin", margin)
        self.__dict__["gradInput"] = [self.new(1), self.new(1)]
        self.sizeAverage = True

    def _room(self, input: Any, target: Any) -> tuple[torch.Tensor, Any, int]:
        """``margin - y (x1 - x2)``, y, and what the loss is divided by."""
        first, second = _pair(self, input)
        if not isinstance(target, torch.Tensor):
            if first.dim() != 1 or second.dim() != 1 or 0 in (first.numel(), second.numel()):
                raise TorchError(f"{self.class_name}: with a number as target the inputs must be vectors")
            return self.margin - target * (first[:1] - second[:1]), target, 1
        difference = first - fit(self, "the second input", second, first)
        y = fit(self, "the target", target, first)
        return self.margin - y * difference, y, target.shape[0] if truthy(self.sizeAverage) else 1

    def forward(self, input: Any, target: Any) -> torch.Tensor:
        room, _, count = self._room(input, target)
        return room.clamp(min=0).sum() / count

    def updateGradInput(self, input: Any, target: Any) -> Any:
        room, y, count = self._room(input, target)
        slope = torch.where(room >= 0, y, 0 * room) / count
        return self.keep_list("gradInput", [-slope, slope])


@layer("nn.DistanceRatioCriterion", takes="table", target="none")
class DistanceRatioCriterion(TargetlessCriterion):
    """``nn.DistanceRatioCriterion([sizeAverage])``: ``-log(exp(-x) / (exp(-x) + exp(-y)))`` of distances x and y.

    Shapes: a table of two tensors with as many elements and the same first size, by which the sum is divided unless
    ``sizeAverage`` is false; there is no target. x are distances between like examples, y between unlike ones.
    (arXiv:1610.00243.)
    """

    fields: ClassVar[tuple[str, ...]] = (
        "sizeAverage",
        "_expMinusX",
        "_expMinusY",
        "_sumExpMinusXY",
        "_logSumExpMinusXY",
        "loss",
        "dX",
        "dY",
    )

    def __init__(self, sizeAverage: bool = True) -> None:
        super().__init__()
        self.sizeAverage = sizeAverage

    def forward(self, input: Any, target: Any = None) -> torch.Tensor:
        near, far = _pair(self, exact_table(self, input, 2))
        if near.numel() != far.numel() or near.shape[0] != far.shape[0]:
            raise TorchError(
                f"{self.class_name}: distances of {size_text(near)} and {size_text(far)} do not fit each other"
            )
        total = torch.nn.functional.softplus(near - far.reshape(near.shape)).sum()
        return total / near.shape[0] if truthy(self.sizeAverage) else total
