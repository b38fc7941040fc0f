"""The largest element of each window on a grid, and where it is."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from torch7py.nn.window import Sizes, Window

__all__ = ["largest", "put_back"]


def largest(batch: torch.Tensor, window: Window, grid: Sizes) -> tuple[torch.Tensor, torch.Tensor]:
    """The largest of every window and its place in its plane, counted from 1: both ``(batch, planes, *grid)``.

    Of equal ones it is the first. A NaN is larger than any number.
    """
    if _by_comparing(batch, window):
        return _in_portions(batch, window, grid)
    pool = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[len(window.kernel) - 1]
    margins = [
        step * (n - 1) + extent for step, n, extent in zip(window.step, grid, window.extents, strict=True)
    ]
    ceil = any(
        reach > size + 2 * pad for reach, size, pad in zip(margins, batch.shape[2:], window.pad, strict=True)
    )
    values, places = pool(  # type: ignore[misc]
        batch, window.kernel, window.step, window.pad, window.dilation, ceil_mode=ceil, return_indices=True
    )
    if ceil:  # a dimension that needs no rounding up may have got one more
        inner = tuple(slice(n) for n in grid)
        values, places = (t[(slice(None), slice(None), *inner)] for t in (values, places))
    return values, places + 1


def put_back(gradient: torch.Tensor, places: torch.Tensor, sizes: Sizes) -> torch.Tensor:
    """What a gradient of the largest gives for the planes: the sum at each place."""
    planes = gradient.new_zeros((*gradient.shape[:2], math.prod(sizes)))
    planes.scatter_add_(2, places.flatten(2) - 1, gradient.flatten(2))
    return planes.view(*gradient.shape[:2], *sizes)


# PyTorch's kernel goes through the windows one by one: for a batch of 128 x 32 planes of 24x24, windows of 2x2, 29 ms
# in double and 18 in float, as the branches are random. Comparing whole planes, shifted against each other, takes 7 and
# 5 ms. Dimension after dimension the largest are found with the offset that they have come from; offsets grow, so that
# "where larger, take the new offset" is a maximum. (torch.where and masked_fill are ten times as slow.)

PORTION = 1 << 21  # bytes of planes at a time: larger ones spend more on fresh memory than they save on calls


def _by_comparing(batch: torch.Tensor, window: Window) -> bool:
    if batch.device.type != "cpu" or batch.dtype not in (torch.float32, torch.float64):
        return False
    fits = all(extent <= size for extent, size in zip(window.extents, batch.shape[2:], strict=True))
    return fits and not torch.compiler.is_compiling()


def _in_portions(batch: torch.Tensor, window: Window, grid: Sizes) -> tuple[torch.Tensor, torch.Tensor]:
    each = max(1, batch[0].numel() * batch.element_size())
    count = max(1, PORTION * torch.get_num_threads() // each)
    if count >= len(batch):
        return _compare(batch, window, grid)
    values = batch.new_empty((*batch.shape[:2], *grid))
    places = torch.empty(values.shape, dtype=torch.int64)
    for start in range(0, len(batch), count):
        part = slice(start, start + count)
        values[part], places[part] = _compare(batch[part], window, grid)
    return values, places


def _compare(batch: torch.Tensor, window: Window, grid: Sizes) -> tuple[torch.Tensor, torch.Tensor]:
    sizes = batch.shape[2:]
    strides = [math.prod(sizes[dim + 1 :]) for dim in range(len(sizes))]
    reach = sum((e - 1) * s for e, s in zip(window.extents, strides, strict=True))
    dtype = torch.uint8 if reach < 1 << 8 else torch.int16 if reach < 1 << 15 else torch.int32
    best, offset = _with_margins(batch, window, grid), None
    for dim in reversed(range(len(sizes))):
        count, step, apart = grid[dim], window.step[dim], window.dilation[dim]
        shifts = [
            slice(k * apart, k * apart + (count - 1) * step + 1, step) for k in range(window.kernel[dim])
        ]
        views = [(*[slice(None)] * (dim + 2), shift) for shift in shifts]
        found, taken = best[views[0]], None if offset is None else offset[views[0]]
        for k, view in enumerate(views[1:], 1):
            rival = best[view]
            larger = (rival > found).view(torch.uint8)
            larger = larger if dtype == torch.uint8 else larger.to(dtype)
            add = k * apart * strides[dim]
            new = larger * (add if offset is None else offset[view] + add)
            taken = new if taken is None else torch.maximum(taken, new)
            found = torch.maximum(found, rival)
        best, offset = found, taken
    places = torch.ones(1, dtype=torch.int64)
    for dim, count in enumerate(grid):
        start = (torch.arange(count) * window.step[dim] - window.pad[dim]) * strides[dim]
        places = places + start.view(-1, *[1] * (len(grid) - dim - 1))
    places = places.expand(best.shape).clone() if offset is None else offset.long().add_(places)
    if any(window.pad):  # a window of nothing but -inf takes its first, which may be in the margin
        places.clamp_(1, math.prod(sizes))
    return best.contiguous(), places.contiguous()


def _with_margins(batch: torch.Tensor, window: Window, grid: Sizes) -> torch.Tensor:
    """The planes with a margin of -inf as far as windows reach."""
    margins = []
    for dim in reversed(range(len(grid))):
        pad = window.pad[dim]
        reach = (grid[dim] - 1) * window.step[dim] + window.extents[dim]
        margins += [pad, max(0, reach - pad - batch.shape[dim + 2])]
    return F.pad(batch, margins, value=-math.inf) if any(margins) else batch
