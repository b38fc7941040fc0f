"""Activations without a kink at 0, or with one elsewhere; those around ReLU are in rectifier.py."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn.arguments import size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import check_flag, fit, number
from torch7py.nn.dense import dense
from torch7py.nn.pointwise import Pointwise, without_nan
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError
from torch7py.ops.hyperbolic import tanh

__all__ = [
    "Clamp",
    "GatedLinearUnit",
    "HardShrink",
    "HardTanh",
    "Identity",
    "LogSigmoid",
    "Sigmoid",
    "SoftPlus",
    "SoftShrink",
    "SoftSign",
    "Tanh",
    "TanhShrink",
]


@layer("nn.Identity", keeps_rank=True, takes="any", gives="same", shares_memory=True)
class Identity(Module):
    """``nn.Identity()``: the output is the input itself, a tensor or a table.

    Any shape.
    """

    def forward(self, input: object) -> object:
        return input

    def updateOutput(self, input: object) -> object:
        self.__dict__["output"] = input
        return input

    def updateGradInput(self, input: object, gradOutput: object) -> object:
        self.__dict__["gradInput"] = gradOutput
        return gradOutput

    def clearState(self) -> Module:
        self.let_go_of_results()
        return self


@layer("nn.Tanh", keeps_rank=True, gradient_reads_output=True)
class Tanh(Pointwise):
    """``nn.Tanh()``: ``y = tanh(x)``, any shape. The gradient is taken from the output."""

    exact_gradient = True

    from_output = True

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return torch.tanh(input)

    def updateOutput(self, input: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = self.keep_output(tanh(input).contiguous(), input)
        return output

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return torch.ops.aten.tanh_backward(gradOutput, self.output)


@layer("nn.Sigmoid", keeps_rank=True, gradient_reads_output=True)
class Sigmoid(Pointwise):
    """``nn.Sigmoid()``: ``y = 1 / (1 + exp(-x))``, any shape. The gradient is taken from the output."""

    from_output = True

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return torch.ops.aten.sigmoid_backward(gradOutput, self.output)


def _sum_of_exponentials(input: torch.Tensor) -> torch.Tensor:
    return input.abs().neg_().exp_().add_(1)


@layer("nn.LogSigmoid", keeps_rank=True)
class LogSigmoid(Pointwise):
    """``nn.LogSigmoid()``: ``y = log(1 / (1 + exp(-x)))``, any shape.

    The gradient is taken from ``1 + exp(-|x|)`` of the last forward, the field ``buffer``, and the sign of x.
    """

    resizes_as_grad_output = True
    fields: ClassVar[tuple[str, ...]] = ("buffer",)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return F.logsigmoid(input)

    def protocol_output(self, input: torch.Tensor) -> torch.Tensor:
        self.keep("buffer", dense(_sum_of_exponentials(input.data)))
        return self.forward(input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        total = self.get_field("buffer")
        if total is None or total.shape != input.shape:  # there was no forward of such an input
            total = _sum_of_exponentials(input.data)
        above = (total - 1) / total
        return gradOutput * torch.where(input < 0, 1 - above, above)

    def clearState(self) -> Module:
        self.clear("buffer")
        return super().clearState()


@layer("nn.SoftPlus", keeps_rank=True, gradient_reads_output=True)
class SoftPlus(Pointwise):
    """``nn.SoftPlus([beta])``: ``y = log(1 + exp(beta x)) / beta``, any shape; beta is 1 by default.

    Where ``beta x`` is above 20 (field ``threshold``), ``y = x``. The gradient is taken from the output.
    """

    from_output = True
    fields: ClassVar[tuple[str, ...]] = ("beta", "threshold")
    threshold: float = 20

    def __init__(self, beta: float = 1) -> None:
        super().__init__()
        self.beta = number("nn.SoftPlus", "beta", beta)
        self.threshold = 20

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return F.softplus(input, self.beta, self.threshold)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        scaled = self.output * self.beta
        z = torch.exp(scaled)
        return torch.where(scaled > self.threshold, gradOutput, gradOutput * (z - 1) / z)


@layer("nn.SoftSign", keeps_rank=True)
class SoftSign(Pointwise):
    """``nn.SoftSign()``: ``y = x / (1 + |x|)``, any shape."""

    fields: ClassVar[tuple[str, ...]] = ("temp", "tempgrad")

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return F.softsign(input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return gradOutput / (input.abs() + 1).square()

    def clearState(self) -> Module:
        self.clear("temp", "tempgrad")
        return super().clearState()


@layer("nn.HardTanh", keeps_rank=True)
class HardTanh(Pointwise):
    """``nn.HardTanh([min, max, inplace])``: ``y = x`` kept between min and max (-1 and 1), any shape.

    At a limit the gradient is 0. A NaN becomes the upper limit, but not in place.
    """

    fields: ClassVar[tuple[str, ...]] = ("min_val", "max_val", "inplace")
    min_val: float = -1  # where a file of an old version does not say
    max_val: float = 1

    def __init__(self, min_value: float = -1, max_value: float = 1, inplace: bool = False) -> None:
        super().__init__()
        self.min_val = number("nn.HardTanh", "min", min_value)
        self.max_val = number("nn.HardTanh", "max", max_value)
        self.inplace = check_flag("nn.HardTanh", "inplace", inplace)
        if self.max_val <= self.min_val:
            raise TorchError("nn.HardTanh: max must be larger than min")

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return F.hardtanh(input, self.min_val, self.max_val)

    def protocol_output(self, input: torch.Tensor) -> torch.Tensor:
        return without_nan(self.forward(input), self.max_val)

    def overwrite(self, input: torch.Tensor) -> torch.Tensor:
        return F.hardtanh_(input, self.min_val, self.max_val)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return gradOutput.masked_fill((input <= self.min_val) | (input >= self.max_val), 0)


@layer("nn.Clamp")
class Clamp(HardTanh):
    """``nn.Clamp([min, max])``: ``y = x`` kept between min and max (-1 and 1), any shape."""

    def __init__(self, min_value: float = -1, max_value: float = 1) -> None:
        super().__init__(min_value, max_value)


class _Shrink(Pointwise):
    """The part of the two shrinking layers that is the same: the gradient passes outside [-lambda, lambda]."""

    fields: ClassVar[tuple[str, ...]] = ("lambda",)

    def __init__(self, lam: float = 0.5) -> None:
        super().__init__()
        self.__dict__["lambda"] = number(self.torch7_name, "lambda", lam)

    def _outside(self, input: torch.Tensor) -> torch.Tensor:
        limit: float = self.__dict__["lambda"]
        return (input > limit) | (input < -limit)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return torch.where(self._outside(input), gradOutput, 0)


@layer("nn.HardShrink", keeps_rank=True)
class HardShrink(_Shrink):
    """``nn.HardShrink([lambda])``: ``y = x`` outside ``[-lambda, lambda]`` (0.5), else 0; any shape."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return torch.where(self._outside(input), input, 0)


