"""unsup: the layer that its encoders take."""

from __future__ import annotations

import torch

from torch7py.nn.arguments import gradient_of, size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import check_type
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError

__all__ = ["Diag"]


@layer("nn.Diag", package="unsup", parameters="weight:1~constant(1)", keeps_rank=True)
class Diag(Module):
    """``nn.Diag(nFeature)``: each plane times a learned weight, at first 1.

    Shapes: ``(nFeature)`` or ``(nFeature, ...)``; no batch. The bias is nil.
    """

    def __init__(self, nFeature: int) -> None:
        super().__init__()
        self.add_parameter("weight", self.new(int(nFeature)))
        self.register_parameter("bias", None)
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        """``m:reset()``: all weights become 1."""
        self.weight.data.fill_(1)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if input.dim() < 1 or input.shape[0] != self.weight.numel():
            raise TorchError(
                f"{self.class_name}: the input of {size_text(input)} has not {self.weight.numel()} planes"
            )
        check_type(self, "the input", input, self.weight)
        return input * self._column(input)

    def _column(self, input: torch.Tensor) -> torch.Tensor:
        weight: torch.Tensor = self.weight
        return weight.view(-1, *(1 for _ in input.shape[1:]))

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        gradient: torch.Tensor = gradient_of(self, gradOutput, input.shape) * self._column(input).detach()
        return gradient
