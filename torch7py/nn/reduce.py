"""A dimension down to one number: Sum, Mean, Max, Min."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import axis, gradient_of, size_text
from torch7py.nn.base import Module
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError

__all__ = ["Max", "Mean", "Min", "Sum"]


@layer("nn.Sum")
class Sum(Module):
    """``nn.Sum([dim, nInputDims, sizeAverage, squeeze])``: the sum along a dimension, 1 by default.

    Shapes: the input's without that dimension, or with size 1 there where ``squeeze`` is false; a vector gives one
    element. A dimension below 0 counts from the end; an input with ``nInputDims + 1`` dimensions is a batch, which
    dim does not count. With ``sizeAverage`` the sum is divided by the dimension's size.
    """

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("dimension", "nInputDims", "sizeAverage", "squeeze")
    nInputDims: int | None = None
    sizeAverage = False
    squeeze = True

    def __init__(
        self,
        dimension: int = 1,
        nInputDims: int | None = None,
        sizeAverage: bool = False,
        squeeze: bool = True,
    ) -> None:
        super().__init__()
        self.dimension = dimension
        self.nInputDims = nInputDims
        self.sizeAverage = sizeAverage
        self.squeeze = squeeze

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        dim = axis(self, self.dimension, input, self.nInputDims)
        total = input.sum(dim, keepdim=input.dim() == 1 or not self.squeeze, dtype=input.dtype)
        return total.div_(input.shape[dim]) if self.sizeAverage else total

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        dim = axis(self, self.dimension, input, self.nInputDims)
        sizes = list(input.shape)
        sizes[dim] = 1
        gradient = gradient_of(self, gradOutput, sizes).expand(input.shape).contiguous()
        return gradient.div_(input.shape[dim]) if self.sizeAverage else gradient


@layer("nn.Mean")
class Mean(Sum):
    """``nn.Mean([dim, nInputDims])``: the mean along a dimension, otherwise as ``nn.Sum``."""

    sizeAverage = True

    def __init__(self, dimension: int = 1, nInputDims: int | None = None) -> None:
        super().__init__(dimension, nInputDims, True)


class Extreme(Module):
    """The base of Max and Min. The gradient goes to the element that was chosen, the first of equal ones."""

    fields: ClassVar[tuple[str, ...]] = ("dimension", "nInputDims")
    nInputDims: int | None = None

    def __init__(self, dimension: int = 1, nInputDims: int | None = None) -> None:
        super().__init__()
        self.dimension = dimension
        self.nInputDims = nInputDims

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        dim = axis(self, self.dimension, input, self.nInputDims)
        return self.choose(input, dim, input.dim() == 1)

    def choose(self, input: torch.Tensor, dim: int, keepdim: bool) -> torch.Tensor:
        """The extreme elements along a dimension."""
        raise NotImplementedError

    def updateGradInput(self, input: torch.Tensor, gradOutput: torch.Tensor) -> Any:
        """``m:updateGradInput(input, gradOutput)``: the gradient must have as many dimensions as the output."""
        wanted = max(input.dim() - 1, 1)
        if gradOutput.dim() != wanted:
            raise TorchError(
                f"{self.class_name}: gradOutput of {size_text(gradOutput)}, not of {wanted} dimensions"
            )
        return super().updateGradInput(input, gradOutput)


@layer("nn.Max")
class Max(Extreme):
    """``nn.Max([dim, nInputDims])``: the largest element along a dimension, 1 by default.

    Shapes: the input's without that dimension; a vector gives one element. A dimension below 0 counts from the
    end; an input with ``nInputDims + 1`` dimensions is a batch, which dim does not count.
    """

    exact_gradient = True

    def choose(self, input: torch.Tensor, dim: int, keepdim: bool) -> torch.Tensor:
        return input.max(dim, keepdim=keepdim).values


@layer("nn.Min")
class Min(Extreme):
    """``nn.Min([dim, nInputDims])``: the smallest element along a dimension, otherwise as ``nn.Max``."""

    exact_gradient = True

    def choose(self, input: torch.Tensor, dim: int, keepdim: bool) -> torch.Tensor:
        return input.min(dim, keepdim=keepdim).values
