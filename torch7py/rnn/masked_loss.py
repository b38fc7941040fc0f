"""The loss of classes over a padded sequence, all steps at once: what MaskZeroCriterion gives step by step."""

from __future__ import annotations

from typing import Any

import torch

from torch7py.nn.checks import truthy
from torch7py.nn.criterion_class import ClassNLLCriterion
from torch7py.rnn.masking import MaskZeroCriterion, is_zero
from torch7py.rnn.stages import marked
from torch7py.rnn.steps import alike

__all__ = ["MaskedClasses"]

T = torch.Tensor


class MaskedClasses:
    """A ``MaskZeroCriterion`` around a ``ClassNLLCriterion``, without weights, for each step of ``(steps, batch,
    classes)``: the mean of a step, or the sum, is over its rows that are not zeros."""

    def __init__(self, x: T, classes: T, kept: T, average: bool) -> None:
        self.x, self.classes, self.kept = x, classes, kept
        counts = kept.sum(1, keepdim=True)
        self.shares = (
            1 / counts.clamp(min=1).to(x.dtype) if average else torch.ones_like(counts, dtype=x.dtype)
        )

    @classmethod
    def of(cls, criterion: Any, inputs: Any, targets: Any) -> MaskedClasses | None:
        """None where the steps must be done one by one."""
        if type(criterion) is not MaskZeroCriterion or marked(criterion) or criterion.nInputDim != 1:
            return None
        inner: Any = criterion._modules["criterion"]
        if type(inner) is not ClassNLLCriterion or marked(inner) or inner.weights is not None:
            return None
        x, y = alike(inputs), alike(targets)
        if x is None or y is None or x.is_meta or x.dim() != 3 or y.shape != x.shape[:2]:
            return None
        kept = ~is_zero(x)
        classes = y.to(device=x.device, dtype=torch.int64).masked_fill(~kept, 1)
        # What is out of range, or to be ignored, is the criterion's own matter.
        low, high = torch.aminmax(classes)
        if not 1 <= low.item() <= high.item() <= x.shape[2] or 1 <= inner.ignoreIndex <= x.shape[2]:
            return None
        return cls(x, classes - 1, kept, truthy(inner.sizeAverage))

    def loss(self) -> float:
        """The sum of the steps' losses."""
        chosen = self.x.gather(2, self.classes.unsqueeze(2)).squeeze(2)
        return -(torch.where(self.kept, chosen, 0) * self.shares).sum().item()

    def gradient(self, factor: float) -> T:
        """The gradient of that sum times a factor."""
        values = torch.where(self.kept, -self.shares * factor, 0)
        gradient = torch.zeros_like(self.x, memory_format=torch.contiguous_format)
        return gradient.scatter_(2, self.classes.unsqueeze(2), values.unsqueeze(2))
