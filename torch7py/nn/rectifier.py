"""Activations around ReLU: linear above a threshold, something smaller below it."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn.arguments import size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import check_flag, fit, number, truthy
from torch7py.nn.pointwise import Pointwise, without_nan
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError
from torch7py.ops.random import uniform_
from torch7py.ops.rounding import format_number

__all__ = ["ELU", "LeakyReLU", "PReLU", "RReLU", "ReLU", "ReLU6", "Threshold"]


@layer("nn.Threshold", keeps_rank=True)
class Threshold(Pointwise):
    """``nn.Threshold([threshold, value, inplace])``: ``y = x`` where ``x > threshold``, else ``value``.

    Any shape; threshold is 1e-6 and value 0 by default. In place the input is the output, and gradInput takes
    the place of gradOutput. A NaN becomes the value, but not in place.
    """

    fields: ClassVar[tuple[str, ...]] = ("threshold", "val", "inplace")

    def __init__(self, th: float = 1e-6, v: float = 0, ip: bool = False) -> None:
        super().__init__()
        self.threshold = number("nn.Threshold", "threshold", th)
        self.val = number("nn.Threshold", "value", v)
        self.inplace = check_flag("nn.Threshold", "inplace", ip)
        if ip and v > th:
            raise TorchError("nn.Threshold: in place the value must not be above the threshold")

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return torch.threshold(input, self.threshold, self.val)

    def protocol_output(self, input: torch.Tensor) -> torch.Tensor:
        return without_nan(self.forward(input), self.val)

    def overwrite(self, input: torch.Tensor) -> torch.Tensor:
        return torch.threshold_(input, self.threshold, self.val)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        if self.inplace:
            return gradOutput.masked_fill_(input <= self.threshold, 0)
        return torch.where(input > self.threshold, gradOutput, 0)


@layer("nn.ReLU")
class ReLU(Threshold):
    """``nn.ReLU([inplace])``: ``y = max(0, x)``, any shape."""

    def __init__(self, p: bool = False) -> None:
        super().__init__(0, 0, p)


@layer("nn.ReLU6", keeps_rank=True)
class ReLU6(Pointwise):
    """``nn.ReLU6([inplace])``: ``y = x`` kept between 0 and 6, any shape. At a limit the gradient is 0."""

    fields: ClassVar[tuple[str, ...]] = ("inplace",)

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = check_flag("nn.ReLU6", "inplace", inplace)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return F.hardtanh(input, 0, 6)

    def protocol_output(self, input: torch.Tensor) -> torch.Tensor:
        return without_nan(self.forward(input), 6)

    def overwrite(self, input: torch.Tensor) -> torch.Tensor:
        return F.hardtanh_(input, 0, 6)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return gradOutput.masked_fill((input <= 0) | (input >= 6), 0)


@layer("nn.ELU", keeps_rank=True, gradient_reads_output=True)
class ELU(Pointwise):
    """``nn.ELU([alpha, inplace])``: ``y = x`` where ``x > 0``, else ``alpha (exp(x) - 1)``; any shape.

    alpha is 1 by default. The gradient is taken from the output.
    """

    from_output = True
    fields: ClassVar[tuple[str, ...]] = ("alpha", "inplace")

    def __init__(self, alpha: float = 1, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = number("nn.ELU", "alpha", alpha)
        self.inplace = check_flag("nn.ELU", "inplace", inplace)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return F.elu(input, self.alpha)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return torch.where(self.output <= 0, gradOutput * (self.output + self.alpha), gradOutput)

    def describe(self) -> str:
        return f"{self.class_name} (alpha:{format_number('%f', self.alpha)})"


@layer("nn.LeakyReLU", keeps_rank=True)
class LeakyReLU(Pointwise):
    """``nn.LeakyReLU([slope, inplace])``: ``y = x`` where ``x > 0``, else ``slope x``; any shape.

    The slope is 0.01 by default; below 0 the layer is never in place. A boolean in place of the slope counts
    for nothing, as in the original.
    """

    fields: ClassVar[tuple[str, ...]] = ("negval", "inplace")

    def __init__(self, negval: float | bool = 0.01, ip: bool = False) -> None:
        super().__init__()
        self.negval = 0.01 if isinstance(negval, bool) else number("nn.LeakyReLU", "slope", negval)
        self.inplace = truthy(ip) and self.negval >= 0

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return F.leaky_relu(input, self.negval)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return torch.ops.aten.leaky_relu_backward(gradOutput, input, self.negval, False)

    def describe(self) -> str:
        return f"{self.class_name}({format_number('%g', self.negval)})"


@layer("nn.PReLU", keeps_rank=True, parameters="weight:1~constant(0.25)")
class PReLU(Module):
    """``nn.PReLU([nOutputPlane])``: ``y = x`` where ``x > 0``, else ``w x`` with a learned slope w.

    Shapes: any with one slope for all; with nOutputPlane slopes ``(nOutputPlane)`` or
    ``(batch, nOutputPlane, ...)``, one slope a plane. Slopes begin at 0.25.
    """

    traced = False
    gives: ClassVar[dict[str, str]] = {"accGradParameters": "gradWeight"}
    fields: ClassVar[tuple[str, ...]] = ("nOutputPlane", "gradWeightBuf", "gradWeightBuf2")

    def __init__(self, nOutputPlane: int | None = None) -> None:
        super().__init__()
        self.nOutputPlane = 0 if nOutputPlane is None else int(nOutputPlane)
        self.add_parameter("weight", self.new(1 if nOutputPlane is None else int(nOutputPlane)).fill_(0.25))

    @property
    def rows_alone(self) -> tuple[int, int] | None:  # type: ignore[override]
        return None if self.nOutputPlane else (1, 99)

    def _slopes(self, input: torch.Tensor) -> torch.Tensor:
        """The slopes, each beside its plane of the input."""
        slope: torch.Tensor = self.weight
        if not self.nOutputPlane:
            return slope
        dim = 1 if input.dim() > 1 else 0
        if input.shape[dim] != self.nOutputPlane:
            raise TorchError(
                f"{self.class_name}: the input of {size_text(input)} has {input.shape[dim]} planes, "
                f"not {self.nOutputPlane}"
            )
        return slope.view(-1, *[1] * (input.dim() - dim - 1))

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return torch.where(input > 0, input, self._slopes(input) * input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        gradient = fit(self, "gradOutput", gradOutput, input)
        return torch.where(input > 0, gradient, self._slopes(input).data * gradient)

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        buffer = self.gradient("weight")
        if buffer is None:
            return
        slopes = self._slopes(input)
        products = (input * fit(self, "gradOutput", gradOutput, input)).masked_fill_(~(input <= 0), 0)
        buffer.add_(products.sum_to_size(slopes.shape).view_as(buffer), alpha=scale)

    def clearState(self) -> Module:
        self.clear("gradWeightBuf", "gradWeightBuf2")
        return super().clearState()


@layer("nn.RReLU", keeps_rank=True, draws=True, differs_in_training=True, begins_training=True)
class RReLU(Pointwise):
    """``nn.RReLU([l, u, inplace])``: ``y = x`` where ``x > 0``, else ``r x`` with r drawn from ``uniform(l, u)``.

    Any shape; l is 1/8 and u 1/3 by default. In evaluation r is ``(l + u) / 2``. The slopes of the last forward
    are in the field ``noise``.
    """

    resizes_as_grad_output = True
    rows_alone = None  # it draws random numbers, step after step

    fields: ClassVar[tuple[str, ...]] = ("lower", "upper", "noise", "inplace")

    def __init__(self, l: float = 1 / 8, u: float = 1 / 3, ip: bool = False) -> None:  # noqa: E741
        super().__init__()
        self.lower = number("nn.RReLU", "l", l)
        self.upper = number("nn.RReLU", "u", u)
        self.inplace = truthy(ip)
        if not 0 <= self.lower <= self.upper:
            raise TorchError("nn.RReLU: l must be at least 0 and at most u")
        self.keep("noise", self.new())
        self.set_training()

    def _mean_slope(self, input: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        return torch.where(input <= 0, value * ((self.lower + self.upper) / 2), value)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return self._mean_slope(input, input)
        noise = torch.ones_like(input.data, memory_format=torch.contiguous_format)
        below = input.data <= 0
        # One number for each element that is not above 0, in order, and none for the others.
        if not input.is_meta:
            noise[below] = uniform_(noise.new_empty(int(below.sum())), self.lower, self.upper)
        return input * self.note("noise", noise)

    def updateOutput(self, input: Any) -> Any:
        return self.noted(super().updateOutput, input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        if self.training and self.upper - self.lower > 1e-6:
            return gradOutput * fit(self, "the noise of the last forward", self.noise, input)
        return self._mean_slope(input, gradOutput)

    def clearState(self) -> Module:
        self.clear("noise")
        return super().clearState()

    def describe(self) -> str:
        return f"{self.class_name} (l:{format_number('%f', self.lower)}, u:{format_number('%f', self.upper)})"
