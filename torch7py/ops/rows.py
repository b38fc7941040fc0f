"""The rows of a matrix in the order of Torch7's quicksort, as positions, 0-based.

Kernels find them; without LuaJIT the functions of ``quicksort.py`` do, row by row. A matrix here is contiguous, on the
CPU, of any number type, and has no NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch

from torch7py.kernels import available, kernel
from torch7py.ops import quicksort

__all__ = ["most_frequent", "sort", "top"]

T = torch.Tensor

CHUNK = 1 << 16  # elements of short rows that are sorted together: what is needed for them stays in the cache
KEPT = (
    1 << 24
)  # words of scratch memory that stay for the next call: new memory costs as much as half the work
FEW = 64  # one selected of so many: PyTorch keeps them in a heap, which takes one pass


def sort(rows: T, descending: bool = False) -> T:
    """The positions of each row's elements in the order that ``x:sort()`` gives: a matrix of the same size."""
    if not available():
        return _one_by_one(rows, partial(quicksort.sort, descending=descending))
    places = torch.empty(rows.shape, dtype=torch.int64, device="cpu")
    _sort(rows, places, descending, False)
    return places


def most_frequent(rows: T) -> T:
    """The position of each row's most frequent element, of several the least, that ``x:mode()`` gives: one column."""
    if not available():
        return _one_by_one(rows, quicksort.most_frequent)
    places = torch.empty((rows.size(0), 1), dtype=torch.int64, device="cpu")
    _sort(rows, places, False, True)
    return places


def top(rows: T, k: int, largest: bool, ordered: bool) -> T:
    """The k positions in each row that ``x:topk(k, dim, largest, ordered)`` gives."""
    if not available():
        return _one_by_one(rows, lambda row: quicksort.top(row, k, largest, ordered))
    count = rows.size(1)
    if ordered and k * FEW <= count:
        values, places = torch.topk(rows, k + 1, 1, largest, True)
        if not (values[:, 1:] == values[:, :-1]).any():
            return places[:, :k]
    places = torch.empty((rows.size(0), k), dtype=torch.int64, device="cpu")
    words = _words(rows)
    bits = 8 * words.element_size()
    with _scratch(count * (bits // 32 + 1)) as scratch:
        at = scratch.data_ptr()
        select = kernel("select", WORD=f"int{bits}_t")
        select(words.data_ptr(), _real(rows), rows.size(0), count, k, not largest, at, places.data_ptr())
    if not ordered:
        return places
    # The last of the smallest, which quickselect has put in its place, stays.
    moving = k if largest else k - 1
    if moving:
        chosen = places[:, :moving]
        order = sort(rows.gather(1, chosen), descending=largest)
        places[:, :moving] = chosen.gather(1, order)
    return places


def _one_by_one(rows: T, positions: Callable[[quicksort.Row], quicksort.Positions]) -> T:
    return torch.from_numpy(np.stack([positions(row) for row in rows.numpy()]))


def _words(rows: T) -> T:
    """The elements in numbers of 32 or 64 bits."""
    if rows.element_size() >= 4:
        return rows
    return rows.float() if rows.is_floating_point() else rows.int()


def _real(rows: T) -> int:
    """What tells a kernel of floating numbers: all bits or none."""
    return -1 if rows.is_floating_point() else 0


def _sort(rows: T, places: T, descending: bool, mode: bool) -> None:
    count, size = rows.shape
    words = _words(rows)
    width = words.element_size() // 4
    chunk = max(1, min(count, CHUNK // size)) * size
    with _scratch(5 * chunk + 4 * size) as scratch:
        addresses = (scratch.data_ptr(), places.data_ptr())
        flip = -1 if descending else 0
        kernel("order")(words.data_ptr(), width, _real(rows), flip, count, size, chunk, *addresses, mode)


_spare: list[T] = []


@contextmanager
def _scratch(count: int) -> Iterator[T]:
    """Memory of so many words of 32 bits, the last call's where that is enough and no other thread's now."""
    try:
        held = _spare.pop()
    except IndexError:
        held = torch.empty(0, dtype=torch.int32)
    if held.numel() < count:
        held = torch.empty(count, dtype=torch.int32)
    yield held
    if not _spare and held.numel() <= KEPT:
        _spare.append(held)