@layer("nn.SoftShrink", keeps_rank=True)
class SoftShrink(_Shrink):
    """``nn.SoftShrink([lambda])``: x moved towards 0 by lambda (0.5), 0 within ``[-lambda, lambda]``; any shape."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        limit: float = self.__dict__["lambda"]
        moved = torch.where(input > limit, input - limit, input + limit)
        return torch.where(self._outside(input), moved, 0)


@layer("nn.TanhShrink", keeps_rank=True, parts="fixed")
class TanhShrink(Pointwise):
    """``nn.TanhShrink()``: ``y = x - tanh(x)``, any shape. The field ``tanh`` is the ``nn.Tanh`` inside."""

    exact_gradient = True

    links: ClassVar[tuple[str, ...]] = ("tanh",)

    def __init__(self) -> None:
        super().__init__()
        self._modules["tanh"] = Tanh()

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return input - self.tanh(input)

    def updateOutput(self, input: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = input - self.tanh.updateOutput(input)
        return self.keep_output(output.contiguous(), input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        gradient: torch.Tensor = gradOutput - self.tanh.updateGradInput(input, gradOutput)
        return gradient


@layer("nn.GatedLinearUnit", keeps_rank=True)
class GatedLinearUnit(Module):
    """``nn.GatedLinearUnit([dim])``: of the halves a and b along dim, the last by default, ``y = a sigmoid(b)``.

    Shapes: any, with an even size along dim; the output has half of it.
    """

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("dim",)

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def _halves(self, input: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, int]:
        dim = input.dim() - 1 if self.dim is None else int(self.dim) - 1
        if not 0 <= dim < input.dim():
            raise TorchError(f"{self.class_name}: an input of {size_text(input)} has no dimension {self.dim}")
        if input.shape[dim] % 2 or input.numel() == 0:
            raise TorchError(f"{self.class_name}: dimension {dim + 1} of {size_text(input)} must be even")
        value, gate = input.chunk(2, dim)
        return value, gate, dim

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        value, gate, _ = self._halves(input)
        return value * torch.sigmoid(gate)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        value, gate, dim = self._halves(input)
        gradient = fit(self, "gradOutput", gradOutput, value) * (opening := torch.sigmoid(gate))
        return torch.cat([gradient, gradient * (1 - opening) * value], dim)
