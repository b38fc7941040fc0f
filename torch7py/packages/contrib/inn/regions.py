"""Pooling of regions of images, all of which give outputs of one size (Girshick, Fast R-CNN, 2015)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch

from torch7py.nn.arguments import argument_text, gradient_of, tensors
from torch7py.nn.base import Module
from torch7py.nn.checks import number, truthy
from torch7py.nn.registry import layer
from torch7py.nn.window_max import whole_indices
from torch7py.ops.errors import TorchError

__all__ = ["ROIPooling"]

Part = tuple[int, int]


def _round(values: Any) -> Any:
    """C's round: halves away from 0."""
    return np.trunc(values + np.copysign(np.float32(0.5), values)).astype(np.int64)


@layer("inn.ROIPooling", takes="table")
class ROIPooling(Module):
    """``inn.ROIPooling(W, H[, spatial_scale])``: the largest element of each of W x H parts of regions.

    Shapes: ``{(batch, planes, h, w), (n, 5)}`` -> ``(n, planes, H, W)``. A region is the number of its image and x1,
    y1, x2, y2, all from 1; its coordinates are multiplied by spatial_scale (1), which ``m:setSpatialScale(s)`` sets.
    With the field ``v2`` (true) parts meet at rounded coordinates and x2, y2 do not belong to the region; without it
    parts may overlap and they do. A part outside the image gives 0. gradInput is a table of the images' gradient and
    zeros. ``indices`` has the positions of the largest elements in their planes, from 0, and -1 for empty parts.
    """

    traced = False
    fields: ClassVar[tuple[str, ...]] = (
        "W",
        "H",
        "spatial_scale",
        "indices",
        "v2",
        "gradInput_boxes",
        "gradInput_rois",
    )
    lua_methods: ClassVar[dict[str, str]] = {"setSpatialScale": "setSpatialScale"}
    v2: bool | None = None  # files of old versions do not have it
    indices: torch.Tensor
    spatial_scale: float = 1

    def __init__(self, W: int, H: int, spatial_scale: float | None = None) -> None:
        super().__init__()
        for what, value in (("W", W), ("H", H)):
            if number("inn.ROIPooling", what, value) < 1:
                raise TorchError(f"inn.ROIPooling: {what} must be at least 1")
        self.W, self.H = W, H
        self.spatial_scale = (
            1 if spatial_scale is None else number("inn.ROIPooling", "spatial_scale", spatial_scale)
        )
        self.v2 = True
        self.keep("indices", torch.empty(0, dtype=torch.int64, device=self.new().device))
        self.__dict__["gradInput"] = []

    def setSpatialScale(self, scale: float) -> ROIPooling:
        """``m:setSpatialScale(s)``"""
        self.spatial_scale = number(self.class_name, "the scale", scale)
        return self

    def _parts(self, first: Any, last: Any, count: int, size: int) -> list[Part]:
        """From where to where the parts of a region reach, in an image of this size. The original computes in float."""
        scale = np.float32(self.spatial_scale)
        start = int(_round((first - np.float32(1)) * scale))
        end = int(_round((last - np.float32(1)) * scale)) - (1 if truthy(self.v2) else 0)
        step = np.float32(max(end - start + 1, 1)) / np.float32(count)
        borders = np.arange(count + 1, dtype=np.float32) * step
        if truthy(self.v2):
            low = high = _round(borders)
        else:
            low, high = np.floor(borders).astype(np.int64), np.ceil(borders).astype(np.int64)
        return list(
            zip(
                np.clip(low[:-1] + start, 0, size).tolist(),
                np.clip(high[1:] + start, 0, size).tolist(),
                strict=True,
            )
        )

    def _pair(self, input: Any) -> tuple[torch.Tensor, torch.Tensor]:
        images, regions = tensors(self, input, 2)
        if images.dim() != 4 or regions.dim() != 2 or regions.shape[1] != 5 or 0 in images.shape:
            raise TorchError(
                f"{self.class_name}: images (batch, planes, h, w) and regions (n, 5) expected, not "
                f"{argument_text(images)} and {argument_text(regions)}"
            )
        return images, regions

    def _largest(self, images: torch.Tensor, regions: torch.Tensor) -> torch.Tensor:
        """Where the largest elements of all parts are, ``(n, planes, H, W)``; -1 for parts without elements."""
        _, planes, height, width = images.shape
        indices = torch.full((len(regions), planes, int(self.H), int(self.W)), -1, device=images.device)
        if regions.is_meta:  # which has sizes alone
            return indices
        for n, values in enumerate(regions.detach().float().tolist()):
            row = np.array(values, dtype=np.float32)
            index = int(row[0]) - 1
            if not 0 <= index < len(images):
                raise TorchError(
                    f"{self.class_name}: region {n + 1} is of image {index + 1} of {len(images)}"
                )
            image = images[index].detach()
            # Along the rows first, then down the columns: of equal elements the first one in row-major order counts.
            best = []
            for left, right in self._parts(row[1], row[3], int(self.W), width):
                best.append(image[:, :, left:right].max(2) if right > left else None)
            for h, (top, bottom) in enumerate(self._parts(row[2], row[4], int(self.H), height)):
                for w, of_rows in enumerate(best):
                    if of_rows is None or bottom <= top:
                        continue
                    down = of_rows.values[:, top:bottom].max(1).indices + top
                    across = of_rows.indices.gather(1, down.unsqueeze(1)).squeeze(1)
                    indices[n, :, h, w] = down * width + across
            for w, (left, _) in enumerate(self._parts(row[1], row[3], int(self.W), width)):
                part = indices[n, :, :, w]
                part[part >= 0] += left
        return indices

    def _flat(self, images: torch.Tensor, regions: torch.Tensor) -> torch.Tensor:
        """The planes of each region's image, ``(n, planes, h * w)``."""
        return images.flatten(2)[regions[:, 0].detach().long() - 1]

    def forward(self, input: Any) -> torch.Tensor:
        images, regions = self._pair(input)
        indices = self._largest(images, regions)
        self.note("indices", indices)
        values = self._flat(images, regions).gather(2, indices.clamp(min=0).flatten(2)).view(indices.shape)
        return torch.where(indices >= 0, values, 0)

    def updateGradInput(self, input: Any, gradOutput: torch.Tensor) -> Any:
        images, regions = self._pair(input)
        indices = whole_indices(self)
        if len(indices) != len(regions):
            raise TorchError(
                f"{self.class_name}: a backward of {len(regions)} regions after a forward of {len(indices)}"
            )
        gradient = torch.where(indices >= 0, gradient_of(self, gradOutput, indices.shape), 0)
        planes = torch.zeros_like(images.data, memory_format=torch.contiguous_format).flatten(2)
        index = regions[:, 0].long() - 1
        for n, image in enumerate(index.tolist()):
            planes[image].scatter_add_(1, indices[n].clamp(min=0).flatten(1), gradient[n].flatten(1))
        boxes = self.keep("gradInput_boxes", planes.view(images.shape))
        zeros = self.keep("gradInput_rois", torch.zeros_like(regions))
        return self.keep_list("gradInput", [boxes, zeros])

    def clearState(self) -> Module:
        self.clear("gradInput_rois", "gradInput_boxes", "indices")
        return super().clearState()

    def describe(self) -> str:
        return self.class_name
