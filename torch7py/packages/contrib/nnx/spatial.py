"""nnx's layers over planes, rows and elements: Minus, SpatialLinear, MultiSoftMax, SpatialPadding, Probe,
TreeNLLCriterion.
"""

from __future__ import annotations

import math
import time
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import fit, number
from torch7py.nn.criterion import TargetlessCriterion
from torch7py.nn.object import names
from torch7py.nn.pointwise import Pointwise
from torch7py.nn.registry import layer
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.ops.program_output import say
from torch7py.ops.random import scalar
from torch7py.ops.rounding import format_number
from torch7py.ops.support import restricted

__all__ = ["Minus", "MultiSoftMax", "Probe", "SpatialLinear", "SpatialPadding", "TreeNLLCriterion"]


@layer("nn.Minus", package="nnx", keeps_rank=True)
class Minus(Pointwise):
    """``nn.Minus()``: ``y = -x``, any shape."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return -input

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return -gradOutput


@layer(
    "nn.SpatialLinear",
    package="nnx",
    keeps_rank=True,
    parameters="weight:2~uniform(1/sqrt(fanout)) bias:1~uniform(1/sqrt(fanout))",
)
class SpatialLinear(Module):
    """``nn.SpatialLinear([fanin, fanout])``: ``y = W x + b`` at each pixel.

    Shapes: ``(fanin, h, w)`` -> ``(fanout, h, w)``; there are no batches. fanin and fanout are 1 by default. Parameters
    are drawn from ``uniform(-s, s)``, ``s = 1 / sqrt(fanout)``: for each output its weights, then its bias. As in the
    original, updateGradInput adds the parameters' gradients and accGradParameters does nothing.
    """

    exact_gradient = True

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("fanin", "fanout")
    lua_methods = names("decayParameters")

    def __init__(self, fanin: int = 1, fanout: int = 1) -> None:
        super().__init__()
        self.fanin, self.fanout = (
            number("nn.SpatialLinear", "fanin", fanin),
            number("nn.SpatialLinear", "fanout", fanout),
        )
        self.add_parameter("weight", self.new(int(fanout), int(fanin)))
        self.add_parameter("bias", self.new(int(fanout)))
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        bound = 1 / math.sqrt(self.weight.shape[0]) if stdv is None else stdv * math.sqrt(3)
        generator = state.current().generator
        for row, bias in zip(self.weight.data, self.bias.data.view(-1, 1), strict=True):
            for element in (*row.view(-1, 1), bias):
                element.fill_(scalar.uniform(generator, -bound, bound))

    def decayParameters(self, decay: float) -> None:
        """``m:decayParameters(decay)``: take this share off all parameters."""
        for parameter in (self.weight, self.bias):
            parameter.data.mul_(1 - decay)

    def zeroGradParameters(self, momentum: float | None = None) -> None:
        """``m:zeroGradParameters([momentum])``: with momentum the gradients are multiplied by it instead."""
        for name in ("weight", "bias"):
            gradient = self.gradient(name)
            if gradient is not None:
                gradient.mul_(0 if momentum is None else momentum)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if not isinstance(input, torch.Tensor) or input.dim() != 3 or input.shape[0] != self.weight.shape[1]:
            actual = size_text(input) if isinstance(input, torch.Tensor) else "not a tensor"
            raise TorchError(
                f"{self.class_name}: the input must be {self.weight.shape[1]} planes, not {actual}"
            )
        output: torch.Tensor = torch.einsum("ok,khw->ohw", self.weight, input) + self.bias.view(-1, 1, 1)
        return output

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        gradient = fit(self, "gradOutput", gradOutput, self.forward(input.data).data)
        for name, part in (
            ("weight", torch.einsum("ohw,khw->ok", gradient, input.data)),
            ("bias", gradient.sum((1, 2))),
        ):
            buffer = self.gradient(name)
            if buffer is not None:
                buffer.add_(part)
        return torch.einsum("ok,ohw->khw", self.weight.data, gradient)

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        """updateGradInput has done it."""


@layer("nn.MultiSoftMax", package="nnx", keeps_rank=True, gradient_reads_output=True)
class MultiSoftMax(Module):
    """``nn.MultiSoftMax()``: the softmax along the last dimension.

    Shapes: ``(batch, n)`` or ``(batch, m, n)``.
    """

    graph_of = "forward"

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if input.dim() not in (2, 3):
            raise TorchError(
                f"{self.class_name}: the input must have 2 or 3 dimensions, not {size_text(input)}"
            )
        return input.softmax(-1)


@layer("nn.SpatialPadding", package="nnx", keeps_rank=True)
class SpatialPadding(Module):
    """``nn.SpatialPadding(pad_l[, pad_r, pad_t, pad_b, y_dim, x_dim, val])``: a margin of val (0) around images.

    Margins below 0 are cut off; those not given are pad_l. y_dim is 2 and x_dim 3 by default.

    Shapes: any with both dimensions; in the output they are larger by the margins.
    """

    exact_gradient = True

    fields: ClassVar[tuple[str, ...]] = ("pad_l", "pad_r", "pad_t", "pad_b", "y_dim", "x_dim", "val")

    def __init__(
        self,
        pad_l: int,
        pad_r: int | None = None,
        pad_t: int | None = None,
        pad_b: int | None = None,
        y_dim: int = 2,
        x_dim: int = 3,
        val: float = 0,
    ) -> None:
        super().__init__()
        self.pad_l = number("nn.SpatialPadding", "pad_l", pad_l)
        self.pad_r, self.pad_t, self.pad_b = (pad_l if pad is None else pad for pad in (pad_r, pad_t, pad_b))
        self.y_dim, self.x_dim, self.val = y_dim, x_dim, val

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        margins = ((self.y_dim, self.pad_t, self.pad_b), (self.x_dim, self.pad_l, self.pad_r))
        for dim, before, after in margins:
            if not 1 <= dim <= input.dim() or input.shape[int(dim) - 1] + before + after < 1:
                raise TorchError(f"{self.class_name}: the input of {size_text(input)} is too small")
            axis, cut = int(dim) - 1, int(max(0, -before))
            kept = input.shape[axis] - cut - int(max(0, -after))
            parts = [input.narrow(axis, cut, kept)]
            for index, count in ((0, int(before)), (2, int(after))):
                if count > 0:
                    sizes = [*input.shape[:axis], count, *input.shape[axis + 1 :]]
                    parts.insert(index, input.new_full(sizes, self.val))
            input = torch.cat(parts, axis)
        return input


@layer("nn.Probe", package="nnx", keeps_rank=True, takes="any", gives="same", shares_memory=True)
class Probe(Module):
    """``nn.Probe([name, display])``: passes input and gradient on, and prints size, mean, deviation, extremes and time.

    There is no display.

    Any shape.
    """

    fields: ClassVar[tuple[str, ...]] = ("name", "display")
    last: ClassVar[float | None] = None

    def __init__(self, name: str = "unnamed", display: Any = None) -> None:
        super().__init__()
        self.__dict__["name"] = name
        self.display = display

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return input

    def _print(self, legend: str, value: torch.Tensor) -> None:
        if self.display:
            raise TorchError(f"{self.class_name}: there is no window to display in")
        if not value.numel():
            raise TorchError(f"{self.class_name}: an empty tensor has no extremes")
        now = time.monotonic()
        passed, Probe.last = now - (now if Probe.last is None else Probe.last), now
        wide = value.detach().double()
        lines = [
            "",
            legend,
            f"  + size = {size_text(value)}",
            f"  + mean = {format_number('%.14g', wide.mean().item())}",
            f"  + std = {format_number('%.14g', wide.std().item())}",
            f"  + min = {format_number('%.14g', wide.min().item())}",
            f"  + max = {format_number('%.14g', wide.max().item())}",
            f"  + time since last probe = {passed * 1000:.1f}ms",
        ]
        for line in lines:
            say(line)

    def updateOutput(self, input: torch.Tensor) -> Any:
        self.__dict__["output"] = input
        self._print(f"<{self.__dict__['name']}>.output", input)
        return input

    def updateGradInput(self, input: torch.Tensor, gradOutput: torch.Tensor) -> Any:
        self.__dict__["gradInput"] = gradOutput
        self._print(f"layer<{self.__dict__['name']}>.gradInput", gradOutput)
        return gradOutput


restricted("nn.Probe", "displaying an image is an error: there are no windows")


@layer("nn.TreeNLLCriterion", package="nnx", target="other")
class TreeNLLCriterion(TargetlessCriterion):
    """``nn.TreeNLLCriterion()``: minus the mean of log likelihoods; there is no target.

    Shapes: ``(n)``, ``(n, 1)``. Of a wider matrix the loss is that of the first column, as in the original, and a
    gradient is an error.
    """

    def forward(self, input: torch.Tensor, target: Any = None) -> torch.Tensor:
        if not 1 <= input.dim() <= 2:
            raise TorchError(
                f"{self.class_name}: the input must be a vector or a column, not {size_text(input)}"
            )
        return -(input if input.dim() == 1 else input[:, 0]).mean()

    def updateGradInput(self, input: torch.Tensor, target: Any = None) -> Any:
        if input.dim() == 2 and input.shape[1] > 1:
            raise TorchError(f"{self.class_name}: a gradient is of one column, not of {size_text(input)}")
        return super().updateGradInput(input, target)
