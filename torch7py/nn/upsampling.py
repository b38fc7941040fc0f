"""Layers that make images and volumes larger: UpSampling and its spatial kin, PixelShuffle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn import half_kernels
from torch7py.nn.arguments import size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import number
from torch7py.nn.registry import layer
from torch7py.nn.shape import long_storage
from torch7py.nn.window import Gridded, text_of
from torch7py.ops.errors import TorchError
from torch7py.ops.tracing import numbers_known

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


def gather(gradient: torch.Tensor, factor: int) -> torch.Tensor:
    """The transpose of ``repeat``: the sum of each element's repetitions."""
    pool = F.avg_pool2d if gradient.dim() == 4 else half_kernels.avg_pool3d
    return pool(gradient, factor, divisor_override=1)


def interpolate(batch: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
    """Planes interpolated linearly to other sizes, corner on corner."""
    olds = batch.shape[2:]
    result = _mapped(batch, [_weights(old, new, batch.dtype) for old, new in zip(olds, sizes, strict=True)])
    return result if _is_finite(result) or olds == torch.Size(sizes) else _neighbours(batch, olds, sizes)


def collect(gradient: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
    """The transpose of ``interpolate``."""
    news = gradient.shape[2:]
    weights = [_weights(old, new, gradient.dtype).t() for old, new in zip(sizes, news, strict=True)]
    result = _mapped(gradient, weights)
    return (
        result
        if _is_finite(result) or news == torch.Size(sizes)
        else _neighbours(gradient, sizes, news, back=True)
    )


def _is_finite(result: torch.Tensor) -> bool:
    """Whether a product can have spread no NaN or infinity, as far as is known without waiting for a GPU."""
    return result.device.type != "cpu" or not numbers_known(result) or math.isfinite(result.sum().item())


def _neighbours(
    batch: torch.Tensor, olds: Sequence[int], news: Sequence[int], back: bool = False
) -> torch.Tensor:
    """The same as ``_mapped``, of the two nearest elements alone, so that a NaN stays where the original has it."""
    for dim in range(2, batch.dim()) if back else range(batch.dim() - 1, 1, -1):
        old = olds[dim - 2]
        below, above, part = _places(old, news[dim - 2], batch.dtype)
        part = part.view(-1, *[1] * (batch.dim() - dim - 1))
        if back:
            shape = (*batch.shape[:dim], old, *batch.shape[dim + 1 :])
            sums = batch.new_zeros(shape).index_add_(dim, below, batch * (1 - part))
            batch = sums.index_add_(dim, above, batch * part)
        else:
            batch = batch.index_select(dim, below) * (1 - part) + batch.index_select(dim, above) * part
    return batch


def _mapped(batch: torch.Tensor, matrices: Sequence[torch.Tensor]) -> torch.Tensor:
    """Each dimension of the planes mapped by its matrix; one without a change of size is left out."""
    shape = list(batch.shape)
    mapped = batch
    for dim, matrix in enumerate(matrices, 2):
        new, old = matrix.shape
        if new == old:
            continue
        before, after = math.prod(shape[:dim]), math.prod(shape[dim + 1 :])
        columns = mapped.reshape(before, old, after)
        mapped = torch.bmm(matrix.to(batch.device).expand(before, new, old), columns)
        shape[dim] = new
    return batch.clone() if mapped is batch else mapped.view(shape)


@lru_cache(maxsize=64)
def _weights(old: int, new: int, dtype: torch.dtype) -> torch.Tensor:
    """What each old place contributes to each new one, ``(new, old)``."""
    below, above, part = _places(old, new, dtype)
    rows = torch.arange(new)
    weights = torch.zeros(new, old, dtype=dtype)
    weights.index_put_((rows, below), 1 - part, accumulate=True)
    weights.index_put_((rows, above), part, accumulate=True)
    return weights


def _places(old: int, new: int, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """For each new place the two old ones beside it, and the share of the second.

    They are computed in single precision whatever the type, as in the original.
    """
    step = torch.tensor(old - 1, dtype=torch.float32) / (new - 1) if new > 1 else torch.tensor(0.0)
    position = step.float() * torch.arange(new, dtype=torch.float32)
    below = position.long()
    return below, (below + 1).clamp(max=old - 1), (position - below).to(dtype)


class _UpSampling(Gridded):
    """A layer that shows the sizes of its last input and output, as LongStorages."""

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


@layer("nn.SpatialUpSamplingNearest", keeps_rank=True, example="C H W")
class SpatialUpSamplingNearest(_UpSampling):
    """``nn.SpatialUpSamplingNearest(scale)``: every pixel scale times in both directions.

    Shapes: ``(planes, h, w)`` -> ``(planes, scale * h, scale * w)``, or both as a batch.
    """

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale_factor = whole_scale(self.torch7_name, scale)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return self.like_input(repeat(self.as_batch(input), int(self.scale_factor)), input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        batch, factor = self.as_batch(input), int(self.scale_factor)
        shape = (*batch.shape[:2], *(size * factor for size in batch.shape[2:]))
        return self.like_input(gather(self.gradient_batch(gradOutput, input, shape), factor), input)


class _Interpolating(_UpSampling):
    """A layer that is given the output's sizes, or a factor."""

    def wanted(self, sizes: Sequence[int]) -> list[int]:
        if self.scale_factor is not None:
            return [size * int(self.scale_factor) for size in sizes]
        sizes_wanted = [getattr(self, name, None) for name in ("odepth", "oheight", "owidth")[-len(sizes) :]]
        if any(size is None for size in sizes_wanted):
            raise TorchError(f"{self.class_name}: a volume needs odepth")
        return [int(size) for size in sizes_wanted if size is not None]

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


@layer("nn.SpatialUpSamplingBilinear", keeps_rank=True, example="C H W")
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

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        batch = self.as_batch(input)
        shape = (*batch.shape[:2], *self.wanted(batch.shape[2:]))
        gradient = self.gradient_batch(gradOutput, input, shape)
        return self.like_input(collect(gradient, batch.shape[2:]), input)

    def describe(self) -> str:
        if self.scale_factor is not None:
            return f"{self.class_name}({int(self.scale_factor)})"
        return f"{self.class_name}({int(self.oheight)}, {int(self.owidth)})"


@layer("nn.UpSampling", keeps_rank=True)
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

    def checked(self, input: torch.Tensor) -> torch.Tensor:
        if input.dim() not in (4, 5) or input.numel() == 0:
            raise TorchError(
                f"{self.class_name}: the input must have 4 or 5 dimensions, not {size_text(input)}"
            )
        return input

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        batch = self.checked(input)
        if self.mode == "nearest":
            return repeat(batch, int(self.scale_factor))
        return interpolate(batch, self.wanted(batch.shape[2:]))

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        batch = self.checked(input)
        shape = (*batch.shape[:2], *self.wanted(batch.shape[2:]))
        gradient = self.gradient_batch(gradOutput, input, shape)
        if self.mode == "nearest":
            return gather(gradient, int(self.scale_factor))
        return collect(gradient, batch.shape[2:])

    def describe(self) -> str:
        if self.scale_factor is not None:
            size = f"{int(self.scale_factor)}x"
        else:
            sizes = [getattr(self, name, None) for name in ("odepth", "oheight", "owidth")]
            size = text_of([int(s) for s in sizes if s is not None], "x")
        return f"{self.class_name}({size}, {self.mode})"


@layer("nn.PixelShuffle", keeps_rank=True, example="C H W")
class PixelShuffle(Gridded):
    """``nn.PixelShuffle(upscaleFactor)``: r * r planes become one that is r times as large in both directions.

    Shapes: ``(r * r * planes, h, w)`` -> ``(planes, r * h, r * w)``, or both as a batch. (Shi et al., 2016.)
    """

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

    def checked(self, input: torch.Tensor) -> torch.Tensor:
        batch = self.as_batch(input)
        if batch.shape[1] % int(self.upscaleFactorSquared):
            raise TorchError(
                f"{self.class_name}: the input of {size_text(input)} has {batch.shape[1]} planes, "
                f"not a multiple of {self.upscaleFactorSquared}"
            )
        return batch

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return self.like_input(torch.pixel_shuffle(self.checked(input), int(self.upscaleFactor)), input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        batch, factor = self.checked(input), int(self.upscaleFactor)
        planes = batch.shape[1] // int(self.upscaleFactorSquared)
        shape = (len(batch), planes, *(size * factor for size in batch.shape[2:]))
        return self.like_input(
            torch.pixel_unshuffle(self.gradient_batch(gradOutput, input, shape, exact=False), factor), input
        )

    def clearState(self) -> Module:
        self.clear("_intermediateShape", "_outShape", "_shuffleIn", "_shuffleOut")
        return super().clearState()
