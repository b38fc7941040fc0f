"""Layers that make images and volumes larger: UpSampling and its spatial kin, PixelShuffle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import number
from torch7py.nn.registry import layer
from torch7py.nn.shape import long_storage
from torch7py.nn.window import Gridded, text_of
from torch7py.ops.errors import TorchError

__all__ = ["PixelShuffle", "SpatialUpSamplingBilinear", "SpatialUpSamplingNearest", "UpSampling"]


def whole_scale(name: str, scale: Any) -> Any:
    """A scale factor, which must be a whole number from 1 on."""
    if number(name, "scale_factor", scale) < 1 or math.floor(scale) != scale:
        raise TorchError(f"{name}: scale_factor must be a whole number from 1 on, not {scale}")
    return scale


def repeat(batch: torch.Tensor, factor: int) -> torch.Tensor:
    """Every element of the planes, factor times along each of their dimensions."""
    shape = list(batch.shape)
    spread = batch
    for dim in range(batch.dim(), 2, -1):
        spread = spread.unsqueeze(dim)
    doubled = [size for old in shape[2:] for size in (old, factor)]
    return spread.expand(*shape[:2], *doubled).reshape(*shape[:2], *(old * factor for old in shape[2:]))


def interpolate(batch: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
    """Planes interpolated linearly to other sizes, corner on corner."""
    if batch.shape[2:] == torch.Size(sizes):
        return batch.clone()
    for dim, size in enumerate(sizes, 2):
        batch = torch.tensordot(batch, _weights(batch, batch.shape[dim], size), ([dim], [1])).movedim(-1, dim)
    return batch


def _weights(like: torch.Tensor, old: int, new: int) -> torch.Tensor:
    """What each old place contributes to each new one, ``(new, old)``.

    Places are computed in single precision whatever the type, as in the original.
    """
    step = torch.tensor(old - 1, dtype=torch.float32) / (new - 1) if new > 1 else torch.tensor(0.0)
    place = step.float() * torch.arange(new, dtype=torch.float32)
    below = place.long()
    part = (place - below).to(like.dtype)
    rows = torch.arange(new)
    weights = torch.zeros(new, old, dtype=like.dtype)
    weights.index_put_((rows, below), 1 - part, accumulate=True)
    weights.index_put_((rows, (below + 1).clamp(max=old - 1)), part, accumulate=True)
    return weights.to(like.device)


class _UpSampling(Gridded):
    """A layer that shows the sizes of its last input and output, as LongStorages."""

    traced = True
    fields: ClassVar[tuple[str, ...]] = ("scale_factor", "inputSize", "outputSize")
    dims: ClassVar[int] = 4
    scale_factor: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.inputSize, self.outputSize = (long_storage(*[0] * self.dims) for _ in range(2))

    def updateOutput(self, input: Any) -> Any:
        output = super().updateOutput(input)
        for name, tensor in (("inputSize", input), ("outputSize", output)):
            setattr(self, name, long_storage(*tensor.shape, *[0] * (self.dims - tensor.dim())))
        return output


@layer("nn.SpatialUpSamplingNearest")
class SpatialUpSamplingNearest(_UpSampling):
    """``nn.SpatialUpSamplingNearest(scale)``: every pixel scale times in both directions.

    Shapes: ``(planes, h, w)`` -> ``(planes, scale * h, scale * w)``, or both as a batch.
    """

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale_factor = whole_scale(self.torch7_name, scale)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return self.like_input(repeat(self.as_batch(input), int(self.scale_factor)), input)


class _Interpolating(_UpSampling):
    """A layer that is given the output's sizes, or a factor."""

    def wanted(self, sizes: Sequence[int]) -> list[int]:
        if self.scale_factor is not None:
            return [size * int(self.scale_factor) for size in sizes]
        found = [getattr(self, name, None) for name in ("odepth", "oheight", "owidth")[-len(sizes) :]]
        if any(size is None for size in found):
            raise TorchError(f"{self.class_name}: a volume needs odepth")
        return [int(size) for size in found if size is not None]

    def set_sizes(self, params: Any, names: Sequence[str]) -> None:
        """Keep a factor, or the sizes by these names out of a table."""
        if not isinstance(params, dict):
            self.scale_factor = whole_scale(self.torch7_name, params)
            return
        for name in names:
            value = params.get(name)
            if value is not None:
                setattr(self, name, number(self.torch7_name, name, value))
            elif name != "odepth":
                raise TorchError(f"{self.torch7_name}: the table must have {name}")


