"""Sequences from their end: ReverseTable, SeqReverseSequence."""

from __future__ import annotations

from typing import Any

import torch

from torch7py.nn.arguments import size_text
from torch7py.nn.base import Module
from torch7py.nn.registry import layer
from torch7py.nn.table import Passing
from torch7py.ops.errors import TorchError

__all__ = ["ReverseTable", "SeqReverseSequence"]


@layer("nn.ReverseTable", package="dpnn", takes="table", gives="table", shares_memory=True)
class ReverseTable(Passing):
    """``nn.ReverseTable()``: the entries of a table from the last to the first, as they are.

    Shapes: a table of anything -> a table of the same.
    """

    def forward(self, input: Any) -> list[Any]:
        if not isinstance(input, list):
            raise TorchError(f"{self.class_name} expects a table")
        return input[::-1]

    def grad_input(self, input: Any, gradOutput: Any) -> list[Any]:
        return self.forward(gradOutput)


@layer("nn.SeqReverseSequence", package="rnn", keeps_rank=True, takes="sequence")
class SeqReverseSequence(Module):
    """``nn.SeqReverseSequence(dim)``: the slices along dimension dim (1, 2 or 3) from the last to the first.

    Any shape, of dim dimensions or more.
    """

    traced = False
    fields = ("dim", "outputIndices", "gradIndices")

    def __init__(self, dim: int) -> None:
        super().__init__()
        if dim not in (1, 2, 3):
            raise TorchError(f"nn.SeqReverseSequence: dimension {dim} is none of 1, 2, 3")
        self.dim = int(dim)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if not isinstance(input, torch.Tensor) or input.dim() < self.dim:
            raise TorchError(f"{self.class_name}: the input has no dimension {self.dim}")
        return input.flip(self.dim - 1)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        if gradOutput.numel() != input.numel():
            raise TorchError(
                f"{self.class_name}: gradOutput is {size_text(gradOutput)}, the input {size_text(input)}"
            )
        return self.forward(gradOutput)

    def clearState(self) -> Module:
        self.clear("output", "gradInput")
        return self
