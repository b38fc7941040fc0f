"""What depends on the order of values: k-th value, median, most frequent value, histograms."""

from __future__ import annotations

import math

import torch

from torch7py.ops import memory, rows
from torch7py.ops.errors import TorchError
from torch7py.ops.reduce import last_dim
from torch7py.ops.registry import Form, operation
from torch7py.ops.sorting import along

__all__: list[str] = []

T = torch.Tensor
Pair = tuple[T, T]


@operation("kthvalue", "x:T k:int dim:index=None", Form.QUERY, returns="multi", outs=2)
def _kth_value(x: T, k: int, dim: int | None) -> Pair:
    """The k-th smallest values along a dimension (the last) and their 1-based indices."""
    dim = last_dim(x, dim)
    if not 1 <= k <= x.size(dim):
        raise TorchError(f"selected index {k} out of range of {x.size(dim)} values")
    # PyTorch's quickselect is the original's, so that of equal values the same one is found; not so with NaN.
    if rows.has_nan(x):
        return along(x, dim, lambda matrix: rows.nth(matrix, k - 1))
    values, indices = torch.kthvalue(x, k, dim, keepdim=True)
    return values, indices + 1


@operation("median", "x:T dim:index=None", Form.QUERY, returns="multi", outs=2)
def _median(x: T, dim: int | None) -> Pair:
    """The middle values along a dimension (the last), of an even number the lower one, and their indices."""
    dim = last_dim(x, dim)
    return _kth_value(x, (x.size(dim) - 1) // 2 + 1, dim)


@operation("mode", "x:T dim:index=None", Form.QUERY, returns="multi", outs=2)
def _mode(x: T, dim: int | None) -> Pair:
    """The most frequent (of several the least) values along a dimension (the last), and their indices."""
    return along(x, last_dim(x, dim), rows.most_frequent)


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
    found = _bins(x, bins, low, high).reshape(-1)
    return torch.bincount(found, minlength=bins + 1)[:bins].to(x.dtype)


@operation("bhistc", "x:F bins:int=100 low:real=0 high:real=0", Form.QUERY)
def _histogram_of_rows(x: T, bins: int, low: float, high: float) -> T:
    """``histc`` of each row of a matrix; without a range all rows share that of the values."""
    if len(memory.size_of(x)) != 2:
        raise TorchError("the input must be a matrix")
    found = _bins(x, bins, low, high)
    counts = torch.zeros(x.size(0), bins + 1, dtype=x.dtype, device=x.device)
    return counts.scatter_add_(1, found, torch.ones_like(x))[:, :bins]
