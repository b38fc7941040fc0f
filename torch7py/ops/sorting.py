"""sort, topk, kthvalue, median and mode."""

from __future__ import annotations

from collections.abc import Callable

import torch

from torch7py.ops import memory, row_sort
from torch7py.ops.errors import TorchError
from torch7py.ops.quicksort import SMALL
from torch7py.ops.registry import Form, operation
from torch7py.ops.shape import check_dim
from torch7py.ops.tracing import numbers_known

__all__ = ["along", "sort"]

T = torch.Tensor
Pair = tuple[T, T]


def _axis(x: T, dim: int | None) -> int:
    """A dimension that the tensor has, from 0: the last one by default."""
    return check_dim(x, len(memory.size_of(x)) - 1 if dim is None else dim)


def along(x: T, dim: int, positions: Callable[[T], T]) -> Pair:
    """The elements of each row along a dimension at the positions that a function chooses in a matrix of these rows.

    Returns values and positions (LongTensor, from 1), contiguous and on the tensor's device.
    """
    moved = x.detach().cpu().movedim(dim, -1)
    matrix = moved.reshape(-1, x.shape[dim]).contiguous()
    chosen = positions(matrix)
    size = (*moved.shape[:-1], chosen.size(1))
    values, indices = (
        result.view(size).movedim(-1, dim).contiguous().to(x.device)
        for result in (matrix.gather(1, chosen), chosen + 1)
    )
    return values, indices


@operation(
    "sort",
    "x:T dim:index=None descending:bool=False",
    Form.QUERY,
    returns="multi",
    outs=2,
    copies_first=True,
)
def _sort(x: T, dim: int | None, descending: bool) -> Pair:
    """``torch.sort([values, indices,] x [, dim] [, descending])``: along a dimension, the last one, ascending.

    Also where the elements were, counted from 1. Equal ones come in the order of the original's quicksort.
    """
    return sort(x, _axis(x, dim), descending)


def sort(x: T, axis: int, descending: bool = False) -> Pair:
    """A tensor sorted along a dimension, equal elements in the original's order, and the positions, from 1."""
    # The original's quicksort leaves a row of up to SMALL + 1 elements to an insertion sort, which is stable.
    stable = x.shape[axis] <= SMALL + 1
    values, positions = torch.sort(x, dim=axis, descending=descending, stable=stable)
    if numbers_known(x):
        sorted_rows = values.movedim(axis, -1)
        # PyTorch puts NaN last and the original anywhere; where elements are equal their order is the original's.
        unsettled = sorted_rows[..., 0 if descending else -1].isnan()
        if not stable:
            unsettled |= (sorted_rows[..., 1:] == sorted_rows[..., :-1]).any(-1)
        if unsettled.any():
            rows = x.detach().movedim(axis, -1)[unsettled].cpu()
            positions.movedim(axis, -1)[unsettled] = row_sort.sort(rows, descending).to(x.device)
            values = x.gather(axis, positions)
    return values.contiguous(), (positions + 1).contiguous()


@operation(
    "topk",
    "x:T k:int=1 dim:index=None largest:bool=False ordered:bool=False",
    Form.QUERY,
    returns="multi",
    outs=2,
)
def _topk(x: T, k: int, dim: int | None, largest: bool, ordered: bool) -> Pair:
    """``torch.topk([values, indices,] x [, k [, dim]] [, largest [, sorted]])``: the k (1) smallest or largest.

    Unless sorted they come in the order in which the original's quickselect leaves them.
    """
    axis = _axis(x, dim)
    if not 0 < k <= x.shape[axis]:
        raise TorchError(f"topk: k = {k} not in range for dimension {axis + 1} of size {x.shape[axis]}")
    return along(x, axis, lambda matrix: row_sort.top(matrix, k, largest, ordered))


@operation("kthvalue", "x:T k:int dim:index=None", Form.QUERY, returns="multi", outs=2)
def _kth_value(x: T, k: int, dim: int | None) -> Pair:
    """The k-th smallest values along a dimension (the last) and their 1-based indices."""
    dim = _axis(x, dim)
    if not 1 <= k <= x.size(dim):
        raise TorchError(f"selected index {k} out of range of {x.size(dim)} values")
    # PyTorch's quickselect is the original's, so that of equal values the same one is found; not so with NaN.
    if row_sort.has_nan(x):
        return along(x, dim, lambda matrix: row_sort.nth(matrix, k - 1))
    values, indices = torch.kthvalue(x, k, dim, keepdim=True)
    return values, indices + 1


@operation("median", "x:T dim:index=None", Form.QUERY, returns="multi", outs=2)
def _median(x: T, dim: int | None) -> Pair:
    """The middle values along a dimension (the last), of an even number the lower one, and their indices."""
    dim = _axis(x, dim)
    return _kth_value(x, (x.size(dim) - 1) // 2 + 1, dim)


@operation("mode", "x:T dim:index=None", Form.QUERY, returns="multi", outs=2)
def _mode(x: T, dim: int | None) -> Pair:
    """The most frequent (of several the least) values along a dimension (the last), and their indices."""
    return along(x, _axis(x, dim), row_sort.most_frequent)
