"""Images brought to another size: nnx's SpatialReSampling, which dpnn's layers use too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch

from torch7py.nn.checks import number
from torch7py.nn.registry import layer
from torch7py.nn.window import Gridded
from torch7py.ops.errors import TorchError

__all__ = ["SpatialReSampling", "bilinear", "named_or_listed"]


def named_or_listed(layer: str, arguments: tuple[Any, ...], order: tuple[str, ...]) -> dict[str, Any]:
    """Arguments by name, in a table, or one after the other, as ``xlua.unpack`` takes both."""
    if len(arguments) == 1 and isinstance(arguments[0], Mapping):
        strange = set(arguments[0]) - set(order)
        if strange:
            raise TorchError(f"{layer}: unknown argument {min(map(str, strange))}")
        return dict(arguments[0])
    if len(arguments) == 1 and isinstance(arguments[0], list):
        arguments = tuple(arguments[0])
    if len(arguments) > len(order):
        raise TorchError(f"{layer}: {len(arguments)} arguments, at most {len(order)} expected")
    return {name: value for name, value in zip(order, arguments, strict=False) if value is not None}


def _along(size: int, wanted: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """For each of ``wanted`` points on a line of ``size`` points the two nearest, and how far both are off.

    The first and last points of both lines are the same. Positions are in float, as in the original.
    """
    if wanted == 1:
        if size > 1:
            raise TorchError(
                "an image cannot be resampled to one row or column: the original divides by 0 there"
            )
        positions = torch.zeros(1)
    else:
        ratio = torch.tensor((size - 1) / (wanted - 1), dtype=torch.float32)
        positions = ratio * torch.arange(wanted, dtype=torch.float32)
    low = positions.floor()
    after = low + 1
    return low.long(), after.long().clamp(max=size - 1), positions - low, after - positions


def bilinear(images: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """The last two dimensions brought to another size: each pixel is interpolated between the four nearest."""
    top, bottom, below_top, above_bottom = _along(images.shape[-2], height)
    left, right, from_left, to_right = _along(images.shape[-1], width)

    def corner(
        rows: torch.Tensor, columns: torch.Tensor, down: torch.Tensor, across: torch.Tensor
    ) -> torch.Tensor:
        share = torch.outer(down, across).to(images)  # rounded to float, as in the original
        rows, columns = rows.to(images.device), columns.to(images.device)
        return images[..., rows[:, None], columns] * share

    result = corner(top, left, above_bottom, to_right) + corner(top, right, above_bottom, from_left)
    result = result + corner(bottom, left, below_top, to_right)
    return result + corner(bottom, right, below_top, from_left)


@layer("nn.SpatialReSampling", package="nnx", keeps_rank=True, example="C H W")
class SpatialReSampling(Gridded):
    """``nn.SpatialReSampling{owidth=..., oheight=...}``: images at another size, by bilinear interpolation.

    Arguments, by name or in this order: rwidth, rheight, owidth, oheight. Shapes: ``(planes, h, w)`` ->
    ``(planes, oheight, owidth)``, or a batch of such. The corners stay the corners. Instead of the size, rwidth and
    rheight give it as a multiple of the first input's.
    """

    traced = True
    fields: ClassVar[tuple[str, ...]] = ("rwidth", "rheight", "owidth", "oheight")
    rwidth: float | None = None
    rheight: float | None = None
    owidth: float | None = None
    oheight: float | None = None

    def __init__(self, *arguments: Any) -> None:
        super().__init__()
        name = "nn.SpatialReSampling"
        for field, value in named_or_listed(name, arguments, SpatialReSampling.fields).items():
            setattr(self, field, number(name, field, value))

    def sizes(self, input: torch.Tensor) -> tuple[int, int]:
        """Height and width of the output; where only the ratio was given, the first input fixes them."""
        for side, size in (("height", input.shape[-2]), ("width", input.shape[-1])):
            if getattr(self, "o" + side) is None:
                ratio = getattr(self, "r" + side)
                if ratio is None:
                    raise TorchError(f"{self.class_name} needs o{side} or r{side}")
                setattr(self, "o" + side, ratio * size)
        height, width = int(self.oheight or 0), int(self.owidth or 0)
        if height < 1 or width < 1:
            raise TorchError(f"{self.class_name}: an output of {height}x{width} has no pixels")
        return height, width

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        self.as_batch(input)
        return bilinear(input, *self.sizes(input))

    def updateGradInput(self, input: torch.Tensor, gradOutput: torch.Tensor) -> Any:
        """``m:updateGradInput(input, gradOutput)``. Before any forward the gradient tells the size of the output."""
        batch = self.as_batch(input)
        untold = not self.output.numel() and isinstance(gradOutput, torch.Tensor) and gradOutput.dim() >= 3
        sizes = (int(gradOutput.shape[-2]), int(gradOutput.shape[-1])) if untold else self.sizes(input)
        gradient = self.gradient_batch(gradOutput, input, (*batch.shape[:2], *sizes))
        if not untold or self.gradInput is None:
            return super().updateGradInput(input, gradient)
        with torch.enable_grad():
            images = batch.detach().requires_grad_()
            (result,) = torch.autograd.grad(bilinear(images, *sizes), images, gradient)
        return self.keep_grad_input(result.view(input.shape))
