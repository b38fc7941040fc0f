"""k-th values, medians, modes and histograms."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import check_query, lua
from torch7py.bridge.errors import LuaError

X = np.array([[5.0, 1.0, 4.0, 2.0, 3.0], [9.0, 7.0, 6.0, 10.0, 8.0], [-1.0, -5.0, 0.0, 12.0, 1.0]])


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


def kth(k: int, axis: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(X, axis=axis)
    where = np.take(order, [k - 1], axis=axis)
    return np.take_along_axis(X, where, axis), where + 1


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.int64, torch.int32])
def test_kthvalue(rt: Runtime, dtype: torch.dtype) -> None:
    x = torch.tensor(X, dtype=dtype)
    for arguments, k, axis in (("2", 2, 1), ("5, 2", 5, 1), ("1, 1", 1, 0)):
        values, indices = kth(k, axis)
        check_query(rt, "kthvalue", arguments, x, (values, dtype), (indices, torch.int64))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.int32])
def test_median(rt: Runtime, dtype: torch.dtype) -> None:
    x = torch.tensor(X, dtype=dtype)
    for arguments, k, axis in (("", 3, 1), ("2", 3, 1), ("1", 2, 0)):
        values, indices = kth(k, axis)
        check_query(rt, "median", arguments, x, (values, dtype), (indices, torch.int64))


def test_the_median_of_an_even_number_is_the_lower_one(rt: Runtime) -> None:
    values, indices = lua(rt, "return x:median()", x=torch.tensor([4.0, 1.0, 3.0, 2.0]))
    assert (values.tolist(), indices.tolist()) == ([2], [4])


def test_mode(rt: Runtime) -> None:
    x = torch.tensor([[2, 3, 3, 1, 2], [7, 7, 7, 0, 0], [5, 4, 3, 2, 1]], dtype=torch.int32)
    for form in ("torch.mode(x)", "x:mode()", "x:mode(2)", "torch.mode(v, i, x)", "v:mode(i, x, 2)"):
        out = {"v": torch.zeros(1, dtype=torch.int32), "i": torch.zeros(1, dtype=torch.int64)}
        values, indices = lua(rt, f"return {form}", x=x, **out)
        assert values.tolist() == [[2], [7], [1]]
        assert torch.equal(x.gather(1, indices - 1), values)
    assert lua(rt, "return (x:mode(1))", x=torch.tensor([[1, 2], [1, 3], [4, 3]]).int()).tolist() == [[1, 3]]


def test_which_of_equal_values(rt: Runtime) -> None:
    # Sorting rows this short keeps the order of equal values, and the last of them counts.
    values, indices = lua(rt, "return x:mode()", x=torch.tensor([2.0, 1.0, 2.0, 3.0, 1.0, 2.0]))
    assert (values.tolist(), indices.tolist()) == ([2], [6])


def test_nan_equals_nothing(rt: Runtime) -> None:
    # In the sorted row, which is this one, every nan is a run of its own, and the two 1 are one.
    values, indices = lua(rt, "return x:mode()", x=torch.tensor([math.nan, 1.0, 1.0, math.nan, math.nan]))
    assert (values.tolist(), indices.tolist()) == ([1], [3])
    # By hand: the middle, 1, stays; of the comparisons only "nan or 2 above something" come, and none holds; the pivot
    # is 2, the upward scan stops at nan and the downward one at 1, which the pivot changes places with.
    for call in ("x:kthvalue(1)", "x:kthvalue(1, 1)"):
        values, indices = lua(rt, f"return {call}", x=torch.tensor([2.0, 1.0, math.nan]))
        assert (values.tolist(), indices.tolist()) == ([1], [2])
    assert lua(rt, "return (x:median())", x=torch.tensor([2.0, 1.0, math.nan])).tolist() == [2]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("x:kthvalue(0)", "selected index 0 out of range"),
        ("x:kthvalue(4)", "selected index 4 out of range"),
        ("x:kthvalue(1, 3)", "dimension 3 out of range"),
        ("x:median(0)", "dimension 0 out of range"),
        ("x:mode(3)", "dimension 3 out of range"),
    ],
)
def test_out_of_range(rt: Runtime, call: str, message: str) -> None:
    with pytest.raises(LuaError, match=message):
        lua(rt, call, x=torch.ones(2, 3))


# -- histograms -------------------------------------------------------------------------------------------

H = np.array([[0.0, 0.5, 1.0, 2.5], [4.0, 3.9, 5.5, -1.0]])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_histc(rt: Runtime, dtype: torch.dtype) -> None:
    x = torch.tensor(H, dtype=dtype)
    # Four bins from 0 to 4; 4 itself goes to the last one, 5.5 and -1 to none.
    check_query(rt, "histc", "4, 0, 4", x, ([2, 1, 1, 2], dtype))
    check_query(rt, "histc", "2", x, (np.histogram(H, 2)[0], dtype))
    check_query(rt, "histc", "", x, (np.histogram(H, 100)[0], dtype))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_histc_of_many(rt: Runtime, dtype: torch.dtype) -> None:
    x = torch.randn(100, 200, dtype=dtype, generator=torch.Generator().manual_seed(3))
    x[0, :4] = torch.tensor([math.nan, math.inf, -math.inf, 0.75])
    for bins, low, high in ((1, -9.0, 9.0), (7, -0.3, 0.75), (900, -2.0, 2.1)):
        # Step by step in numbers of this type, as the original's loop in C.
        of_type = x.numpy().dtype.type
        least, most = of_type(low), of_type(high)
        inside = x.numpy()[(x.numpy() >= least) & (x.numpy() <= most)]
        places = ((inside - least) / (most - least) * of_type(bins)).astype(np.int64)
        expected = np.bincount(places.clip(max=bins - 1), minlength=bins)
        check_query(rt, "histc", f"{bins}, {low}, {high}", x, (expected, dtype))


def test_a_range_that_is_empty_in_floats(rt: Runtime) -> None:
    # The original's bounds are of the tensor's type: these are equal there, and the range is that of the values.
    x = torch.arange(5000, dtype=torch.float32)
    for values, each in ((x, 2500), (x[:10], 5)):
        assert lua(rt, "return x:histc(2, 0.1, 0.1 + 1e-12)", x=values).tolist() == [each, each]


def test_histc_of_one_value(rt: Runtime) -> None:
    # The range is then from 1 below to 1 above.
    assert lua(rt, "return x:histc(4)", x=torch.full((3,), 7.0)).tolist() == [0, 0, 3, 0]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_bhistc(rt: Runtime, dtype: torch.dtype) -> None:
    x = torch.tensor(H, dtype=dtype)
    check_query(rt, "bhistc", "4, 0, 4", x, ([[2, 1, 1, 0], [0, 0, 0, 2]], dtype))
    low, high = H.min(), H.max()
    rows = [np.histogram(row, 5, (low, high))[0] for row in H]
    check_query(rt, "bhistc", "5", x, (rows, dtype))


def test_histograms_that_cannot_be(rt: Runtime) -> None:
    with pytest.raises(LuaError, match="at least one bin"):
        lua(rt, "x:histc(0)", x=torch.ones(3))
    for x in (torch.ones(3), torch.ones(5000)):
        with pytest.raises(LuaError, match="a finite range, which -inf to inf is not"):
            lua(rt, "x:histc(3, -1e39, 1e39)", x=x)
    with pytest.raises(LuaError, match="must be a matrix"):
        lua(rt, "x:bhistc(2)", x=torch.ones(3))
