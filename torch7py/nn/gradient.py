"""Layers that pass the input on and change the gradient."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import tensor
from torch7py.nn.base import Module
from torch7py.nn.checks import fit
from torch7py.nn.object import names
from torch7py.nn.registry import layer

__all__ = ["ChangedGradient", "GradientReversal", "L1Penalty", "ZeroGrad"]


class ChangedGradient(torch.autograd.Function):
    """The input as it is; a gradient ``g`` becomes ``factor * g``, plus ``added`` if it is given."""

    generate_vmap_rule = True

    @staticmethod
    def forward(input: torch.Tensor, factor: float, added: torch.Tensor | None) -> torch.Tensor:
        return input.view_as(input)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
        _, ctx.factor, added = inputs
        ctx.save_for_backward(added)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        (added,) = ctx.saved_tensors
        passed = gradients[0] * ctx.factor if ctx.factor else torch.zeros_like(gradients[0])
        return passed if added is None else passed + added, None, None


@layer("nn.GradientReversal", keeps_rank=True, takes="any", gives="same", shares_memory=True)
class GradientReversal(Module):
    """``nn.GradientReversal([lambda])``: the output is the input; the gradient is multiplied by -lambda (1).

    Any shape.
    """

    resizes_as_grad_output = True
    version = 2
    traced = False
    rows_alone = (1, 99)
    fields: ClassVar[tuple[str, ...]] = ("lambda",)
    lua_methods = names("setLambda")

    def __init__(self, lambda_: float = 1) -> None:
        super().__init__()
        self.__dict__["lambda"] = lambda_

    def setLambda(self, lambda_: float) -> None:
        """``m:setLambda(lambda)``"""
        self.__dict__["lambda"] = lambda_

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return ChangedGradient.apply(input, -self.__dict__["lambda"], None)

    def updateOutput(self, input: torch.Tensor) -> Any:
        return self.keep_output(tensor(self, input))

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return fit(self, "gradOutput", gradOutput, input) * -self.__dict__["lambda"]


@layer("nn.ZeroGrad", keeps_rank=True, takes="any", gives="same", shares_memory=True)
class ZeroGrad(Module):
    """``nn.ZeroGrad()``: the output is the input; the gradient is 0, in the shape of gradOutput."""

    traced = False

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return ChangedGradient.apply(input, 0.0, None)

    def updateOutput(self, input: torch.Tensor) -> Any:
        return self.keep_output(tensor(self, input))

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(gradOutput, memory_format=torch.contiguous_format)


@layer("nn.L1Penalty", keeps_rank=True, shares_memory=True)
class L1Penalty(Module):
    """``nn.L1Penalty(l1weight[, sizeAverage, provideOutput])``: the output is the input, any shape.

    The gradient gains that of ``l1weight * sum |x|``, or of l1weight times the mean with ``sizeAverage``; with
    ``provideOutput`` false it is that alone. The penalty's value is in the field ``loss`` after a forward.
    """

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("l1weight", "sizeAverage", "provideOutput", "loss")

    def __init__(self, l1weight: float, sizeAverage: bool = False, provideOutput: bool = True) -> None:
        super().__init__()
        self.l1weight = l1weight
        self.sizeAverage = sizeAverage
        self.provideOutput = provideOutput

    def _factor(self, input: torch.Tensor) -> float:
        if self.sizeAverage is True:
            return self.l1weight / input.numel() if input.numel() else math.inf
        return self.l1weight

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        passes = 1.0 if self.provideOutput is True else 0.0
        penalty = input.detach().sign() * self._factor(input)
        return ChangedGradient.apply(input, passes, penalty)

    def updateOutput(self, input: torch.Tensor) -> Any:
        penalty = tensor(self, input).abs().sum()
        self.__dict__["loss"] = None if input.is_meta else self._factor(input) * penalty.item()
        self.__dict__["output"] = input
        return input

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        penalty = input.sign() * self._factor(input)
        return penalty + fit(self, "gradOutput", gradOutput, input) if self.provideOutput is True else penalty
