"""Tensors that share memory with what they are written to: the order of the elements decides."""

from __future__ import annotations

import gzip
import itertools
import math
from pathlib import Path

import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.overlap_cases import OTHERS, cases, program
from torch7py.ops import overlap
from torch7py.ops.registry import operations

GOLDEN = Path(__file__).parents[1] / "golden/overlaps.txt.gz"


def alike(ours: str, expected: str) -> bool:
    if ours == expected or expected == "crash":
        return True
    if "error" in (ours, expected):
        return False
    pairs = zip(map(float, ours.split()), map(float, expected.split()), strict=True)
    return all(p == q or (p != p and q != q) or math.isclose(p, q, rel_tol=2e-9) for p, q in pairs)


@pytest.mark.parametrize("step", [3, pytest.param(1, marks=pytest.mark.slow)])
def test_every_operation_does_what_the_original_did(step):
    """There are ten calls of each operation and more: one in three, and the others among the slow tests."""
    found = cases()[::step]
    expected = gzip.decompress(GOLDEN.read_bytes()).decode().splitlines()[::step]
    with Runtime() as runtime:
        runtime.execute("lines = {} function print(text) lines[#lines + 1] = text end")
        runtime.execute(program(found))
        lines = runtime.execute("return table.concat(lines, '\\n')").splitlines()
    assert len(lines) == len(found) == len(expected)
    pairs = zip(found, lines, expected, strict=True)
    assert [(case, ours, theirs) for case, ours, theirs in pairs if not alike(ours, theirs)] == []


def test_the_calls_are_those_of_operations():
    assert set(OTHERS) - {"map", "map2"} <= set(operations)


X = torch.arange(12.0).view(3, 4)


@pytest.mark.parametrize(
    ("out", "other", "expected"),
    [
        (X, X, False),
        (X, X.clone(), False),
        (X[:, :2], X[:, 2:], False),  # side by side
        (X[:2], X[2:], False),
        (X[0], X[:, 0], True),
        (X[:2], X[1:], True),
        (X[:, :3], X[:, 1:], True),
        (X[:, 0], X[:, :1].expand(3, 4), True),
        (X[:1].expand(3, 4), X[:1].expand(3, 4), True),
        (X[:0], X, False),
    ],
)
def test_whether_the_order_matters(out, other, expected):
    assert overlap.order_matters(out, other) is expected


@pytest.mark.parametrize("seed", range(20))
def test_elements_at_once_are_elements_one_by_one(seed):
    """Random views of one memory: the result of a loop over their elements."""
    source = torch.Generator().manual_seed(seed)

    def view(x):
        sizes, strides = (3, 4), torch.randint(0, 5, (2,), generator=source).tolist()
        return x.as_strided(sizes, strides, int(torch.randint(0, 8, (1,), generator=source)))

    x = torch.randint(0, 100, (40,), generator=source).double()
    state = source.get_state()
    out, a, b = view(x), view(x), view(x)
    source.set_state(state)
    expected = x.clone()
    result, first, second = view(expected), view(expected), view(expected)
    for at in itertools.product(range(3), range(4)):
        result[at] = 2 * first[at] - second[at]
    overlap.in_order(out, lambda p, q: 2 * p - q, a, b)
    assert x.equal(expected)
    if overlap.order_matters(out, a):
        for at in itertools.product(range(3), range(4)):
            result[at] = first[at]
        overlap.copy(out, a)
        assert x.equal(expected)


@pytest.mark.parametrize(("side", "dtype"), [(60, torch.float64), (100, torch.float32), (130, torch.uint8)])
def test_large_matrices_are_turned_square_by_square(side, dtype):
    """In squares of 60 (of bytes, 120), each of which is read before it is written."""
    x = torch.arange(side * side).remainder(251).to(dtype).view(side, side)
    expected = x.clone()
    step = 120 if dtype == torch.uint8 else 60
    for row, column in itertools.product(range(0, side, step), repeat=2):
        rows, columns = slice(row, row + step), slice(column, column + step)
        expected[rows, columns] = expected.t()[rows, columns].clone()
    overlap.copy(x, x.t())
    assert x.equal(expected)


def _numbers_alike(ours: str, expected: str) -> bool:
    """Whether two lines are the same but for the last digits of floats."""
    if ours == expected:
        return True
    first, second = ours.split(), expected.split()
    if len(first) != len(second):
        return False
    return all(p == q or _close(p, q) for p, q in zip(first, second, strict=True))


def _close(ours: str, expected: str) -> bool:
    try:
        p, q = float(ours), float(expected)
    except ValueError:
        return False
    return (p != p and q != q) or math.isclose(p, q, rel_tol=2e-6)


def test_random_programs_do_what_the_original_did():
    """Each step of ``random_tensors.lua``: what is in memory after it, and whether it is an error."""
    expected = gzip.decompress((GOLDEN.parent / "random_tensors.txt.gz").read_bytes()).decode().splitlines()
    source = (Path(__file__).parent / "random_tensors.lua").read_text()
    with Runtime() as runtime:
        runtime.execute("lines = {} function print(text) lines[#lines + 1] = text end")
        runtime.execute(f"assert(loadstring([====[{source}]====]))(1, 300)")
        lines = runtime.execute("return table.concat(lines, '\\n')").splitlines()
    assert len(lines) == len(expected)
    pairs = zip(lines, expected, strict=True)
    assert next(((ours, theirs) for ours, theirs in pairs if not _numbers_alike(ours, theirs)), None) is None
