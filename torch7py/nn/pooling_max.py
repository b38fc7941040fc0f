"""Pooling by the largest element: in windows, and in as many parts as asked for. unpooling.py is the way back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F

from torch7py.nn.base import Module
from torch7py.nn.checks import check_shape, number
from torch7py.nn.convolution import check_dilation
from torch7py.nn.object import names
from torch7py.nn.pooling import Parts, Pooling, even_parts
from torch7py.nn.registry import layer
from torch7py.nn.window import Gridded, text_of
from torch7py.nn.window_max import largest, nan_as_least, put_back, whole_indices
from torch7py.ops.errors import TorchError
from torch7py.ops.tracing import numbers_known

__all__ = [
    "MaxPooling",
    "SpatialAdaptiveMaxPooling",
    "SpatialDilatedMaxPooling",
    "SpatialMaxPooling",
    "VolumetricDilatedMaxPooling",
    "VolumetricMaxPooling",
]


class MaxPooling(Pooling):
    """The largest element of each window; ``indices`` keeps where it was."""

    lua_methods = names(empty="clearState")
    sizes: ClassVar[tuple[str, ...]] = ("iheight", "iwidth")  # fields with the sizes of the input's planes
    indices: torch.Tensor | None = None

    def start(self) -> None:
        self.ceil_mode = False
        self.keep("indices", torch.empty(0, dtype=torch.int64, device=self.new().device))

    def encode(self, positions: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
        """Places in the planes, from 1, as ``indices`` has them."""
        return positions

    def decode(self, indices: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
        return indices

    def pool(self, input: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The input as a batch, the largest of every window and its place; keeps the indices."""
        batch = self.as_batch(input)
        window, grid = self.window(), self.windows_of(batch)
        values, positions = largest(batch.detach(), window, grid)
        if self.noting:
            plain = nan_as_least(batch.detach(), values)
            if plain is not None:
                values, positions = largest(plain, window, grid)
                self._mark_empty_windows(values, positions)
                values.clamp_(min=torch.finfo(values.dtype).min)
            self.__dict__["_some_nowhere"] = plain is not None
        if self.noting or self.is_looked_into():
            indices = self.encode(positions, batch.shape[2:])
            self.keep("indices", self.like_input(indices, input))
            self.__dict__.update(zip(self.sizes, batch.shape[2:], strict=True))
        return batch, values, positions

    def _mark_empty_windows(self, values: torch.Tensor, positions: torch.Tensor) -> None:
        """A window without a number above -inf has no place: it is 0. The output is the type's least number."""
        positions.masked_fill_(values == -math.inf, 0)

    def is_looked_into(self) -> bool:
        """Whether an unpooling reads the places of a forward from Python, which is so where these outlive it."""
        return "_unpooled" in self.__dict__ and numbers_known()

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        batch, values, positions = self.pool(input)
        output = batch.flatten(2).gather(2, positions.flatten(2) - 1).view(values.shape)
        return self.like_input(output, input)

    def updateOutput(self, input: torch.Tensor) -> Any:
        _, values, _ = self.noted(self.pool, input)
        return self.keep_output(self.like_input(values, input), input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        batch = self.as_batch(input)
        indices = whole_indices(self)
        gradient = self.gradient_batch(gradOutput, input, (*batch.shape[:2], *self.windows_of(batch)))
        check_shape(self, "gradOutput", self.like_input(gradient, input), indices)
        positions = self.decode(indices.view(gradient.shape), batch.shape[2:])
        some_nowhere = self.__dict__.get("_some_nowhere", True)
        return self.like_input(put_back(gradient, positions, batch.shape[2:], some_nowhere), input)

    def clearState(self) -> Module:
        self.clear("indices")
        return super().clearState()


@layer("nn.SpatialMaxPooling", keeps_rank=True, example="C H W")
class SpatialMaxPooling(MaxPooling):
    """``nn.SpatialMaxPooling(kW, kH[, dW, dH, padW, padH])``: the largest element of each window.

    Shapes: ``(planes, h, w)`` -> ``(planes, oh, ow)``, or both as a batch;
    ``ow = floor((w + 2 padW - kW) / dW) + 1``, after ``m:ceil()`` with ceil for floor; a last window that would
    begin in the margin is left out. The steps are kW and kH by default, the padding, which never is the largest,
    0. ``indices`` has the place of each in its plane, row after row from 1. A NaN is passed over; a window without
    a number above -inf has place 0, and no gradient. PyTorch's ``m(x)`` takes a NaN for the largest.
    """

    fields: ClassVar[tuple[str, ...]] = (
        *("kW", "kH", "dW", "dH", "padW", "padH", "ceil_mode", "indices"),
        *("iheight", "iwidth"),
    )
    padW: float = 0
    padH: float = 0

    def __init__(
        self,
        kW: int,
        kH: int,
        dW: int | None = None,
        dH: int | None = None,
        padW: int = 0,
        padH: int = 0,
    ) -> None:
        super().__init__()
        step = (kW if dW is None else dW, kH if dH is None else dH)
        self.set_windows(k=(kW, kH), d=step, pad=(padW, padH))
        self.start()


@layer("nn.SpatialDilatedMaxPooling")
class SpatialDilatedMaxPooling(SpatialMaxPooling):
    """``nn.SpatialDilatedMaxPooling(kW, kH[, dW, dH, padW, padH, dilationW, dilationH])``:
    ``nn.SpatialMaxPooling`` with gaps between the window's elements, which lie dilationW and dilationH apart (1).
    """

    fields: ClassVar[tuple[str, ...]] = ("dilationW", "dilationH")

    def __init__(
        self,
        kW: int,
        kH: int,
        dW: int | None = None,
        dH: int | None = None,
        padW: int = 0,
        padH: int = 0,
        dilationW: int = 1,
        dilationH: int = 1,
    ) -> None:
        super().__init__(kW, kH, dW, dH, padW, padH)
        self.dilationW, self.dilationH = dilationW, dilationH
        check_dilation(self)

    def dilation(self) -> tuple[int, ...]:
        return self.along("dilation")

    def further_text(self) -> str:
        return f", {text_of(self.shown('dilation'))}"


@layer("nn.VolumetricMaxPooling", keeps_rank=True, example="C T H W")
class VolumetricMaxPooling(MaxPooling):
    """``nn.VolumetricMaxPooling(kT, kW, kH[, dT, dW, dH, padT, padW, padH])``: ``nn.SpatialMaxPooling`` with time as a
    further dimension.

    Shapes: ``(planes, t, h, w)``, or a batch of such. ``indices`` has the place of each in its window, from 0, as
    ``t + 256 * h + 65536 * w``.
    """

    version = 2
    grid = "THW"
    axes = "TWH"
    sizes = ("itime", "iheight", "iwidth")
    fields: ClassVar[tuple[str, ...]] = (
        *("kT", "kH", "kW", "dT", "dW", "dH", "padT", "padW", "padH", "ceil_mode", "indices"),
        *sizes,
    )
    padT: float = 0
    padW: float = 0
    padH: float = 0

    def __init__(
        self,
        kT: int,
        kW: int,
        kH: int,
        dT: int | None = None,
        dW: int | None = None,
        dH: int | None = None,
        padT: int = 0,
        padW: int = 0,
        padH: int = 0,
    ) -> None:
        super().__init__()
        step = [k if d is None else d for k, d in ((kT, dT), (kW, dW), (kH, dH))]
        self.set_windows(k=(kT, kW, kH), d=step, pad=(padT, padW, padH))
        self.start()

    def _mark_empty_windows(self, values: torch.Tensor, positions: torch.Tensor) -> None:
        """No code says that there is none: it is the window's first element."""

    def encode(self, positions: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
        whole, of_position, of_start, _ = self._codes(sizes, positions.shape[2:], positions.device)
        code = of_position[positions - 1].sub_(of_start)
        return code if whole == 1 else code.floor_divide_(whole)

    def decode(self, indices: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
        positions = self._codes(sizes, indices.shape[2:], indices.device)[3].expand(indices.shape).clone()
        stride = 1
        for dim in reversed(range(len(sizes))):
            part = indices >> 8 * dim if dim else indices
            positions.add_(part.bitwise_and(255), alpha=self.window().dilation[dim] * stride)
            stride *= sizes[dim]
        return positions

    def _codes(
        self, sizes: Sequence[int], grid: Sequence[int], device: torch.device
    ) -> tuple[int, torch.Tensor, torch.Tensor, torch.Tensor]:
        """What the codes of elements are made of: a number, times which the code is the difference of two, one for
        each place in a plane and one for each window; and the place, from 1, where each window begins."""
        window = self.window()

        def make() -> tuple[int, torch.Tensor, torch.Tensor, torch.Tensor]:
            whole = math.lcm(*window.dilation)
            units = [(whole // dilation) << 8 * dim for dim, dilation in enumerate(window.dilation)]
            positions = [torch.arange(size, device=device) for size in sizes]
            starts = [
                torch.arange(count, device=device) * step - pad
                for count, step, pad in zip(grid, window.step, window.pad, strict=True)
            ]
            strides = [math.prod(sizes[dim + 1 :]) for dim in range(len(sizes))]
            of_position, of_start = (_outer_sum(numbers, units) for numbers in (positions, starts))
            return whole, of_position.flatten(), of_start, _outer_sum(starts, strides) + 1

        return window.remember(("codes", tuple(sizes), tuple(grid), device), make)


def _outer_sum(numbers: Sequence[torch.Tensor], factors: Sequence[int]) -> torch.Tensor:
    """The sum of one number out of each list, times its factor: for all combinations, a dimension for each list."""
    total = numbers[0] * factors[0]
    for some, factor in zip(numbers[1:], factors[1:], strict=True):
        total = total.unsqueeze(-1) + some * factor
    return total


@layer("nn.VolumetricDilatedMaxPooling")
class VolumetricDilatedMaxPooling(VolumetricMaxPooling):
    """``nn.VolumetricDilatedMaxPooling(kT, kW, kH[, dT, dW, dH, padT, padW, padH, dilationT, dilationW, dilationH])``:
    ``nn.VolumetricMaxPooling`` with gaps between the window's elements.

    A window of 4 or more that begins 2 or more before the input has all of its elements here; the original left some
    out.
    """

    fields: ClassVar[tuple[str, ...]] = ("dilationT", "dilationW", "dilationH")

    def __init__(
        self,
        kT: int,
        kW: int,
        kH: int,
        dT: int | None = None,
        dW: int | None = None,
        dH: int | None = None,
        padT: int = 0,
        padW: int = 0,
        padH: int = 0,
        dilationT: int = 1,
        dilationW: int = 1,
        dilationH: int = 1,
    ) -> None:
        super().__init__(kT, kW, kH, dT, dW, dH, padT, padW, padH)
        self.dilationT, self.dilationW, self.dilationH = dilationT, dilationW, dilationH
        check_dilation(self)

    def dilation(self) -> tuple[int, ...]:
        return self.along("dilation")

    def further_text(self) -> str:
        return f", {text_of(self.shown('dilation'))}"


@layer("nn.SpatialAdaptiveMaxPooling", keeps_rank=True, example="C H W")
class SpatialAdaptiveMaxPooling(Gridded):
    """``nn.SpatialAdaptiveMaxPooling(W, H)``: the largest element in each of W times H parts of the plane.

    Shapes: ``(planes, h, w)`` -> ``(planes, H, W)``, or both as a batch. Part i of n reaches from
    ``floor(i / n * size)`` to ``ceil((i + 1) / n * size)``, in single precision. ``indices`` has the row of each
    in its part, then the column, from 1: ``(2, ...)``.
    """

    fields: ClassVar[tuple[str, ...]] = ("W", "H", "indices")
    lua_methods = names(empty="clearState")
    indices: torch.Tensor | None = None

    def __init__(self, W: int, H: int) -> None:
        super().__init__()
        self.W = number(self.torch7_name, "W", W)
        self.H = number(self.torch7_name, "H", H)
        if min(W, H) < 1:
            raise TorchError(f"{self.torch7_name}: W and H must be at least 1")

    def pool(self, input: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The input as a batch, and the places of the largest in their planes, from 1; keeps the indices."""
        batch = self.as_batch(input)
        counts = (int(self.H), int(self.W))
        parts = [adaptive_parts(n, size) for n, size in zip(counts, batch.shape[2:], strict=True)]
        even = [even_parts(n, size) for n, size in zip(counts, batch.shape[2:], strict=True)]

        def places(images: torch.Tensor) -> torch.Tensor:
            if parts == even:
                return F.adaptive_max_pool2d(images, counts, return_indices=True)[1] + 1
            return _largest_of_parts(images, parts)

        positions = places(batch.detach())
        if self.noting:
            plain = nan_as_least(
                batch.detach(), batch.detach().flatten(2).gather(2, positions.flatten(2) - 1)
            )
            if plain is not None:
                positions = places(plain)
                batch = plain.clamp(min=torch.finfo(torch.float32).min)
            rows, columns = self._within(positions - 1, batch.shape[3], parts)
            self.keep("indices", torch.stack([self.like_input(t, input) + 1 for t in (rows, columns)]))
        return batch, positions

    def _within(
        self, positions: torch.Tensor, width: int, parts: list[list[tuple[int, int]]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Row and column in its part, from 0."""
        first_row, first_column = starts_of(parts, positions.device)
        return positions // width - first_row, positions % width - first_column

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        batch, positions = self.pool(input)
        output = batch.flatten(2).gather(2, positions.flatten(2) - 1).view(positions.shape)
        return self.like_input(output, input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        batch = self.as_batch(input)
        indices = whole_indices(self)
        gradient = self.gradient_batch(gradOutput, input, (*batch.shape[:2], int(self.H), int(self.W)))
        check_shape(self, "gradOutput", self.like_input(gradient, input), indices[0])
        rows, columns = (t.view(gradient.shape) - 1 for t in indices)
        parts = [adaptive_parts(n, s) for n, s in zip(gradient.shape[2:], batch.shape[2:], strict=True)]
        first_row, first_column = starts_of(parts, rows.device)
        positions = (rows + first_row) * batch.shape[3] + columns + first_column + 1
        return self.like_input(put_back(gradient, positions, batch.shape[2:]), input)

    def clearState(self) -> Module:
        self.clear("indices")
        return super().clearState()


def adaptive_parts(count: int, size: int) -> Parts:
    """The same as the original has them, which computed ``i / count * size`` in single precision."""
    edges = np.arange(count + 1, dtype=np.float32) / np.float32(count) * np.float32(size)
    return list(
        zip(np.floor(edges[:-1]).astype(int).tolist(), np.ceil(edges[1:]).astype(int).tolist(), strict=True)
    )


def starts_of(parts: Sequence[Parts], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """The first row of each part as a column, and the first column."""
    rows, columns = (torch.tensor([low for low, _ in part], device=device) for part in parts)
    return rows.view(-1, 1), columns


def _largest_of_parts(batch: torch.Tensor, parts: Sequence[Parts]) -> torch.Tensor:
    """The places of the largest of each part, from 1."""
    width = batch.shape[3]
    numbers = torch.arange(1, batch.shape[2] * width + 1, device=batch.device).view(-1, width)
    positions = []
    for top, bottom in parts[0]:
        for left, right in parts[1]:
            best = batch[:, :, top:bottom, left:right].flatten(2).argmax(2)
            positions.append(numbers[top:bottom, left:right].flatten()[best])
    return torch.stack(positions, 2).view(*batch.shape[:2], len(parts[0]), len(parts[1]))
