"""The largest element of each window on a grid, and where it is."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F

from torch7py.nn.window import Sizes, Window
from torch7py.ops import types
from torch7py.ops.errors import TorchError

__all__ = ["largest", "nan_as_least", "put_back", "whole_indices"]

FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}
MANY = 8  # planes from which on it pays to have them side by side
LARGE = (
    1 << 23
)  # bytes of a batch from which on images are taken in portions, 5.9 ms where 9.8 were taken (see below)
CACHED = 1 << 20  # bytes of a portion, for each thread


def nan_as_least(batch: torch.Tensor, results: torch.Tensor) -> torch.Tensor | None:
    """A batch with -inf for each NaN, if among the largest of its windows there may be one; else None.

    PyTorch takes a NaN for the largest of a window. Torch7 passed it over. On a GPU a look at the results would wait
    for them, and there they stay as they are.
    """
    if results.device.type != "cpu" or math.isfinite(results.sum().item()):
        return None
    return batch.masked_fill(batch.isnan(), -math.inf)


def largest(batch: torch.Tensor, window: Window, grid: Sizes) -> tuple[torch.Tensor, torch.Tensor]:
    """The largest of every window and its place in its plane, counted from 1: both ``(batch, planes, *grid)``.

    Of equal ones it is the first. A NaN is larger than any number.
    """
    reach = [
        step * (n - 1) + extent for step, n, extent in zip(window.step, grid, window.extents, strict=True)
    ]
    sizes = zip(reach, batch.shape[2:], window.pad, strict=True)
    ceil = any(far > size + 2 * pad for far, size, pad in sizes)
    pool: Any = {3: F.max_pool1d, 4: F.max_pool2d, 5: F.max_pool3d}[batch.dim()]
    inner = (slice(None), slice(None), *(slice(n) for n in grid))

    def of(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        settings = (window.kernel, window.step, window.pad, window.dilation)
        values, positions = pool(_planes_inside(images), *settings, ceil_mode=ceil, return_indices=True)
        # where it is rounded up, a dimension for which that is not asked may have got one more
        return (values[inner], positions[inner]) if ceil else (values, positions)

    if batch.is_cpu and batch.nbytes >= LARGE:
        values = batch.new_empty((*batch.shape[:2], *grid))
        position_of = batch.new_empty(values.shape, dtype=torch.int64)
        count = max(1, CACHED * torch.get_num_threads() * len(batch) // batch.nbytes)
        for start in range(0, len(batch), count):
            portion = slice(start, start + count)
            values[portion], indices = of(batch[portion])
            torch.add(indices, 1, out=position_of[portion])
        return values, position_of
    values, position_of = of(batch)
    return values.contiguous(), position_of.contiguous().add_(1)


def _planes_inside(batch: torch.Tensor) -> torch.Tensor:
    """The batch with the planes as the innermost dimension in memory, on the CPU if there are many.

    PyTorch's kernel then compares many planes at once, without branches: for a batch of 128 x 32 planes of 24x24 and
    windows of 2x2, 5.8 ms with all copies where it otherwise takes 12.7 to 29 in double, 2.8 and 11.3 to 18 in float.
    """
    if batch.device.type != "cpu" or batch.dim() not in FORMATS or batch.shape[1] < MANY:
        return batch
    return batch.contiguous(memory_format=FORMATS[batch.dim()])


def put_back(
    gradient: torch.Tensor, positions: torch.Tensor, sizes: Sizes, some_nowhere: bool = False
) -> torch.Tensor:
    """What a gradient of the largest gives for the planes: the sum at each place.

    ``some_nowhere``: where the place is 0, none has been found.
    """
    if some_nowhere:
        gradient, positions = gradient.masked_fill(positions == 0, 0), positions.clamp(min=1)
    planes = gradient.new_zeros((*gradient.shape[:2], math.prod(sizes)))
    planes.scatter_add_(2, positions.flatten(2) - 1, gradient.flatten(2))
    return planes.view(*gradient.shape[:2], *sizes)


def whole_indices(layer: Any, user: Any = None, field: str = "indices") -> torch.Tensor:
    """The indices that a layer's last forward left; those that ``type()`` has made other numbers are refused."""
    indices: torch.Tensor | None = getattr(layer, field)
    name = (user or layer).class_name
    if indices is None or indices.numel() == 0:
        without = f"{name}: a backward without a forward"
        raise TorchError(without if user is None else f"{name}: its pooling layer has not had a forward")
    if indices.dtype != torch.int64:
        raise TorchError(
            f"{name}: the indices are a {types.of(indices).tensor} since type(): a forward comes first"
        )
    return indices
