"""SpatialGlimpse: a look at one place of an image, sharp in the middle and coarse around (Mnih et al., 2014)."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn.arguments import table, tensors
from torch7py.nn.checks import number
from torch7py.nn.pooling_average import SpatialAveragePooling
from torch7py.nn.registry import layer
from torch7py.nn.resampling import SpatialReSampling
from torch7py.nn.window import Gridded
from torch7py.ops.errors import TorchError
from torch7py.rnn.dpnn.inner import WithModule

__all__ = ["SpatialGlimpse"]


@layer("nn.SpatialGlimpse", package="dpnn", takes="table", parts="fixed")
class SpatialGlimpse(Gridded, WithModule):
    """``nn.SpatialGlimpse(size[, depth, scale])``: pieces of growing extent around a place, all of one size.

    Shapes: ``{image, place}``, ``(planes, h, w)`` and ``(2)``, or batches of such -> ``(depth * planes, height,
    width)``. A place is ``{y, x}``, from -1, -1 above and left to 1, 1 below and right. size is a number or
    ``{height, width}``. Of the depth (3) pieces each is scale (2) times as wide and high as the one before and is
    brought to size by the field ``module``. Beyond the border the image is 0. A place has no gradient.
    """

    traced = True
    graph_of = "memory"
    fields: ClassVar[tuple[str, ...]] = ("height", "width", "depth", "scale")

    def __init__(self, size: Any, depth: int = 3, scale: float = 2) -> None:
        super().__init__()
        name = "nn.SpatialGlimpse"
        height, width = size if isinstance(size, list) and len(size) == 2 else (size, size)
        self.height, self.width = number(name, "height", height), number(name, "width", width)
        self.depth, self.scale = number(name, "depth", depth), number(name, "scale", scale)
        self.keep_list("gradInput", [self.new(), self.new()])
        self._modules["module"] = (
            SpatialAveragePooling(2, 2, 2, 2)
            if scale == 2
            else SpatialReSampling({"oheight": self.height, "owidth": self.width})
        )

    def _places(self, locations: torch.Tensor, batch: torch.Tensor) -> list[list[float]]:
        """Each example's place, between 0 and 1 within the image."""
        if not isinstance(locations, torch.Tensor) or locations.dim() not in (1, 2):
            raise TorchError(f"{self.class_name}: a place must be a vector {{y, x}}, or a row of a matrix")
        matrix = locations.detach().view(-1, locations.shape[-1])
        rows = (torch.zeros(matrix.shape) if matrix.is_meta else matrix).tolist()  # on meta all places do
        if len(rows) != len(batch) or len(rows[0]) != 2:
            raise TorchError(
                f"{self.class_name}: {len(batch)} images and {len(rows)} places of {len(rows[0])} numbers"
            )
        return [[(value + 1) / 2 for value in row[:2]] for row in rows]

    def _pieces(
        self, batch: torch.Tensor, centers: list[list[float]], sizes: tuple[int, int]
    ) -> torch.Tensor:
        """A piece of this size around the place of each image."""
        margins = [(size - 1) // 2 for size in sizes]
        padded = F.pad(batch, (margins[1], margins[1], margins[0], margins[0]))
        room = [have - size for have, size in zip(padded.shape[-2:], sizes, strict=True)]
        if min(room) < 0:
            raise TorchError(
                f"{self.class_name}: a glimpse of {sizes[0]}x{sizes[1]} does not fit into the padded image"
            )
        pieces = []
        for image, center in zip(padded, centers, strict=True):
            top, left = (math.floor(min(r, max(0, share * r))) for share, r in zip(center, room, strict=True))
            pieces.append(image[:, top : top + sizes[0], left : left + sizes[1]])
        return torch.stack(pieces)

    def _sized(self, pieces: torch.Tensor) -> torch.Tensor:
        """The pieces brought to the size of the glimpse."""
        module: Any = self.module
        if module.class_name == "nn.SpatialAveragePooling":
            for axis, size, wanted in zip("HW", pieces.shape[-2:], (self.height, self.width), strict=True):
                factor = size / wanted
                if factor % 2:
                    raise TorchError(
                        f"{self.class_name}: pieces of {size} are no even multiple of {wanted:g}"
                    )
                for field in ("k" + axis, "d" + axis):
                    setattr(module, field, int(factor))
        output: torch.Tensor = module(pieces)
        return output

    def forward(self, input: Any) -> torch.Tensor:
        if len(tensors(self, input)) < 2:
            raise TorchError(f"{self.class_name}: the input must be a table of image and place")
        image, location = input[:2]
        batch = self.as_batch(image)
        centers = self._places(location, batch)
        sizes = math.floor(self.height), math.floor(self.width)
        scales = [self._pieces(batch, centers, sizes)]
        for _ in range(1, int(self.depth)):
            sizes = math.floor(sizes[0] * self.scale), math.floor(sizes[1] * self.scale)
            scales.append(self._sized(self._pieces(batch, centers, sizes)))
        return self.like_input(torch.cat(scales, 1), image)

    def updateGradInput(self, input: Any, gradOutput: torch.Tensor) -> Any:
        image = table(self, input)[0]
        batch = self.as_batch(image)
        shape = (
            len(batch),
            int(self.depth) * batch.shape[1],
            math.floor(self.height),
            math.floor(self.width),
        )
        return super().updateGradInput(input, self.gradient_batch(gradOutput, image, shape, exact=False))
