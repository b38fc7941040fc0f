"""Pooling with windows at random distances, so that the planes shrink by any factor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn.base import Module
from torch7py.nn.checks import check_shape, number
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.nn.shape import long_storage
from torch7py.nn.window import Gridded, text_of
from torch7py.nn.window_max import nan_as_least, put_back, whole_indices
from torch7py.ops.errors import TorchError
from torch7py.ops.random import uniform_

__all__ = ["SpatialFractionalMaxPooling", "VolumetricFractionalMaxPooling"]


class _Fractional(Gridded):
    """``axes`` is the order in which the arguments name the dimensions, ``grid`` that of the planes."""

    lua_methods = names(
        "fixPoolingRegions", empty="clearState", getBufferSize_="buffer_size", initSampleBuffer_="samples_for"
    )
    axes: ClassVar[str]
    randomSamples: torch.Tensor | None = None
    indices: torch.Tensor | None = None

    def set_sizes(self, pools: Sequence[float], sizes: Sequence[float]) -> None:
        """Sizes of the output, or, where one is below 1, ratios to the input's."""
        name = self.torch7_name
        for axis, pool in zip(self.axes, pools, strict=True):
            if number(name, "poolSize" + axis, pool) < 2:
                raise TorchError(f"{name}: poolSize{axis} must be at least 2")
            setattr(self, "poolSize" + axis, pool)
        self.newRandomPool = False
        exact = all(number(name, "size", size) >= 1 for size in sizes)
        for axis, size in zip(self.axes, sizes, strict=True):
            if not exact and not 0 < size < 1:
                raise TorchError(f"{name}: a ratio must be above 0 and below 1, not {size}")
            setattr(self, ("out" if exact else "ratio") + axis, size)

    def fixPoolingRegions(self, val: bool = True) -> Any:
        """``m:fixPoolingRegions([val])``: keep the windows of the last forward for the next ones."""
        self.newRandomPool = val
        return self

    def output_grid(self, batch: torch.Tensor) -> list[int]:
        grid = []
        for axis, size in zip(self.grid, batch.shape[2:], strict=True):
            ratio = getattr(self, "ratio" + axis, None)
            count = int(getattr(self, "out" + axis)) if ratio is None else math.floor(size * ratio)
            pool = int(getattr(self, "poolSize" + axis))
            if count < 1 or count + pool > size:
                raise TorchError(
                    f"{self.class_name}: {count} windows of {pool} do not fit planes of "
                    f"{text_of(batch.shape[2:], 'x')}"
                )
            grid.append(count)
        return grid

    def buffer_size(self, input: torch.Tensor) -> Any:
        """``m:getBufferSize_(input)``: the sizes of ``randomSamples`` for an input."""
        return long_storage(*self.as_batch(input).shape[:2], len(self.grid))

    def samples_for(self, input: torch.Tensor) -> None:
        """``m:initSampleBuffer_(input)``: draw what the next forward of this input would draw first."""
        self.keep("randomSamples", self.samples(self.as_batch(input)))

    def samples(self, batch: torch.Tensor) -> torch.Tensor:
        """A random number for each plane and dimension along ``axes``; new ones unless the windows are fixed."""
        shape = (*batch.shape[:2], len(self.grid))
        held = self.randomSamples
        if held is None or held.shape != shape:
            return self.note(
                "randomSamples", uniform_(torch.empty(shape, dtype=batch.dtype, device=batch.device))
            )
        if not self.newRandomPool:
            return uniform_(held if self.noting else torch.empty_like(held))
        return held

    def pool(self, input: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The input as a batch, and the places of the largest in their planes, from 1; keeps the indices."""
        batch = self.as_batch(input)
        grid = self.output_grid(batch)
        samples = self.samples(batch)
        # PyTorch takes the samples in the order of the grid's dimensions, in the plane the last one first
        order = [self.axes.index(axis) for axis in self.grid]
        samples = samples[..., order] if len(grid) == 3 else samples[..., order[::-1]]
        kernel = [int(getattr(self, "poolSize" + axis)) for axis in self.grid]
        pool = partial(
            F.fractional_max_pool2d if len(grid) == 2 else F.fractional_max_pool3d,
            kernel_size=kernel,
            output_size=grid,
            return_indices=True,
            _random_samples=samples.contiguous(),
        )
        values, indices = pool(batch.detach())
        plain = nan_as_least(batch.detach(), values) if self.noting else None
        if plain is not None:
            values, indices = pool(plain)
            if (values == -math.inf).any():
                raise TorchError(f"{self.class_name}: a window without a number above -inf")
        indices = indices + 1
        self.note("indices", self.like_input(indices, input))
        return batch, indices

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        batch, indices = self.pool(input)
        output = batch.flatten(2).gather(2, indices.flatten(2) - 1).view(indices.shape)
        return self.like_input(output, input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        batch = self.as_batch(input)
        indices = whole_indices(self)
        gradient = self.gradient_batch(gradOutput, input, (*batch.shape[:2], *self.output_grid(batch)))
        check_shape(self, "gradOutput", self.like_input(gradient, input), indices)
        return self.like_input(put_back(gradient, indices.view(gradient.shape), batch.shape[2:]), input)

    def clearState(self) -> Module:
        self.__dict__["indices"] = self.__dict__["randomSamples"] = None
        return super().clearState()

    def describe(self) -> str:
        ratios = getattr(self, "ratio" + self.axes[0], None) is not None
        kind = "ratio" if ratios else "out"
        sizes = [int(getattr(self, kind + axis)) for axis in self.axes]  # upstream's ratios show as 0
        pools = [int(getattr(self, "poolSize" + axis)) for axis in self.axes]
        return f"{self.class_name}({text_of(sizes, 'x')}, {text_of(pools)})"


@layer("nn.SpatialFractionalMaxPooling", keeps_rank=True, draws=True, example="C H W")
class SpatialFractionalMaxPooling(_Fractional):
    """``nn.SpatialFractionalMaxPooling(poolSizeW, poolSizeH, outW, outH)`` or ``(..., ratioW, ratioH)``: the largest
    element of windows at random, overlapping places.

    Shapes: ``(planes, h, w)`` -> ``(planes, outH, outW)``, or both as a batch; with ratios between 0 and 1 the
    sizes are ``floor(h * ratioH)`` and ``floor(w * ratioW)``. Each plane has its own windows, new ones at every
    forward, also in evaluation, but not after ``m:fixPoolingRegions()``. ``indices`` as for
    ``nn.SpatialMaxPooling``. (Graham, 2014.)
    """

    axes = "WH"
    fields: ClassVar[tuple[str, ...]] = (
        *("poolSizeW", "poolSizeH", "randomSamples", "newRandomPool"),
        *("outW", "outH", "ratioW", "ratioH", "indices"),
    )

    def __init__(self, poolSizeW: int, poolSizeH: int, arg1: float, arg2: float) -> None:
        super().__init__()
        self.set_sizes((poolSizeW, poolSizeH), (arg1, arg2))


@layer("nn.VolumetricFractionalMaxPooling", keeps_rank=True, draws=True, example="C T H W")
class VolumetricFractionalMaxPooling(_Fractional):
    """``nn.VolumetricFractionalMaxPooling(poolSizeT, poolSizeW, poolSizeH, outT, outW, outH)`` or
    ``(..., ratioT, ratioW, ratioH)``: ``nn.SpatialFractionalMaxPooling`` of volumes whose last dimension is the
    time.

    Shapes: ``(planes, h, w, t)`` -> ``(planes, outH, outW, outT)``, or both as a batch.
    """

    grid = "HWT"
    axes = "TWH"
    fields: ClassVar[tuple[str, ...]] = (
        *("poolSizeT", "poolSizeW", "poolSizeH", "randomSamples", "newRandomPool"),
        *("outT", "outW", "outH", "ratioT", "ratioW", "ratioH", "indices"),
    )

    def __init__(
        self, poolSizeT: int, poolSizeW: int, poolSizeH: int, arg1: float, arg2: float, arg3: float
    ) -> None:
        super().__init__()
        self.set_sizes((poolSizeT, poolSizeW, poolSizeH), (arg1, arg2, arg3))
