"""The order of equal elements, against the published algorithm written out for single elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torch7py.ops import quicksort

Greater = Callable[[Any, Any], bool]


def sedgewick(values: list[Any], greater: Greater = lambda a, b: a > b) -> list[int]:
    """Program 2 of "Implementing Quicksort Programs" (1978), with M = 10: the positions in sorted order."""
    a = list(zip(values, range(len(values)), strict=True))

    def swap(i: int, j: int) -> None:
        a[i], a[j] = a[j], a[i]

    def above(i: int, j: int) -> bool:
        return greater(a[i][0], a[j][0])

    def pieces(left: int, right: int) -> None:
        if right - left < 10:
            return
        swap((left + right) // 2, left + 1)
        if above(left + 1, right):
            swap(left + 1, right)
        if above(left, right):
            swap(left, right)
        if above(left + 1, left):
            swap(left + 1, left)
        i, j = left + 1, right
        while True:
            i += 1
            while above(left, i):
                i += 1
            j -= 1
            while above(j, left):
                j -= 1
            if j < i:
                break
            swap(i, j)
        swap(left, j)
        pieces(left, j - 1)
        pieces(i, right)

    if len(values) > 11:
        pieces(0, len(values) - 1)
    for start in range(len(a) - 2, -1, -1):
        j = start
        while j + 1 < len(a) and above(j, j + 1):
            swap(j, j + 1)
            j += 1
    return [place for _, place in a]


@pytest.mark.parametrize("size", [1, 2, 10, 11, 12, 13, 100, 201, 202, 1000, 5000])
@pytest.mark.parametrize("different", [1, 2, 5, 50, 10**6])
def test_sort(size: int, different: int) -> None:
    row = np.random.default_rng(size + different).integers(0, different, size)
    for values in (row, row.astype(np.float32), row.astype(np.uint8), -row):
        assert quicksort.sort(values).tolist() == sedgewick(values.tolist())
        descending = sedgewick(values.tolist(), lambda a, b: bool(a < b))
        assert quicksort.sort(values, descending=True).tolist() == descending


@pytest.mark.parametrize("shape", ["up", "down", "organ pipe", "sawtooth"])
def test_sort_of_regular_rows(shape: str) -> None:
    up = np.arange(700) // 3
    row = {"up": up, "down": up[::-1], "organ pipe": np.concatenate((up, up[::-1])), "sawtooth": up % 7}[
        shape
    ]
    assert quicksort.sort(row).tolist() == sedgewick(row.tolist())


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=300))
def test_sort_of_anything(values: list[int]) -> None:
    assert quicksort.sort(np.array(values)).tolist() == sedgewick(values)


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0, float("nan")]), min_size=1, max_size=300))
def test_sort_with_nan(values: list[float]) -> None:
    assert quicksort.sort(np.array(values)).tolist() == sedgewick(values)
    descending = sedgewick(values, lambda a, b: bool(a < b))
    assert quicksort.sort(np.array(values), descending=True).tolist() == descending


@pytest.mark.parametrize("size", [1, 2, 3, 11, 50, 300, 3000])
def test_select(size: int) -> None:
    row = np.random.default_rng(size).integers(0, max(2, size // 3), size)
    for k in {0, 1, size // 3, size // 2, size - 1}:
        if k < size:
            places = quicksort.select(row, k)
            assert sorted(places.tolist()) == list(range(size))
            found = row[places]
            assert found[k] == np.sort(row)[k]
            assert (found[:k] <= found[k]).all()
            assert (found[k:] >= found[k]).all()


def test_select_of_two() -> None:
    assert quicksort.select(np.array([2, 1]), 0).tolist() == [1, 0]
    assert quicksort.select(np.array([1, 1]), 0).tolist() == [0, 1]


def test_select_by_hand() -> None:
    """Of 3 1 2: the middle, 1, goes second (it is there), then median of three gives 2 1 3, the pivot 2 in
    front; the scans cross at once and 2 changes places with 1."""
    assert quicksort.select(np.array([3, 1, 2]), 1).tolist() == [1, 2, 0]


@pytest.mark.parametrize("largest", [False, True])
@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("k", [1, 2, 7, 39, 40])
def test_top(k: int, largest: bool, ordered: bool) -> None:
    row = np.random.default_rng(k).permutation(40)
    places = quicksort.top(row, k, largest, ordered)
    expected = np.sort(row)[::-1][:k] if largest else np.sort(row)[:k]
    found = row[places]
    assert sorted(found) == sorted(expected)
    if ordered:
        assert found.tolist() == expected.tolist()
