"""Criterions: losses of an input against a target."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from torch7py.nn.base import Criterion
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError

__all__ = ["ClassNLLCriterion", "MSECriterion"]


@layer("nn.MSECriterion")
class MSECriterion(Criterion):
    """``nn.MSECriterion([sizeAverage])``: the squared differences' mean, or their sum with ``sizeAverage`` false.

    Shapes: input and target with as many elements; any shape.
    """

    fields = ("sizeAverage",)

    def __init__(self, sizeAverage: bool = True) -> None:
        super().__init__()
        self.sizeAverage = sizeAverage

    def forward(self, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        if input.numel() != target.numel():
            raise TorchError(f"nn.MSECriterion: {input.numel()} elements against {target.numel()}")
        return F.mse_loss(input, target.reshape(input.shape), reduction="mean" if self.sizeAverage else "sum")


@layer("nn.ClassNLLCriterion")
class ClassNLLCriterion(Criterion):
    """``nn.ClassNLLCriterion([weights, sizeAverage, ignoreIndex])``: minus the log-probability of the target.

    Shapes: ``(classes)`` with a number or a tensor of one element, or ``(batch, classes)`` with ``(batch)``;
    targets count from 1. The mean is over the weights of the targets; a target of ``ignoreIndex`` counts nothing.
    ``forward`` in Lua returns the loss and the total weight.
    """

    fields = ("sizeAverage", "ignoreIndex", "weights", "output_tensor", "total_weight_tensor", "target")
    lua_methods = names(__len__="weight_sizes")

    def __init__(
        self, weights: torch.Tensor | None = None, sizeAverage: bool = True, ignoreIndex: int = -100
    ) -> None:
        super().__init__()
        if weights is not None and weights.dim() != 1:
            raise TorchError("nn.ClassNLLCriterion: weights must be a vector")
        self.sizeAverage = sizeAverage
        self.ignoreIndex = ignoreIndex
        self.__dict__["weights"] = weights
        self.keep("output_tensor", self.new(1))
        self.keep("total_weight_tensor", self.new(1) + 1)
        self.keep("target", torch.zeros(1, dtype=torch.int64, device=self.output_tensor.device))

    def _classes(self, input: torch.Tensor, target: Any) -> torch.Tensor:
        """0-based targets, checked; -1 where the target is to be ignored."""
        if not 1 <= input.dim() <= 2 or input.numel() == 0:
            raise TorchError("nn.ClassNLLCriterion: the input must be a vector or a matrix")
        if not isinstance(target, torch.Tensor):
            target = torch.tensor([int(target)], device=input.device)
        if target.dim() > 1:
            raise TorchError("nn.ClassNLLCriterion: several targets per example are not supported")
        classes = target.to(device=input.device, dtype=torch.int64) - 1
        if input.dim() == 1:
            classes = classes[:1]
        elif classes.numel() != input.shape[0]:
            raise TorchError(
                f"nn.ClassNLLCriterion: {classes.numel()} targets for a batch of {input.shape[0]}"
            )
        ignored = classes == self.ignoreIndex - 1
        wrong = ~ignored & ((classes < 0) | (classes >= input.shape[-1]))
        if bool(wrong.any()):
            value = int(classes[wrong][0]) + 1
            raise TorchError(f"nn.ClassNLLCriterion: target {value} out of range 1 to {input.shape[-1]}")
        return classes.masked_fill(ignored, -1)

    def _weights(self, classes: torch.Tensor, input: torch.Tensor) -> torch.Tensor:
        """The weight of each example."""
        kept = classes >= 0
        if self.weights is None:
            return kept.to(input.dtype)
        if self.weights.numel() != input.shape[-1]:
            raise TorchError(
                f"nn.ClassNLLCriterion: {self.weights.numel()} weights for {input.shape[-1]} classes"
            )
        return self.weights[classes.clamp(min=0)] * kept

    def forward(self, input: torch.Tensor, target: Any) -> torch.Tensor:
        return self._loss(input, target)[0]

    def _loss(self, input: torch.Tensor, target: Any) -> tuple[torch.Tensor, torch.Tensor]:
        classes = self._classes(input, target)
        weights = self._weights(classes, input)
        rows = input.unsqueeze(0) if input.dim() == 1 else input
        chosen = rows.gather(1, classes.clamp(min=0).unsqueeze(1)).squeeze(1)
        total = weights.sum()
        loss = -(torch.where(weights != 0, chosen, torch.zeros_like(chosen)) * weights).sum()
        if self.sizeAverage and float(total) != 0:
            loss = loss / total
        return loss, total

    def updateOutput(self, input: torch.Tensor, target: Any) -> Any:
        loss, total = self._loss(input.data, target)
        self.__dict__["output"] = loss.item()
        self.keep("output_tensor", loss.view(1))
        self.keep("total_weight_tensor", total.view(1))
        return self.output, total.item()

    def torch7_forward(self, input: torch.Tensor, target: Any) -> Any:
        return self.updateOutput(input, target)

    def updateGradInput(self, input: torch.Tensor, target: Any) -> torch.Tensor:
        """One element per example is not zero: a graph would be a waste."""
        classes = self._classes(input, target)
        weights = self._weights(classes, input)
        # Torch7 divides by the total weight of the last forward, whatever the target is now.
        total = self.total_weight_tensor.to(weights.dtype) if input.dim() > 1 else weights.sum()
        gradient = torch.zeros_like(input.data)
        if float(total) > 0:
            values = -weights / total if self.sizeAverage else -weights
            rows = gradient.unsqueeze(0) if input.dim() == 1 else gradient
            rows.scatter_(1, classes.clamp(min=0).unsqueeze(1), values.unsqueeze(1))
        return self.keep("gradInput", gradient)

    def weight_sizes(self) -> int:
        return 0 if self.weights is None else len(self.weights)
