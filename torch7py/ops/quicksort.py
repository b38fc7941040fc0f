"""The order in which Torch7 leaves elements of equal value, and the elements that ``topk`` selects.

Torch7 sorts with the quicksort of Sedgewick's "Implementing Quicksort Programs" (1978, program 2): median of
three, pieces of at most 10 elements left to one insertion sort at the end. It is not stable, and a program that
sorts sentences by length sees in which order equal lengths come. Selection uses the same partition.

The functions work on a row of numbers and return positions, 0-based. With NaN, which no comparison holds for, a row has
no order; what they give then is what the original's steps leave. They are for
where no kernels can be compiled (``rows.py`` has both), and in the tests a second way to the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["longest", "most_frequent", "select", "sort", "top"]

Row = NDArray[Any]
Positions = NDArray[np.int64]

SMALL = 10  # a piece of so many elements is left to the insertion sort
SHORT = 200  # in so short a piece a loop in Python beats numpy


def sort(row: Row, descending: bool = False) -> Positions:
    """The positions of the elements in the order that ``x:sort()`` gives."""
    keys = _reversed(row) if descending else row.copy()
    if _has_nan(row):
        return _sort_step_by_step(keys.tolist())
    places = np.arange(len(keys))
    if len(keys) > SMALL + 1:
        _break_up(keys, places)
    # The insertion sort over all of it moves nothing past an equal element.
    result: Positions = places[np.argsort(keys, kind="stable")]
    return result


def select(row: Row, k: int) -> Positions:
    """The positions after quickselect: before place k nothing larger, behind it nothing smaller."""
    if _has_nan(row):
        some_places = list(range(len(row)))
        _select(row.tolist(), some_places, k, _partition_short)
        return np.array(some_places, dtype=np.int64)
    places = np.arange(len(row))
    _select(row.copy(), places, k, _partition)
    return places


def _select(keys: Any, places: Any, k: int, partition: Callable[..., tuple[int, int]]) -> None:
    low, high = 0, len(keys) - 1
    while high > low:
        if high == low + 1:
            if keys[low] > keys[high]:
                _swap(keys, places, low, high)
            break
        i, j = partition(keys, places, low, high)
        if j <= k:
            low = i
        if j >= k:
            high = j - 1


def top(row: Row, k: int, largest: bool, ordered: bool) -> Positions:
    """The positions that ``x:topk(k, dim, largest, ordered)`` gives."""
    if largest:
        rest = len(row) - k
        places = (select(row, rest - 1) if rest else np.arange(len(row)))[rest:]
        return places[sort(row[places], descending=True)] if ordered else places
    places = select(row, k - 1)[:k]
    # The k-th is in its place already.
    return np.append(places[:-1][sort(row[places[:-1]])], places[-1:]) if ordered else places


def most_frequent(row: Row) -> Positions:
    """Where the last of the most frequent value (of several the least) is once the row is sorted."""
    order = sort(row)
    return order[[longest(row[order])]]


def longest(values: Row) -> int:
    """Where the first of the longest runs of equal values ends."""
    ends = np.flatnonzero(np.append(values[1:] != values[:-1], True))
    return int(ends[np.argmax(np.diff(ends, prepend=-1))])


def _has_nan(row: Row) -> bool:
    return row.dtype.kind == "f" and bool(np.isnan(row).any())


def _sort_step_by_step(keys: list[Any]) -> Positions:
    places = list(range(len(keys)))
    if len(keys) > SMALL + 1:
        _break_up_short(keys, places)
    for start in range(len(keys) - 2, -1, -1):
        key, place, j = keys[start], places[start], start + 1
        while j < len(keys) and keys[j] < key:
            keys[j - 1], places[j - 1] = keys[j], places[j]
            j += 1
        keys[j - 1], places[j - 1] = key, place
    return np.array(places, dtype=np.int64)


def _reversed(row: Row) -> Row:
    """Keys in the opposite order."""
    return ~row if np.issubdtype(row.dtype, np.integer) else -row


def _break_up(keys: Row, places: Positions) -> None:
    """Partition pieces of more than SMALL elements until none is left."""
    pieces = [(0, len(keys) - 1)]
    while pieces:
        low, high = pieces.pop()
        if high - low < SHORT:
            some_keys, some_places = keys[low : high + 1].tolist(), places[low : high + 1].tolist()
            _break_up_short(some_keys, some_places)
            keys[low : high + 1], places[low : high + 1] = some_keys, some_places
            continue
        i, j = _partition(keys, places, low, high)
        pieces += [(a, b) for a, b in ((low, j - 1), (i, high)) if b - a >= SMALL]


def _break_up_short(keys: list[Any], places: list[int]) -> None:
    pieces = [(0, len(keys) - 1)]
    while pieces:
        low, high = pieces.pop()
        i, j = _partition_short(keys, places, low, high)
        pieces += [(a, b) for a, b in ((low, j - 1), (i, high)) if b - a >= SMALL]


def _swap(keys: Any, places: Any, i: int, j: int) -> None:
    keys[i], keys[j] = keys[j], keys[i]
    places[i], places[j] = places[j], places[i]


def _median_first(keys: Any, places: Any, low: int, high: int) -> None:
    """Order the first, middle and last element: the median to ``low``, the smallest to ``low + 1``."""
    _swap(keys, places, (low + high) >> 1, low + 1)
    if keys[low + 1] > keys[high]:
        _swap(keys, places, low + 1, high)
    if keys[low] > keys[high]:
        _swap(keys, places, low, high)
    if keys[low + 1] > keys[low]:
        _swap(keys, places, low + 1, low)


def _partition_short(keys: list[Any], places: list[int], low: int, high: int) -> tuple[int, int]:
    """Around the median of three; the right piece begins at the first result, the pivot lies at the second."""
    _median_first(keys, places, low, high)
    pivot = keys[low]
    i, j = low + 1, high
    while True:
        i += 1
        while keys[i] < pivot:
            i += 1
        j -= 1
        while keys[j] > pivot:
            j -= 1
        if j < i:
            break
        keys[i], keys[j] = keys[j], keys[i]
        places[i], places[j] = places[j], places[i]
    _swap(keys, places, low, j)
    return i, j


def _partition(keys: Row, places: Positions, low: int, high: int) -> tuple[int, int]:
    """The same on arrays: the elements where the two scans stop are exchanged all at once."""
    if high - low < SHORT:
        some_keys, some_places = keys[low : high + 1].tolist(), places[low : high + 1].tolist()
        i, j = _partition_short(some_keys, some_places, 0, high - low)
        keys[low : high + 1], places[low : high + 1] = some_keys, some_places
        return low + i, low + j
    _median_first(keys, places, low, high)
    pivot = keys[low]
    start = low + 2
    up = np.flatnonzero(keys[start:high] >= pivot) + start
    down = np.flatnonzero(keys[start:high] <= pivot)[::-1] + start
    n = min(len(up), len(down))
    n = int(np.count_nonzero(up[:n] <= down[:n]))
    left, right = up[:n], down[:n]
    keys[left], keys[right] = keys[right], keys[left]
    places[left], places[right] = places[right], places[left]
    after = int(left[-1]) + 1 if n else start
    before = int(right[-1]) - 1 if n else high - 1
    i = after + int(np.argmax(keys[after : high + 1] >= pivot))
    j = before - int(np.argmax(keys[before:low:-1] <= pivot))
    _swap(keys, places, low, j)
    return i, j
