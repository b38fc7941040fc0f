"""sort and topk."""

from __future__ import annotations

from collections.abc import Callable

import torch

from torch7py.kernels import available
from torch7py.ops import memory, quicksort, rows
from torch7py.ops.errors import TorchError
from torch7py.ops.known import numbers_known
from torch7py.ops.registry import Form, operation
from torch7py.ops.shape import check_dim

__all__ = ["along", "sort"]

T = torch.Tensor

SHORT = 1000  # elements of a row below which PyTorch sorts small tensors faster than a kernel


def _axis(x: T, dim: int | None) -> int:
    return check_dim(x, len(memory.size_of(x)) - 1 if dim is None else dim - 1)


def along(x: T, dim: int, positions: Callable[[T], T]) -> tuple[T, T]:
    """The elements of each row along a dimension at the positions that a function chooses in a matrix of these rows.

    Returns values and positions (LongTensor, from 1), contiguous and on the tensor's device.
    """
    moved = x.detach().cpu().movedim(dim, -1)
    matrix = moved.reshape(-1, x.shape[dim]).contiguous()
    places = positions(matrix)
    values = matrix.gather(1, places)
    size = (*moved.shape[:-1], places.size(1))
    results = (values, places.add_(1))
    first, second = (found.view(size).movedim(-1, dim).contiguous().to(x.device) for found in results)
    return first, second


@operation(
    "sort",
    "x:T dim:int=None descending:bool=False",
    Form.QUERY,
    returns="multi",
    outs=2,
    copies_first=True,
)
def _sort(x: T, dim: int | None, descending: bool) -> tuple[T, T]:
    """``torch.sort([values, indices,] x [, dim] [, descending])``: along a dimension, the last one, ascending.

    Also where the elements were, counted from 1. Equal ones come in the order of the original's quicksort.
    """
    return sort(x, _axis(x, dim), descending)


def sort(x: T, axis: int, descending: bool = False) -> tuple[T, T]:
    """A tensor sorted along a dimension, equal elements in the original's order, and their places from 1."""
    size = x.shape[axis]
    short = size <= quicksort.SMALL + 1
    if short or not _has_kernel(x, size):
        values, places = torch.sort(x, dim=axis, descending=descending, stable=short)
        # There is one order of so short a row, and where all values differ; none with NaN, which PyTorch has last.
        ordered = short or not numbers_known(x) or not _equals(values, axis)
        last = values.select(axis, 0 if descending else -1)
        if ordered and (not numbers_known(x) or not last.isnan().any()):
            return values.contiguous(), (places + 1).contiguous()
    return along(x, axis, lambda matrix: rows.sort(matrix, descending))


def _equals(values: T, axis: int) -> bool:
    """Whether any two neighbours are equal."""
    size = values.shape[axis] - 1
    return bool((values.narrow(axis, 1, size) == values.narrow(axis, 0, size)).any())


def _has_kernel(x: T, size: int) -> bool:
    """Whether to go for the original's order at once, before PyTorch's is known."""
    if x.device.type != "cpu" or not available():
        return False
    if x.is_floating_point() and x.numel() < rows.SMALL and size < SHORT:
        return False
    if x.is_floating_point() or size < x.numel():
        return True
    # Of one long row of whole numbers PyTorch sorts the digits, and is faster unless some are equal after all: drawn at
    # random from a range, size^2 / (2 * range) pairs are.
    low, high = torch.aminmax(x)
    return size * size > 8 * (high.item() - low.item())


@operation(
    "topk",
    "x:T k:int=1 dim:int=None largest:bool=False ordered:bool=False",
    Form.QUERY,
    returns="multi",
    outs=2,
)
def _topk(x: T, k: int, dim: int | None, largest: bool, ordered: bool) -> tuple[T, T]:
    """``torch.topk([values, indices,] x [, k [, dim]] [, largest [, sorted]])``: the k (1) smallest or largest.

    Unless sorted they come in the order in which the original's quickselect leaves them.
    """
    axis = _axis(x, dim)
    if not 0 < k <= x.shape[axis]:
        raise TorchError(f"topk: k = {k} not in range for dimension {axis + 1} of size {x.shape[axis]}")
    return along(x, axis, lambda matrix: rows.top(matrix, k, largest, ordered))
