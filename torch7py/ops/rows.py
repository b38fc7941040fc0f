"""The rows of a matrix in the order of Torch7's quicksort, as positions, 0-based.

Kernels find them; without LuaJIT the functions of ``quicksort.py`` do, row by row. A matrix here is contiguous, on the
CPU, and of any number type. Every comparison with NaN is false: what comes of a row that has some is no order, but it
is what the original's steps leave.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from torch7py.kernels import available, kernel
from torch7py.ops import memory, quicksort

__all__ = ["SMALL", "has_nan", "most_frequent", "nth", "sort", "top"]

T = torch.Tensor

CHUNK = 1 << 16  # elements of short rows that are sorted together: what is needed for them stays in the cache
KEPT = (
    1 << 24
)  # words of scratch memory that stay for the next call: new memory costs as much as half the work
SMALL = (
    1 << 14
)  # elements in all, of which PyTorch's order is found sooner than a kernel has prepared its memory
FEW = 64  # one selected of so many: PyTorch keeps them in a heap, which takes one pass


def has_nan(x: T) -> bool:
    """Whether any element is NaN; whole numbers have none."""
    return x.is_floating_point() and memory.has_nan(x)


def sort(rows: T, descending: bool = False) -> T:
    """The positions of each row's elements in the order that ``x:sort()`` gives: a matrix of the same size."""
    if not available():
        return _one_by_one(rows, partial(quicksort.sort, descending=descending))
    if has_nan(rows):
        return _step_by_step(-rows if descending else rows)
    places = torch.empty(rows.shape, dtype=torch.int64, device="cpu")
    _sort(rows, places, descending, False)
    return places


def most_frequent(rows: T) -> T:
    """The position of each row's most frequent element, of several the least, that ``x:mode()`` gives: one column."""
    if not available():
        return _one_by_one(rows, quicksort.most_frequent)
    if has_nan(rows):
        order = _step_by_step(rows).numpy()
        ends = [quicksort.longest(row[places]) for row, places in zip(_array(rows), order, strict=True)]
        return torch.from_numpy(np.take_along_axis(order, np.array(ends)[:, None], 1)).clone()
    places = torch.empty((rows.size(0), 1), dtype=torch.int64, device="cpu")
    _sort(rows, places, False, True)
    return places


def top(rows: T, k: int, largest: bool, ordered: bool) -> T:
    """The k positions in each row that ``x:topk(k, dim, largest, ordered)`` gives."""
    if not available():
        return _one_by_one(rows, lambda row: quicksort.top(row, k, largest, ordered))
    count = rows.size(1)
    nan = has_nan(rows)
    if ordered and not nan and (k * FEW <= count or rows.numel() < SMALL):
        values, places = torch.topk(rows, min(k + 1, count), 1, largest, True)
        if not (values[:, 1:] == values[:, :-1]).any():
            return places[:, :k]
    rest = (
        count - k if largest else 0
    )  # before the place that is selected, or behind it, are those that are not
    if nan:
        select = rest - 1 if largest else k - 1
        all_places = _step_by_step(rows, select) if select >= 0 else torch.arange(count).expand(rows.shape)
        places = all_places[:, rest : rest + k].contiguous()
    else:
        places = _select(rows, k, largest)
    if not ordered:
        return places
    # The last of the smallest, which quickselect has put in its place, stays.
    moving = k if largest else k - 1
    if moving:
        chosen = places[:, :moving]
        order = sort(rows.gather(1, chosen), descending=largest)
        places[:, :moving] = chosen.gather(1, order)
    return places


def nth(rows: T, k: int) -> T:
    """The position of the k-th smallest element (from 0) of each row that ``x:kthvalue()`` gives: one column."""
    if not available():
        return _one_by_one(rows, lambda row: quicksort.select(row, k)[k : k + 1])
    places = _step_by_step(rows, k) if has_nan(rows) else _select(rows, k + 1, largest=False)
    return places[:, k : k + 1].contiguous()


def _select(rows: T, k: int, largest: bool) -> T:
    places = torch.empty((rows.size(0), k), dtype=torch.int64, device="cpu")
    words = _words(rows)
    bits = 8 * words.element_size()
    with _scratch(rows.size(1) * (bits // 32 + 1)) as scratch:
        at = scratch.data_ptr()
        select = kernel("select", WORD=f"int{bits}_t")
        select(words.data_ptr(), _real(rows), *rows.shape, k, not largest, at, places.data_ptr())
    return places


def _step_by_step(rows: T, k: int = -1) -> T:
    """The positions in each row after the original's quickselect to place k, or its quicksort."""
    real = torch.float32 if rows.element_size() < 8 else torch.float64
    keys = rows.to(real).nan_to_num(math.nan, math.inf, -math.inf)  # a NaN may have any bits
    places = torch.empty(rows.shape, dtype=torch.int64, device="cpu")
    name = "float" if real == torch.float32 else "double"
    kernel("plain", REAL=name)(keys.data_ptr(), *rows.shape, k, places.data_ptr())
    return places


def _one_by_one(rows: T, positions: Callable[[quicksort.Row], quicksort.Positions]) -> T:
    return torch.from_numpy(np.stack([positions(row) for row in _array(rows)])).clone()


def _array(rows: T) -> NDArray[Any]:
    """The rows for numpy, as a copy."""
    return rows.clone().numpy()


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
