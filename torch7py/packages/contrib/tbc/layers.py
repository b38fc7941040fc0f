"""The tbc package: a convolution along the time, of sequences whose first dimension is the time."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import check_type
from torch7py.nn.convolution import draw_uniform
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError

__all__ = ["TemporalConvolutionTBC"]


@layer(
    "nn.TemporalConvolutionTBC",
    package="tbc",
    keeps_rank=True,
    parameters="weight:3~computed() bias:1~computed()",
)
class TemporalConvolutionTBC(Module):
    """``nn.TemporalConvolutionTBC(nIn, nOut, kw[, pad])``: a linear map of every kw steps, pad zeros at both ends.

    Shapes: ``(time, batch, nIn)`` -> ``(time + 2 pad - kw + 1, batch, nOut)``. ``weight`` is ``(kw, nIn, nOut)``.
    Parameters are drawn from ``uniform(-s, s)``, ``s = 1 / sqrt(kw nIn)``: weight, then bias.
    """

    fields: ClassVar[tuple[str, ...]] = ("kw", "pad", "nIn", "nOut")

    kw: Any
    pad: Any
    nIn: Any
    nOut: Any

    def __init__(self, nIn: int, nOut: int, kw: int, pad: int = 0) -> None:
        super().__init__()
        self.__dict__.update(kw=kw, pad=pad, nIn=nIn, nOut=nOut)
        self.add_parameter("weight", self.new(int(kw), int(nIn), int(nOut)))
        self.add_parameter("bias", self.new(int(nOut)))
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        """``m:reset([stdv])``: draw the parameters with this standard deviation."""
        draw_uniform(self, self.kw * self.nIn, stdv)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if input.dim() != 3 or input.shape[2] != self.nIn:
            raise TorchError(
                f"{self.class_name}: the input must be time x batch x {int(self.nIn)}, not {size_text(input)}"
            )
        check_type(self, "the input", input, self.weight)
        steps = input.shape[0] + 2 * int(self.pad) - int(self.kw) + 1
        if steps < 1:
            raise TorchError(
                f"{self.class_name}: the input of {size_text(input)} is shorter than the window of {int(self.kw)}"
            )
        padded = torch.nn.functional.pad(input, (0, 0, 0, 0, int(self.pad), int(self.pad)))
        windows = padded.unfold(0, int(self.kw), 1)  # (steps, batch, nIn, kw)
        result: torch.Tensor = torch.tensordot(windows, self.weight, ([3, 2], [0, 1])) + self.bias
        return result
