"""Histograms: histc and bhistc."""

from __future__ import annotations

import math

import torch

from torch7py.ops import memory
from torch7py.ops.errors import TorchError
from torch7py.ops.registry import Form, operation

__all__: list[str] = []

T = torch.Tensor


def _range(x: T, count: int, low: float, high: float) -> tuple[float, float]:
    """The range of a histogram of ``count`` bins, in numbers of x's type; an empty one is that of the values."""
    if count < 1:
        raise TorchError("a histogram needs at least one bin")
    low, high = torch.tensor([low, high], dtype=x.dtype).tolist()
    if low == high:
        if not x.numel():
            raise TorchError("empty tensor")
        low, high = x.min().item(), x.max().item()
    if low == high:
        low, high = low - 1, high + 1
    if math.isinf(torch.tensor(high - low, dtype=x.dtype)):
        raise TorchError(f"a histogram needs a finite range, which {low:g} to {high:g} is not")
    return low, high


def _bins(x: T, count: int, low: float, high: float) -> T:
    """The bin of every element, ``count`` for those out of range."""
    low, high = _range(x, count, low, high)
    inside = (x >= low) & (x <= high)
    bins = ((x - low) / (high - low) * count).to(torch.int64).clamp(max=count - 1)
    return torch.where(inside, bins, count)


@operation("histc", "x:F bins:int=100 low:real=0 high:real=0", Form.QUERY)
def _histogram(x: T, bins: int, low: float, high: float) -> T:
    """How many elements lie in each of ``bins`` equal parts from ``low`` to ``high``."""
    bin_index = _bins(x, bins, low, high).reshape(-1)
    return torch.bincount(bin_index, minlength=bins + 1)[:bins].to(x.dtype)


@operation("bhistc", "x:F bins:int=100 low:real=0 high:real=0", Form.QUERY)
def _histogram_of_rows(x: T, bins: int, low: float, high: float) -> T:
    """``histc`` of each row of a matrix; without a range all rows share that of the values."""
    if len(memory.size_of(x)) != 2:
        raise TorchError("the input must be a matrix")
    bin_index = _bins(x, bins, low, high)
    counts = torch.zeros(x.size(0), bins + 1, dtype=x.dtype, device=x.device)
    return counts.scatter_add_(1, bin_index, torch.ones_like(x))[:, :bins]
