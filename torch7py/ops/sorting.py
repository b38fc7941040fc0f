"""sort and topk."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from torch7py.ops import memory, quicksort
from torch7py.ops.errors import TorchError
from torch7py.ops.registry import Form, operation
from torch7py.ops.shape import check_dim

__all__ = ["along", "sort"]

T = torch.Tensor


def _axis(x: T, dim: int | None) -> int:
    return check_dim(x, len(memory.size_of(x)) - 1 if dim is None else dim - 1)


def along(x: T, dim: int, positions: Callable[[quicksort.Row], quicksort.Positions]) -> tuple[T, T]:
    """The elements of each row along a dimension at the positions that a function chooses for it.

    Returns values and positions (LongTensor, from 1), on the tensor's device.
    """
    moved = x.movedim(dim, -1)
    rows = moved.detach().cpu().reshape(-1, x.shape[dim])
    chosen = np.stack([positions(row) for row in rows.numpy()])
    places = torch.from_numpy(chosen).view(*moved.shape[:-1], -1).movedim(-1, dim).to(x.device)
    return x.gather(dim, places), places + 1


@operation("sort", "x:T dim:int=None descending:bool=False", Form.QUERY, returns="multi", outs=2)
def _sort(x: T, dim: int | None, descending: bool) -> tuple[T, T]:
    """``torch.sort([values, indices,] x [, dim] [, descending])``: by default the last dimension, ascending."""
    return sort(x, _axis(x, dim), descending)


def sort(x: T, axis: int, descending: bool = False) -> tuple[T, T]:
    """A tensor sorted along a dimension, equal elements in the original's order, and their places from 1."""
    values, places = torch.sort(x, dim=axis, descending=descending, stable=True)
    size = x.shape[axis]
    # Where all values differ there is one order. A row that PyTorch's NaN-last order may have touched stays.
    if size > quicksort.SMALL + 1:
        ties = values.narrow(axis, 1, size - 1) == values.narrow(axis, 0, size - 1)
        if ties.any() and not values.isnan().any():
            return along(x, axis, lambda row: quicksort.sort(row, descending))
    return values.contiguous(), (places + 1).contiguous()


@operation(
    "topk",
    "x:T k:int=1 dim:int=None largest:bool=False ordered:bool=False",
    Form.QUERY,
    returns="multi",
    outs=2,
)
def _topk(x: T, k: int, dim: int | None, largest: bool, ordered: bool) -> tuple[T, T]:
    """``torch.topk([values, indices,] x [, k [, dim]] [, largest [, sorted]])``: the k smallest or largest.

    Unless sorted they come in the order in which the original's quickselect leaves them.
    """
    axis = _axis(x, dim)
    if not 0 < k <= x.shape[axis]:
        raise TorchError(f"topk: k = {k} not in range for dimension {axis + 1} of size {x.shape[axis]}")
    if x.isnan().any():
        values, places = torch.topk(x, k, axis, largest, True)
        return values.contiguous(), (places + 1).contiguous()
    values, indices = along(x, axis, lambda row: quicksort.top(row, k, largest, ordered))
    return values.contiguous(), indices.contiguous()
