"""Elementary functions of each element: powers, roots, logarithms."""

from __future__ import annotations

from typing import ClassVar

import torch

from torch7py.nn.checks import number
from torch7py.nn.pointwise import Pointwise
from torch7py.nn.registry import layer

__all__ = ["Abs", "Exp", "Log", "Power", "Sqrt", "Square"]


@layer("nn.Abs", keeps_rank=True)
class Abs(Pointwise):
    """``nn.Abs()``: ``y = |x|``, any shape. At 0 the slope is 1."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return input.abs()

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return torch.where(input >= 0, gradOutput, -gradOutput)


@layer("nn.Exp", keeps_rank=True, gradient_reads_output=True)
class Exp(Pointwise):
    """``nn.Exp()``: ``y = exp(x)``, any shape. The gradient is taken from the output."""

    from_output = True

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return input.exp()

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return gradOutput * self.output


@layer("nn.Log", keeps_rank=True)
class Log(Pointwise):
    """``nn.Log()``: ``y = log(x)``, any shape."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return input.log()

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return gradOutput / input


@layer("nn.Sqrt", keeps_rank=True, gradient_reads_output=True)
class Sqrt(Pointwise):
    """``nn.Sqrt([b])``: ``y = sqrt(x)``, any shape. The gradient is taken from the output; where that is 0, it is 0.

    The original takes b (field ``eps``) and does not use it.
    """

    exact_gradient = True

    from_output = True
    fields: ClassVar[tuple[str, ...]] = ("eps",)

    def __init__(self, b: float = 0) -> None:
        super().__init__()
        self.eps = number("nn.Sqrt", "the argument", b)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return input.sqrt()

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return torch.where(self.output == 0, 0, 0.5 * (gradOutput / self.output))


@layer("nn.Square", keeps_rank=True)
class Square(Pointwise):
    """``nn.Square()``: ``y = x^2``, any shape."""

    exact_gradient = True

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return input.square()

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return 2 * gradOutput * input


@layer("nn.Power", keeps_rank=True)
class Power(Pointwise):
    """``nn.Power(p)``: ``y = x^p``, any shape."""

    fields: ClassVar[tuple[str, ...]] = ("pow",)

    def __init__(self, p: float) -> None:
        super().__init__()
        self.pow = number("nn.Power", "the exponent", p)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return input.pow(self.pow)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return input.pow(self.pow - 1) * gradOutput * self.pow
