"""The order in which Torch7's quicksort and quickselect leave the rows of a matrix.

A matrix here is contiguous, on the CPU, and of any number type. The results are positions in each row, from 0.
``kernels/quicksort.lua`` computes them; where kernels cannot be compiled, ``quicksort.py`` does.
"""

from __future__ import annotations

import math

import torch

from torch7py.kernels import available, kernel
from torch7py.ops import memory, quicksort

__all__ = ["has_nan", "most_frequent", "nth", "sort", "top"]

T = torch.Tensor

EXACT = 2**53  # up to which every integer is a double


def has_nan(x: T) -> bool:
    """Whether any element is NaN. Integers have none."""
    return x.is_floating_point() and memory.has_nan(x)


def sort(rows: T, descending: bool = False) -> T:
    """The positions of each row's elements in the order that ``x:sort()`` gives: a matrix of the same size."""
    return _run(_keys(rows, descending))


def most_frequent(rows: T) -> T:
    """The position of each row's most frequent element that ``x:mode()`` gives, of several the least: one column."""
    order = sort(rows)
    values = rows.gather(1, order)
    begins = torch.ones_like(values, dtype=torch.bool)
    begins[:, 1:] = values[:, 1:] != values[:, :-1]
    index = torch.arange(rows.size(1)).expand(rows.shape)
    first_of_run = torch.where(begins, index, 0).cummax(1).values
    end_of_longest = (index - first_of_run).argmax(1, keepdim=True)
    return order.gather(1, end_of_longest)


def top(rows: T, k: int, largest: bool, ordered: bool) -> T:
    """The k positions in each row that ``x:topk(k, dim, largest, ordered)`` gives."""
    count = rows.size(1)
    if ordered and not has_nan(rows):
        values, positions = torch.topk(rows, min(k + 1, count), 1, largest, True)
        if not (values[:, 1:] == values[:, :-1]).any():
            return positions[:, :k]
    first = count - k if largest else 0
    selected = first - 1 if largest else k - 1
    positions = torch.arange(count).expand(rows.shape) if selected < 0 else _run(_keys(rows), selected)
    positions = positions[:, first : first + k].contiguous()
    if not ordered:
        return positions
    # Of the smallest the last one, which quickselect has put at its position, stays there.
    unsorted = positions if largest else positions[:, :-1]
    order = sort(rows.gather(1, unsorted), descending=largest)
    positions[:, : unsorted.size(1)] = unsorted.gather(1, order)
    return positions


def nth(rows: T, k: int) -> T:
    """The position of the k-th smallest element (from 0) of each row that ``x:kthvalue()`` gives: one column."""
    return _run(_keys(rows), k)[:, k : k + 1].contiguous()


def _keys(rows: T, descending: bool = False) -> T:
    """New doubles in the order of the elements, or in the opposite order."""
    if rows.dtype == torch.int64 and rows.numel():
        low, high = (bound.item() for bound in rows.aminmax())
        if max(-low, high) > EXACT:
            rows = torch.unique(rows, return_inverse=True)[1]
    keys = rows.to(torch.float64, copy=True)
    if descending:
        keys.neg_()
    return keys.nan_to_num_(
        math.nan, math.inf, -math.inf
    )  # LuaJIT takes a NaN of certain bits for another value


def _run(keys: T, k: int = -1) -> T:
    """The positions after the quickselect of position k, or the quicksort where k is below 0. ``keys`` are moved."""
    if not available():
        orders = [quicksort.sort(row) if k < 0 else quicksort.select(row, k) for row in keys.tolist()]
        return torch.tensor(orders, dtype=torch.int64, device="cpu")
    positions = torch.empty(keys.shape, dtype=torch.int64, device="cpu")
    kernel("quicksort")(keys.data_ptr(), *keys.shape, k, positions.data_ptr())
    return positions