@layer("nn.SpatialUpSamplingBilinear")
class SpatialUpSamplingBilinear(_Interpolating):
    """``nn.SpatialUpSamplingBilinear(scale)`` or ``({oheight=, owidth=})``: images interpolated bilinearly.

    Shapes: ``(planes, h, w)`` -> ``(planes, scale * h, scale * w)`` or ``(planes, oheight, owidth)``, or both as a
    batch. The corners of the image become the corners of the output.
    """

    fields: ClassVar[tuple[str, ...]] = ("owidth", "oheight")

    def __init__(self, params: Any) -> None:
        super().__init__()
        self.set_sizes(params, ("owidth", "oheight"))

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        batch = self.as_batch(input)
        return self.like_input(interpolate(batch, self.wanted(batch.shape[2:])), input)

    def describe(self) -> str:
        if self.scale_factor is not None:
            return f"{self.class_name}({int(self.scale_factor)})"
        return f"{self.class_name}({int(self.oheight)}, {int(self.owidth)})"


@layer("nn.UpSampling")
class UpSampling(_Interpolating):
    """``nn.UpSampling(scale[, mode])`` or ``({odepth=, oheight=, owidth=}, mode)``: images or volumes made larger.

    Shapes: ``(batch, planes, h, w)`` or ``(batch, planes, t, h, w)``. The mode is ``'nearest'``, which repeats elements
    and needs a factor, or ``'linear'`` (also ``'bilinear'``, ``'trilinear'``), which interpolates, corner on corner.
    Any other counts as ``'nearest'``.
    """

    fields: ClassVar[tuple[str, ...]] = ("mode", "odepth", "owidth", "oheight")
    dims = 5

    def __init__(self, params: Any, mode: str | None = None) -> None:
        super().__init__()
        self.mode = "linear" if mode in ("linear", "bilinear", "trilinear") else "nearest"
        if isinstance(params, dict) and self.mode == "nearest":
            raise TorchError(f"{self.torch7_name}: mode 'nearest' needs a scale factor")
        self.set_sizes(params, ("odepth", "owidth", "oheight"))

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if input.dim() not in (4, 5) or input.numel() == 0:
            raise TorchError(
                f"{self.class_name}: the input must have 4 or 5 dimensions, not {size_text(input)}"
            )
        if self.mode == "nearest":
            return repeat(input, int(self.scale_factor))
        return interpolate(input, self.wanted(input.shape[2:]))

    def describe(self) -> str:
        if self.scale_factor is not None:
            size = f"{int(self.scale_factor)}x"
        else:
            sizes = [getattr(self, name, None) for name in ("odepth", "oheight", "owidth")]
            size = text_of([int(s) for s in sizes if s is not None], "x")
        return f"{self.class_name}({size}, {self.mode})"


@layer("nn.PixelShuffle")
class PixelShuffle(Gridded):
    """``nn.PixelShuffle(upscaleFactor)``: r * r planes become one that is r times as large in both directions.

    Shapes: ``(r * r * planes, h, w)`` -> ``(planes, r * h, r * w)``, or both as a batch. (Shi et al., 2016.)
    """

    traced = True
    fields: ClassVar[tuple[str, ...]] = (
        *("upscaleFactor", "upscaleFactorSquared"),
        *("_intermediateShape", "_outShape", "_shuffleIn", "_shuffleOut"),
    )

    def __init__(self, upscaleFactor: int) -> None:
        super().__init__()
        if number(self.torch7_name, "upscaleFactor", upscaleFactor) < 1:
            raise TorchError(f"{self.torch7_name}: upscaleFactor must be at least 1")
        self.upscaleFactor = upscaleFactor
        self.upscaleFactorSquared = upscaleFactor * upscaleFactor

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        batch = self.as_batch(input)
        if batch.shape[1] % int(self.upscaleFactorSquared):
            raise TorchError(
                f"{self.class_name}: the input of {size_text(input)} has {batch.shape[1]} planes, "
                f"not a multiple of {self.upscaleFactorSquared}"
            )
        return self.like_input(torch.pixel_shuffle(batch, int(self.upscaleFactor)), input)

    def clearState(self) -> Module:
        self.clear("_intermediateShape", "_outShape", "_shuffleIn", "_shuffleOut")
        return super().clearState()
