"""Constant: an output that does not depend on the input."""

from __future__ import annotations

from typing import ClassVar

import torch

from torch7py.nn.arguments import dims_of
from torch7py.nn.base import Module
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError

__all__ = ["Constant"]


@layer("nn.Constant", takes="nothing")
class Constant(Module):
    """``nn.Constant(value[, nInputDim])``: the same tensor for every input.

    A number stands for a tensor of one element. Shapes: any -> the value's; an input of more than nInputDim
    dimensions is a batch -> ``(batch, ...)``. The gradient is zeros.
    """

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("value", "nInputDim")
    nInputDim: int | None = None

    def __init__(self, value: torch.Tensor | float, nInputDim: int | None = None) -> None:
        super().__init__()
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            value = self.new(1).fill_(value)
        if not isinstance(value, torch.Tensor):
            raise TorchError("nn.Constant expects a number or a tensor")
        self.__dict__["value"] = value
        self.nInputDim = nInputDim

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        value: torch.Tensor = self.value.to(self.number_type.dtype, copy=True)
        if self.nInputDim is None or dims_of(input) <= self.nInputDim:
            return value
        return value.expand(input.shape[0], *value.shape).contiguous()

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(input)
