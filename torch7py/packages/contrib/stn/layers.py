"""The layers of a spatial transformer: a matrix from parameters, a sampling grid from the matrix, and sampling."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn.arguments import size_text, tensors
from torch7py.nn.base import Module
from torch7py.nn.checks import number
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError

__all__ = ["AffineGridGeneratorBHWD", "AffineTransformMatrixGenerator", "BilinearSamplerBHWD", "sampled"]


def sampled(images: torch.Tensor, grids: torch.Tensor) -> torch.Tensor:
    """The values of images ``(b, h, w, c)`` at positions ``(b, rows, columns, 2)``, y before x, from -1 to 1.

    Between pixels they are interpolated; outside an image everything is 0.
    """
    samples = F.grid_sample(
        images.permute(0, 3, 1, 2), grids.flip(-1), mode="bilinear", padding_mode="zeros", align_corners=True
    )
    return samples.permute(0, 2, 3, 1).contiguous()


@layer("nn.BilinearSamplerBHWD", package="stn", takes="table")
class BilinearSamplerBHWD(Module):
    """``nn.BilinearSamplerBHWD()``: the values of images at the positions of a grid, interpolated between pixels.

    Shapes: ``{(batch, h, w, colours), (batch, rows, columns, 2)}`` -> ``(batch, rows, columns, colours)``, or without
    batch. A position is y, then x; (-1, -1) is the first pixel's middle, (1, 1) the last one's. Outside is 0.
    """

    def forward(self, input: Any) -> torch.Tensor:
        images, grids = tensors(self, input, 2)
        if (
            images.dim() not in (3, 4)
            or grids.dim() != images.dim()
            or grids.shape[-1] != 2
            or images.shape[:-3] != grids.shape[:-3]
            or 0 in images.shape
        ):
            raise TorchError(
                f"{self.class_name}: the input must be images (batch, h, w, colours) and grids (batch, rows, columns, "
                f"2), not {size_text(images)} and {size_text(grids)}"
            )
        if images.dim() == 3:
            return sampled(images[None], grids[None])[0]
        return sampled(images, grids)


@layer("nn.AffineGridGeneratorBHWD", package="stn")
class AffineGridGeneratorBHWD(Module):
    """``nn.AffineGridGeneratorBHWD(height, width)``: the positions to which a matrix maps the points of a grid.

    Shapes: ``(batch, 2, 3)`` -> ``(batch, height, width, 2)``, or ``(2, 3)`` -> ``(height, width, 2)``. Each point
    ``(y, x, 1)``, with y and x from -1 to 1, is multiplied by the matrix.
    """

    fields: ClassVar[tuple[str, ...]] = ("height", "width")

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        for what, size in (("height", height), ("width", width)):
            if number("nn.AffineGridGeneratorBHWD", what, size) < 2 or int(size) != size:
                raise TorchError(f"nn.AffineGridGeneratorBHWD: {what} must be 2 or more")
        self.height, self.width = height, width

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if (
            not isinstance(input, torch.Tensor)
            or input.dim() not in (2, 3)
            or tuple(input.shape[-2:]) != (2, 3)
        ):
            actual = size_text(input) if isinstance(input, torch.Tensor) else "not a tensor"
            raise TorchError(f"{self.class_name}: the input must be matrices of 2x3, not {actual}")
        height, width = int(self.height), int(self.width)
        options: dict[str, Any] = {"dtype": input.dtype, "device": input.device}
        y = -1 + 2 * torch.arange(height, **options) / (height - 1)
        x = -1 + 2 * torch.arange(width, **options) / (width - 1)
        points = torch.stack(
            [
                y[:, None].expand(height, width),
                x.expand(height, width),
                torch.ones(height, width, **options),
            ],
            -1,
        )
        return (points.view(-1, 3) @ input.mT).view(*input.shape[:-2], height, width, 2)


@layer("nn.AffineTransformMatrixGenerator", package="stn")
class AffineTransformMatrixGenerator(Module):
    """``nn.AffineTransformMatrixGenerator([useRotation, useScale, useTranslation])``: matrices from parameters.

    Shapes: ``(batch, n)`` -> ``(batch, 2, 3)``, or ``(n)`` -> ``(2, 3)``. The n parameters are an angle, a factor and
    two shifts, those of them that are used, in this order; the matrix is rotation times scale times translation. Where
    none is used they are the 6 elements.
    """

    fields: ClassVar[tuple[str, ...]] = ("fullMode", "useRotation", "useScale", "useTranslation")

    def __init__(
        self, useRotation: bool = False, useScale: bool = False, useTranslation: bool = False
    ) -> None:
        super().__init__()
        self.fullMode = not (useRotation or useScale or useTranslation)
        # In the original these are fields only where one of them is true.
        self.useRotation: bool | None = None if self.fullMode else useRotation
        self.useScale: bool | None = None if self.fullMode else useScale
        self.useTranslation: bool | None = None if self.fullMode else useTranslation

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        count = 6
        if not self.fullMode:
            count = bool(self.useRotation) + bool(self.useScale) + 2 * bool(self.useTranslation)
        if not isinstance(input, torch.Tensor) or input.dim() not in (1, 2) or input.shape[-1] != count:
            actual = size_text(input) if isinstance(input, torch.Tensor) else "not a tensor"
            raise TorchError(
                f"{self.class_name}: the input must be {count} parameters, or rows of them, not {actual}"
            )
        if self.fullMode:
            return input.reshape(*input.shape[:-1], 2, 3)
        rest = list(input.unbind(-1))
        zero = torch.zeros_like(rest[0])
        matrix = torch.eye(2, dtype=input.dtype, device=input.device).expand(*input.shape[:-1], 2, 2)
        shift = torch.stack([zero, zero], -1)
        if self.useRotation:
            angle = rest.pop(0)
            cos, sin = angle.cos(), angle.sin()
            matrix = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)
        if self.useScale:
            matrix = matrix * rest.pop(0)[..., None, None]
        if self.useTranslation:
            shift = torch.stack([rest.pop(0), rest.pop(0)], -1)
        return torch.cat([matrix, matrix @ shift[..., None]], -1)
