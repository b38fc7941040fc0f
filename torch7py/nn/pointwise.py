"""The base of layers that are a function of each element."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch

from torch7py.nn.base import Module
from torch7py.nn.checks import fit
from torch7py.ops.errors import TorchError

__all__ = ["Pointwise", "without_nan"]


def without_nan(values: torch.Tensor, number: float) -> torch.Tensor:
    """A new tensor of results with a number where they are NaN."""
    return values.nan_to_num_(number, math.inf, -math.inf)


class Pointwise(Module):
    """A function of each element, with its slope as a kernel.

    A subclass gives ``forward`` and ``grad_input``, which finds gradOutput in the shape of the input. Where it
    has a field ``inplace`` and that is true, the output takes the input's memory, and gradInput gradOutput's. Where
    Torch7 makes a number of a NaN, ``protocol_output`` does; ``forward`` is PyTorch's function, which keeps it.
    Results have no gaps in memory, whatever the strides of the input.
    """

    traced = False
    rows_alone: tuple[int, int] | None = (1, 99)
    inplace: bool = False
    # The gradient is taken from the output of the last forward, as it is in memory.
    from_output: ClassVar[bool] = False

    def updateOutput(self, input: Any) -> Any:
        if self.inplace:
            return self.keep_output(self.overwrite(input.data))
        return self.keep_output(self.protocol_output(input), input)

    def protocol_output(self, input: torch.Tensor) -> torch.Tensor:
        return self.forward(input)

    def overwrite(self, input: torch.Tensor) -> torch.Tensor:
        """The output in the input's place."""
        return input.copy_(self.forward(input))

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        if self.gradInput is None:
            return None
        if self.from_output and not self.output.numel() and input.numel():
            raise TorchError(f"{self.class_name}: a backward without a forward")
        fitting = fit(self, "gradOutput", gradOutput, self.output if self.from_output else input)
        gradient = self.grad_input(input, fitting)
        if self.inplace:
            gradient = fitting if gradient is fitting else fitting.copy_(gradient)
        return self.keep_grad_input(self.laid_out(gradOutput, gradient), gradOutput)
