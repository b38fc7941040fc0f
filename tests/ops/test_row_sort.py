"""The order of equal elements, against the published algorithm written out for single elements."""

from __future__ import annotations

import math
import multiprocessing
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.together import together
from torch7py.kernels import available
from torch7py.ops import row_sort

TYPES = (
    torch.float64,
    torch.float32,
    torch.float16,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
)
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


def check_sort(rows: torch.Tensor) -> None:
    """Both orders of every row, by the kernel and by Python's steps; the rows stay as they were."""
    before = rows.clone()
    up = [sedgewick(row) for row in rows.tolist()]
    down = [sedgewick(row, lambda a, b: bool(a < b)) for row in rows.tolist()]
    for kernels in (available(), False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(row_sort, "available", lambda kernels=kernels: kernels)
            assert row_sort.sort(rows).tolist() == up
            assert row_sort.sort(rows, descending=True).tolist() == down
    assert torch.equal(rows.nan_to_num(), before.nan_to_num())


@together("dtype", TYPES)
@together("size", [1, 2, 10, 11, 12, 13, 100, 1000])
@together("different", [1, 2, 6, 60])
def test_sort(dtype: torch.dtype, size: int, different: int) -> None:
    values = torch.randint(different, (2, size), generator=torch.Generator().manual_seed(size + different))
    check_sort((values if dtype == torch.uint8 else values - different // 2).to(dtype))


@pytest.mark.parametrize("shape", ["up", "down", "organ pipe", "sawtooth"])
def test_sort_of_regular_rows(shape: str) -> None:
    up = np.arange(700) // 3
    row = {"up": up, "down": up[::-1], "organ pipe": np.concatenate((up, up[::-1])), "sawtooth": up % 7}
    check_sort(torch.tensor(row[shape].copy()[None]))


@pytest.mark.parametrize("dtype", TYPES)
def test_sort_at_the_ends_of_a_type(dtype: torch.dtype) -> None:
    """Integers that no double holds, infinite numbers, and zeros of both signs, which are equal."""
    if dtype.is_floating_point:
        info = torch.finfo(dtype)
        few = [
            0.0,
            -0.0,
            1.0,
            1 + info.eps,
            -1.0,
            math.inf,
            -math.inf,
            info.max,
            info.min,
            info.tiny,
            -info.tiny,
        ]
    else:
        bounds = torch.iinfo(dtype)
        few = [bounds.min, bounds.min + 1, bounds.max, bounds.max - 1, 0, 1, bounds.max // 2]
    index = torch.randint(len(few), (3, 150), generator=torch.Generator().manual_seed(3))
    check_sort(torch.tensor(few, dtype=dtype)[index])


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0, math.inf, math.nan]), min_size=1, max_size=300))
def test_sort_with_nan(values: list[float]) -> None:
    check_sort(torch.tensor([values, sorted(values)], dtype=torch.float64))


def test_a_nan_of_any_bits_is_nan() -> None:
    """The compiler takes some of them for other things than numbers."""
    row = torch.full((1, 40), -1, dtype=torch.int64).view(torch.float64)
    row[0, ::3] = 1
    check_sort(row)


@pytest.mark.parametrize("size", [1, 2, 3, 11, 50, 300])
@pytest.mark.parametrize("dtype", [torch.float64, torch.int64])
def test_nth_and_top(size: int, dtype: torch.dtype) -> None:
    """Of equal elements the kernel takes those that Python's steps take."""
    rows = torch.randint(max(2, size // 3), (3, size), generator=torch.Generator().manual_seed(size)).to(
        dtype
    )
    up = rows.sort(1).values
    for k in sorted({1, (size + 1) // 3, size - 1, size} - {0}):
        calls: list[tuple[Callable[[], torch.Tensor], torch.Tensor, bool]] = [
            (partial(row_sort.nth, rows, k - 1), up[:, k - 1 : k], True)
        ]
        for largest, ordered in ((False, False), (False, True), (True, False), (True, True)):
            wanted = up.flip(1)[:, :k] if largest else up[:, :k]
            calls.append((partial(row_sort.top, rows, k, largest, ordered), wanted, ordered))
        for call, wanted, ordered in calls:
            positions = call()
            values = rows.gather(1, positions)
            assert values.sort(1).values.equal(wanted.sort(1).values)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(row_sort, "available", lambda: False)
                assert call().equal(positions)
            if ordered:
                assert values.equal(wanted)


@pytest.mark.parametrize(
    ("row", "k", "positions"),
    [
        ([2, 1], 0, [1, 0]),
        ([1, 1], 0, [0, 1]),
        # The middle, 1, goes second (it is there), then the median of three gives 2 1 3, the pivot 2 in front;
        # the scans cross at once and 2 changes places with 1.
        ([3, 1, 2], 1, [1, 2, 0]),
    ],
)
def test_quickselect_by_hand(row: list[float], k: int, positions: list[int]) -> None:
    found = [row_sort.nth(torch.tensor([row], dtype=torch.float64), k).item()]
    assert found == [positions[k]]


def test_the_most_frequent_element() -> None:
    rows = torch.randint(9, (20, 200), generator=torch.Generator().manual_seed(1))
    for row, position in zip(rows.tolist(), row_sort.most_frequent(rows).tolist(), strict=True):
        counts = np.bincount(row)
        order = [place for place in sedgewick(row) if row[place] == counts.argmax()]
        assert position == [order[-1]]


def test_in_several_threads() -> None:
    matrices = [
        torch.randint(0, 30, (3, 2000), generator=torch.Generator().manual_seed(i)).float() for i in range(4)
    ]
    wanted = [[sedgewick(row) for row in matrix.tolist()] for matrix in matrices]
    equal: dict[int, bool] = {}

    def work(number: int) -> None:
        equal[number] = all(row_sort.sort(matrices[number]).tolist() == wanted[number] for _ in range(20))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert equal == dict.fromkeys(range(4), True)


def _sort_into(queue: Any) -> None:
    queue.put(row_sort.sort(torch.arange(100.0).flip(0)[None]).tolist())


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # of several threads: that is the point
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
def test_in_a_forked_process() -> None:
    row_sort.sort(torch.zeros(1, 100))
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=_sort_into, args=(queue,))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert queue.get() == [list(range(99, -1, -1))]
