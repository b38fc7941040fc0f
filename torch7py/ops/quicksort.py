"""Torch7's quicksort and quickselect in Python: what ``kernels/quicksort.lua`` does, step by step.

The algorithm is Sedgewick's ("Implementing Quicksort Programs", 1978, program 2): median of three, ranges of at most
10 elements left to one insertion sort at the end. It is not stable, and a program that sorts sentences by length
sees in which order equal lengths come. Selection uses the same partition. Every comparison with NaN is false, so a row
with NaN ends up as these steps leave it.

Both functions take the row's keys, which they move, and return the positions of the elements, from 0. They are used
where kernels cannot be compiled.
"""

from __future__ import annotations

__all__ = ["SMALL", "select", "sort"]

SMALL = 10  # a range of at most so many elements is left to the insertion sort


def sort(keys: list[float]) -> list[int]:
    """The positions of the elements in the order that ``x:sort()`` gives."""
    positions = list(range(len(keys)))
    ranges = [(0, len(keys) - 1)] if len(keys) > SMALL + 1 else []
    while ranges:
        low, high = ranges.pop()
        i, j = _partition(keys, positions, low, high)
        ranges += [(a, b) for a, b in ((low, j - 1), (i, high)) if b - a >= SMALL]
    for start in range(len(keys) - 2, -1, -1):
        key, position, j = keys[start], positions[start], start + 1
        while j < len(keys) and keys[j] < key:
            keys[j - 1], positions[j - 1] = keys[j], positions[j]
            j += 1
        keys[j - 1], positions[j - 1] = key, position
    return positions


def select(keys: list[float], k: int) -> list[int]:
    """The positions after quickselect: before position k no element is larger, behind it none is smaller."""
    positions = list(range(len(keys)))
    low, high = 0, len(keys) - 1
    while high > low:
        if high == low + 1:
            if keys[low] > keys[high]:
                _exchange(keys, positions, low, high)
            break
        i, j = _partition(keys, positions, low, high)
        if j <= k:
            low = i
        if j >= k:
            high = j - 1
    return positions


def _exchange(keys: list[float], positions: list[int], i: int, j: int) -> None:
    keys[i], keys[j] = keys[j], keys[i]
    positions[i], positions[j] = positions[j], positions[i]


def _partition(keys: list[float], positions: list[int], low: int, high: int) -> tuple[int, int]:
    """Partition around the median of three. The right part begins at the first result; the pivot is at the second."""
    _exchange(keys, positions, (low + high) >> 1, low + 1)
    if keys[low + 1] > keys[high]:
        _exchange(keys, positions, low + 1, high)
    if keys[low] > keys[high]:
        _exchange(keys, positions, low, high)
    if keys[low + 1] > keys[low]:
        _exchange(keys, positions, low + 1, low)
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
        _exchange(keys, positions, i, j)
    _exchange(keys, positions, low, j)
    return i, j
