"""The kernels of order against the same quicksort in Python, and what they do with memory, threads and processes."""

from __future__ import annotations

import math
import multiprocessing
import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from torch7py.kernels import available
from torch7py.ops import quicksort, rows

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
needs_kernels = pytest.mark.skipif(not available(), reason="kernels need LuaJIT 2.1")


def expected(matrix: torch.Tensor, positions) -> list[list[int]]:
    return [positions(row).tolist() for row in matrix.numpy()]


def check_all(matrix: torch.Tensor) -> None:
    before = matrix.clone()
    for descending in (False, True):
        found = rows.sort(matrix, descending)
        assert found.tolist() == expected(matrix, lambda row, d=descending: quicksort.sort(row, d))
    assert rows.most_frequent(matrix).tolist() == expected(matrix, quicksort.most_frequent)
    for k in (0, matrix.size(1) // 2):
        found = rows.nth(matrix, k)
        assert found.tolist() == expected(matrix, lambda row, k=k: quicksort.select(row, k)[k : k + 1])
    count = matrix.size(1)
    for k in {1, (count + 1) // 3, count - 1, count} - {0}:
        for largest in (False, True):
            for ordered in (False, True):
                found = rows.top(matrix, k, largest, ordered)
                wanted = expected(matrix, lambda row, k=k, g=largest, o=ordered: quicksort.top(row, k, g, o))
                assert found.tolist() == wanted
    assert matrix.equal(before) or matrix.isnan().any()


@needs_kernels
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("size", [1, 2, 3, 11, 12, 13, 100, 139, 140, 141, 1000])
def test_as_in_python(dtype: torch.dtype, size: int) -> None:
    generator = torch.Generator().manual_seed(size)
    for different in (1, 2, 6, 60):
        values = torch.randint(different, (3, size), generator=generator)
        check_all((values if dtype == torch.uint8 else values - different // 2).to(dtype))


@needs_kernels
@pytest.mark.parametrize("dtype", TYPES[:2])
def test_as_in_python_for_numbers_of_any_size(dtype: torch.dtype) -> None:
    """Infinite ones, the least, those on both sides of 0, and 0 with both signs, which are equal."""
    info = torch.finfo(dtype)
    few = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, info.max, info.min, info.tiny, -info.tiny]
    few += [info.smallest_normal / 2, -info.smallest_normal / 2, info.eps, -2.5]
    order = np.random.default_rng(0).integers(0, len(few), (4, 300))
    check_all(torch.tensor(few, dtype=dtype)[torch.from_numpy(order)])
    # The last bits of all words count.
    check_all((1 + info.eps * torch.from_numpy(order)).to(dtype))
    check_all((-1 - info.eps * torch.from_numpy(order)).to(dtype))
    exponents = torch.from_numpy(np.random.default_rng(1).integers(-100, 100, (2, 200)) / 3)
    check_all((exponents.exp() * exponents.sign()).to(dtype))


@needs_kernels
@pytest.mark.parametrize("dtype", TYPES[3:])
def test_as_in_python_at_the_ends_of_a_type(dtype: torch.dtype) -> None:
    info = torch.iinfo(dtype)
    few = torch.tensor([info.min, info.min + 1, info.max, info.max - 1, 0, 1, info.max // 2], dtype=dtype)
    check_all(few[torch.randint(len(few), (3, 150), generator=torch.Generator().manual_seed(3))])


@needs_kernels
@pytest.mark.parametrize("shape", ["up", "down", "organ pipe", "sawtooth"])
def test_as_in_python_for_regular_rows(shape: str) -> None:
    up = np.arange(2000) // 3
    row = {"up": up, "down": up[::-1], "organ pipe": np.concatenate((up, up[::-1])), "sawtooth": up % 7}
    check_all(torch.tensor(row[shape].copy()[None], dtype=torch.float64))


@needs_kernels
@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(TYPES[:2]),
    st.integers(1, 3).flatmap(
        lambda count: st.lists(
            st.lists(st.integers(-4, 4), min_size=count * 40, max_size=count * 40), min_size=1, max_size=4
        )
    ),
)
def test_as_in_python_for_any_rows(dtype: torch.dtype, values: list[list[int]]) -> None:
    check_all(torch.tensor(values, dtype=dtype))


@needs_kernels
@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(TYPES[:3]),
    st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0, math.inf, math.nan]), min_size=1, max_size=300),
)
def test_as_in_python_with_nan(dtype: torch.dtype, values: list[float]) -> None:
    check_all(torch.tensor([values, sorted(values)], dtype=dtype))


@needs_kernels
def test_a_nan_of_any_bits_is_nan() -> None:
    """The compiler takes some of them for other things than numbers."""
    row = torch.full((1, 40), -1, dtype=torch.int64).view(torch.float64)
    row[0, ::3] = 1
    check_all(row)


@needs_kernels
def test_rows_of_several_chunks_and_a_row_longer_than_one() -> None:
    generator = torch.Generator().manual_seed(5)
    many = torch.randint(0, 40, (700, 100), generator=generator).double()
    assert many.numel() > rows.CHUNK
    assert rows.sort(many).tolist() == expected(many, quicksort.sort)
    assert rows.most_frequent(many).tolist() == expected(many, quicksort.most_frequent)
    long = torch.randint(0, 5000, (2, rows.CHUNK + 100), generator=generator).float()
    assert rows.sort(long).tolist() == expected(long, quicksort.sort)
    assert rows.top(long, 2000, True, False).tolist() == expected(
        long, lambda row: quicksort.top(row, 2000, True, False)
    )


@needs_kernels
def test_without_equal_elements() -> None:
    row = torch.randperm(5000, generator=torch.Generator().manual_seed(2)).double()[None]
    assert row[0, rows.sort(row)[0]].equal(row[0].sort().values)
    assert row[0, rows.most_frequent(row)[0]] == 0
    assert row[0, rows.top(row, 20, True, True)[0]].equal(torch.arange(4999.0, 4979, -1).double())


def test_without_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "available", lambda: False)
    check_all(torch.randint(0, 20, (3, 150), generator=torch.Generator().manual_seed(4)).double())


def test_in_several_threads() -> None:
    matrices = [
        torch.randint(0, 30, (3, 5000), generator=torch.Generator().manual_seed(i)).float() for i in range(4)
    ]
    wanted = [expected(matrix, quicksort.sort) for matrix in matrices]
    found: dict[int, bool] = {}

    def work(number: int) -> None:
        found[number] = all(rows.sort(matrices[number]).tolist() == wanted[number] for _ in range(20))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == dict.fromkeys(range(4), True)


def _sort_into(queue) -> None:
    queue.put(rows.sort(torch.arange(100.0).flip(0)[None]).tolist())


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # of several threads: that is the point
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
def test_in_a_forked_process() -> None:
    rows.sort(torch.zeros(1, 100))
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=_sort_into, args=(queue,))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert queue.get() == [list(range(99, -1, -1))]
