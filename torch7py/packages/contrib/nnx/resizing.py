"""SpatialReSamplingEx: two neighbouring dimensions of a tensor at another size."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import number
from torch7py.nn.registry import layer
from torch7py.nn.resampling import bilinear, named_or_listed
from torch7py.ops.errors import TorchError

__all__ = ["SpatialReSamplingEx"]

MODES = ("simple", "average", "bilinear")


@layer("nn.SpatialReSamplingEx", package="nnx", keeps_rank=True, example="C H W")
class SpatialReSamplingEx(Module):
    """``nn.SpatialReSamplingEx{owidth=..., oheight=..., mode=..., yDim=..., xDim=...}``: images at another size.

    Arguments, by name or in this order: rwidth, rheight (multiples of the input's size, rounded), owidth, oheight,
    mode, yDim (2), xDim (yDim + 1). Modes: ``bilinear``, the corners staying the corners; ``simple`` (the default)
    repeats pixels ``ceil(out / in)`` times, or takes each ``floor(in / out)``-th; ``average`` takes the means of such
    blocks when it makes images smaller, else it is ``simple``. A dimension cannot grow while the other shrinks.

    Shapes: any with the dimensions yDim and xDim, which become oheight and owidth.
    """

    fields: ClassVar[tuple[str, ...]] = ("rwidth", "rheight", "owidth", "oheight", "mode", "yDim", "xDim")
    rwidth: float | None = None
    rheight: float | None = None
    owidth: float | None = None
    oheight: float | None = None
    mode: str = "simple"
    yDim: int = 2
    xDim: int = 3

    def __init__(self, *arguments: Any) -> None:
        super().__init__()
        name = "nn.SpatialReSamplingEx"
        for field, value in named_or_listed(name, arguments, SpatialReSamplingEx.fields).items():
            setattr(self, field, value if field == "mode" else number(name, field, value))
        if self.mode not in MODES:
            raise TorchError(f"{name}: the mode '{self.mode}' is none of {', '.join(MODES)}")
        if self.yDim + 1 != self.xDim:
            raise TorchError(f"{name}: xDim must be yDim + 1")

    def _size(self, side: str, size: int) -> int:
        """Height or width of the output."""
        new_size, ratio = getattr(self, "o" + side), getattr(self, "r" + side)
        if new_size is None:
            if ratio is None:
                raise TorchError(f"{self.class_name} needs o{side} or r{side}")
            new_size = math.floor(ratio * size + 0.5)
        if int(new_size) < 1:
            raise TorchError(f"{self.class_name}: an output of {side} {int(new_size)} has no pixels")
        return int(new_size)

    def _sizes(self, input: torch.Tensor) -> tuple[tuple[int, int], tuple[int, int]]:
        """Height and width, before and after."""
        y = int(self.yDim) - 1
        if input.dim() < y + 2:
            raise TorchError(f"{self.class_name}: the input of {size_text(input)} has no dimension {y + 2}")
        before = (input.shape[y], input.shape[y + 1])
        after = (self._size("height", before[0]), self._size("width", before[1]))
        if (after[0] >= before[0]) != (after[1] >= before[1]):
            raise TorchError(f"{self.class_name}: one dimension cannot grow while the other shrinks")
        return before, after

    def _share(self, input: torch.Tensor) -> float:
        """The share of a pixel in a mean."""
        (height, width), (oheight, owidth) = self._sizes(input)
        return 1 / ((height // oheight) * (width // owidth))

    def _means(self, input: torch.Tensor) -> bool:
        (height, _), (oheight, _) = self._sizes(input)
        return self.mode == "average" and oheight < height

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        (height, width), (oheight, owidth) = self._sizes(input)
        y = int(self.yDim) - 1
        planes = input.movedim((y, y + 1), (-2, -1))
        if self.mode == "bilinear":
            resized = bilinear(planes, oheight, owidth)
        elif oheight >= height:
            rows, columns = (
                torch.arange(size, device=input.device) // -(-size // old_size)
                for size, old_size in ((oheight, height), (owidth, width))
            )
            resized = planes[..., rows[:, None], columns]
        else:
            down, across = height // oheight, width // owidth
            blocks = planes[..., : oheight * down, : owidth * across]
            blocks = blocks.reshape(*blocks.shape[:-2], oheight, down, owidth, across)
            if self.mode == "simple":
                resized = blocks[..., :, 0, :, 0]
            else:
                resized = blocks.sum((-3, -1)) * _rounded(self._share(input))
        return resized.movedim((-2, -1), (y, y + 1)).contiguous()

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> Any:
        gradient = super().grad_input(input, gradOutput)
        if self._means(input):  # the share is rounded in the forward alone
            share = self._share(input)
            return gradient * (share / _rounded(share))
        return gradient


def _rounded(share: float) -> float:
    """In single precision, as in the original."""
    return torch.tensor(share, dtype=torch.float32).item()
