"""Parts of the input left out: TotalDropout, SpatialRegionDropout, SpatialUniformCrop."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import size_text, tensor
from torch7py.nn.base import Module
from torch7py.nn.checks import fit, number
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.nn.resampling import SpatialReSampling
from torch7py.nn.window import Gridded
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.ops.random import scalar
from torch7py.ops.rounding import format_number

__all__ = ["SpatialRegionDropout", "SpatialUniformCrop", "TotalDropout"]


def probability(name: str, p: float) -> float:
    if not 0 <= number(name, "p", p) < 1:
        raise TorchError(f"{name}: p must be at least 0 and below 1")
    return p


@layer(
    "nn.TotalDropout",
    package="dpnn",
    keeps_rank=True,
    draws=True,
    differs_in_training=True,
    begins_training=True,
)
class TotalDropout(Module):
    """``nn.TotalDropout([p])``: in training the whole input becomes 0 with probability p (0.5), or stays as it is.

    Any shape. The field ``noise`` is 0 or 1 after a forward. There is no gradient in evaluation.
    """

    resizes_as_grad_output = True
    traced = False
    fields: ClassVar[tuple[str, ...]] = ("p", "noise")
    noise: float | None = None

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = probability("nn.TotalDropout", p)
        self.set_training()

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        tensor(self, input)
        if not self.training:
            return input.clone()
        return input * self.note("noise", scalar.bernoulli(state.current().generator, 1 - self.p))

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        if not self.training:
            raise TorchError(f"{self.class_name}: there is a gradient in training only")
        if self.noise is None:
            raise TorchError(f"{self.class_name}: a backward without a forward")
        return fit(self, "gradOutput", gradOutput, input) * self.noise

    def describe(self) -> str:
        return f"{self.class_name}({format_number('%f', self.p)})"


@layer(
    "nn.SpatialRegionDropout",
    package="dpnn",
    keeps_rank=True,
    draws=True,
    differs_in_training=True,
    begins_training=True,
)
class SpatialRegionDropout(Gridded):
    """``nn.SpatialRegionDropout([p])``: in training a share p (0.2) of the rows or columns at one border become 0.

    Shapes: ``(planes, h, w)``, or a batch of such. The border, the same for the whole batch, is drawn: 1 above, 2
    below, 3 left, 4 right (field ``regionType``). The rest is divided by ``1 - p``. There is no gradient in
    evaluation.
    """

    resizes_as_grad_output = True
    fields: ClassVar[tuple[str, ...]] = ("p", "noise", "regionType")
    lua_methods = names("setp")

    def __init__(self, p: float = 0.2) -> None:
        super().__init__()
        self.p = probability("nn.SpatialRegionDropout", p)
        self.set_training()
        self.keep("noise", self.new())

    def setp(self, p: float) -> None:
        """``m:setp(p)``"""
        self.p = p

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return input.clone()
        self.as_batch(input)
        region = self.note("regionType", scalar.random(state.current().generator, 4))
        dim = input.dim() - (2 if region <= 2 else 1)
        size = input.shape[dim]
        count = math.floor(size * self.p)
        mask = torch.ones(input.shape, dtype=input.dtype, device=input.device)
        mask.narrow(dim, size - count if region in (2, 4) else 0, count).zero_()
        return input * self.note("noise", mask.div_(1 - self.p))

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        if not self.training:
            raise TorchError(f"{self.class_name}: there is a gradient in training only")
        gradOutput = fit(self, "gradOutput", gradOutput, input)
        return gradOutput * fit(self, "the mask of the last forward", self.noise, input)

    def clearState(self) -> Module:
        self.clear("noise")
        return super().clearState()

    def describe(self) -> str:
        return f"{self.class_name} p: {format_number('%f', self.p)}"


@layer("nn.SpatialUniformCrop", package="dpnn", keeps_rank=True, draws=True, differs_in_training=True)
class SpatialUniformCrop(Gridded):
    """``nn.SpatialUniformCrop(oheight[, owidth, scale])``: a piece of each image, drawn anew in training.

    Shapes: ``(planes, h, w)`` -> ``(planes, oheight, owidth)``, or a batch of such; owidth is oheight by default.
    Evaluation takes the middle and has no gradient. With scale, a table ``{min, max}`` or ``{min=..., max=...}``, the
    piece is larger or smaller by a factor drawn from there and brought to size by ``nn.SpatialReSampling``.
    """

    links: ClassVar[tuple[str, ...]] = ("scaler",)
    fields: ClassVar[tuple[str, ...]] = ("oheight", "owidth", "scale", "coord", "scales")
    scale: Any = None

    def __init__(self, oheight: int, owidth: int | None = None, scale: Any = None) -> None:
        super().__init__()
        name = "nn.SpatialUniformCrop"
        self.oheight = number(name, "oheight", oheight)
        self.owidth = self.oheight if owidth is None else number(name, "owidth", owidth)
        if scale is not None:
            self.scale = scale
            self._range()
            self._modules["scaler"] = SpatialReSampling({"owidth": self.owidth, "oheight": self.oheight})

    def _range(self) -> tuple[float, float]:
        """The bounds of the factor."""
        scale = self.scale
        if isinstance(scale, Mapping):
            low, high = (scale.get(key, scale.get(index)) for key, index in (("min", 1), ("max", 2)))
        else:
            low, high = scale if isinstance(scale, list) and len(scale) == 2 else (None, None)
        name = "nn.SpatialUniformCrop"
        return number(name, "the least scale", low), number(name, "the largest scale", high)

    def _piece(self, image: torch.Tensor, box: tuple[int, int, int, int]) -> torch.Tensor:
        """A piece by its first row and column, counted from 0, its height and width."""
        top, left, height, width = box
        if min(top, left) < 0 or top + height > image.shape[-2] or left + width > image.shape[-1]:
            raise TorchError(
                f"{self.class_name}: a piece of {height}x{width} from row {top + 1} and column {left + 1} on is not "
                f"within an image of {size_text(image)}"
            )
        return image[..., top : top + height, left : left + width]

    def _draw(self, image: torch.Tensor) -> tuple[float, int, int]:
        """The factor, and two numbers for row and column, all drawn."""
        generator = state.current().generator
        factor = 1.0 if self.scale is None else scalar.uniform(generator, *self._range())
        room = [
            size - math.ceil(factor * wanted)
            for size, wanted in zip(image.shape[-2:], (self.oheight, self.owidth), strict=True)
        ]
        row, column = (math.ceil(scalar.uniform(generator, 1e-2, bound)) for bound in room)
        return factor, row, column

    def _crop_box(self, image: torch.Tensor, drawn: tuple[float, int, int]) -> tuple[int, int, int, int]:
        """The piece that these numbers mean."""
        factor, row, column = drawn
        if self.scale is None:
            return row - 1, column - 1, int(self.oheight), int(self.owidth)
        height, width = math.ceil(factor * self.oheight), math.ceil(factor * self.owidth)
        rows, columns = image.shape[-2:]
        middle = math.ceil(rows / 2 - (rows - height) / 2 + row)
        # The number of rows is not a slip of ours: the original's pieces lie there.
        center = math.ceil(columns / 2 - (rows - width) / 2 + column)
        top, left = middle - math.ceil(height / 2), center - math.ceil(width / 2)
        return max(top, 1) - 1, max(left, 1) - 1, height, width

    def _sized(self, piece: torch.Tensor) -> torch.Tensor:
        scaler: Any = self._modules.get("scaler")
        return piece if scaler is None else scaler(piece)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        batch = self.as_batch(input)
        if not self.training:
            height, width = int(self.oheight), int(self.owidth)
            spare = [size - wanted for size, wanted in zip(batch.shape[-2:], (height, width), strict=True)]
            top, left = (max(math.ceil(room / 2), 1) - 1 if room >= 0 else -1 for room in spare)
            return self.like_input(self._piece(batch, (top, left, height, width)).clone(), input)
        drawn = [self._draw(image) for image in batch]
        if self.noting:
            self.__dict__["_drawn"] = drawn
            self.__dict__["coord"] = torch.tensor([d[1:] for d in drawn], dtype=torch.int32)
            if self.scale is not None:
                self.__dict__["scales"] = torch.tensor([d[0] for d in drawn], dtype=torch.float32)
        pieces = [self._piece(image, self._crop_box(image, d)) for image, d in zip(batch, drawn, strict=True)]
        return self.like_input(torch.stack([self._sized(piece) for piece in pieces]), input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        if not self.training:
            raise TorchError(f"{self.class_name}: there is a gradient in training only")
        batch = self.as_batch(input)
        shape = (*batch.shape[:2], int(self.oheight), int(self.owidth))
        gradient = self.gradient_batch(gradOutput, input, shape)
        drawn = self.__dict__.get("_drawn")
        if drawn is None or len(drawn) != len(batch):
            raise TorchError(f"{self.class_name}: a backward without a forward of that many images")
        result = torch.zeros_like(batch, memory_format=torch.contiguous_format)
        scaler: Any = self._modules.get("scaler")
        for image, into, d, g in zip(batch, result, drawn, gradient, strict=True):
            box = self._crop_box(image, d)
            g = g if scaler is None else scaler.grad_input(self._piece(image, box), g)
            self._piece(into, box).copy_(g)
        return self.like_input(result, input)
