"""sort, topk, kthvalue, median and mode in every form."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import check_query, failure, lua, plain
from tests.ops.test_row_sort import sedgewick
from torch7py.bridge.errors import LuaError

TYPES = (torch.float64, torch.float32, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)
X = np.array([[3, 1, 2, 9], [7, 8, 6, 0], [5, 4, 11, 10]])


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(
    ("arguments", "axis", "descending"),
    [
        ("", 1, False),
        ("2", 1, False),
        ("1", 0, False),
        ("true", 1, True),
        ("1, true", 0, True),
        ("2, false", 1, False),
        ("nil, true", 1, True),
    ],
)
def test_sort(rt: Runtime, dtype: torch.dtype, arguments: str, axis: int, descending: bool) -> None:
    order = np.argsort(X, axis=axis)
    if descending:
        order = np.flip(order, axis)
    values = np.take_along_axis(X, order, axis)
    check_query(
        rt, "sort", arguments, torch.tensor(X, dtype=dtype), (values, dtype), (order + 1, torch.int64)
    )


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(
    ("arguments", "axis", "k", "largest"),
    [
        ("2, 2, false, true", 1, 2, False),
        ("3, 1, true, true", 0, 3, True),
        ("4, nil, true, true", 1, 4, True),
        ("1, 2, false, true", 1, 1, False),
    ],
)
def test_topk(rt: Runtime, dtype: torch.dtype, arguments: str, axis: int, k: int, largest: bool) -> None:
    order = np.argsort(X, axis=axis)
    order = np.take(np.flip(order, axis) if largest else order, range(k), axis)
    values = np.take_along_axis(X, order, axis)
    check_query(
        rt, "topk", arguments, torch.tensor(X, dtype=dtype), (values, dtype), (order + 1, torch.int64)
    )


def test_topk_defaults_to_the_smallest_in_no_order(rt: Runtime) -> None:
    values, indices = lua(rt, "return torch.topk(x)", x=torch.tensor(X))
    assert (values.tolist(), indices.tolist()) == ([[1], [0], [4]], [[2], [4], [2]])
    row = torch.from_numpy(np.random.default_rng(0).permutation(1000))
    values, indices = lua(rt, "return x:topk(10)", x=row)
    assert sorted(values.tolist()) == list(range(10))
    assert row[indices - 1].equal(values)


def test_equal_elements_come_as_in_the_original(rt: Runtime) -> None:
    rows = np.random.default_rng(1).integers(0, 9, (3, 50))
    values, indices = lua(rt, "return x:sort()", x=torch.tensor(rows))
    assert (indices - 1).tolist() == [sedgewick(row) for row in rows.tolist()]
    assert values.tolist() == np.sort(rows, 1).tolist()
    _, indices = lua(rt, "return x:t():sort(1, true)", x=torch.tensor(rows))
    assert (indices.t() - 1).tolist() == [sedgewick(row, lambda a, b: bool(a < b)) for row in rows.tolist()]


def test_only_the_values_may_be_given(rt: Runtime) -> None:
    source = """
        local r = torch.Tensor()
        local v, i = torch.sort(r, torch.Tensor{3, 1, 2})
        return rawequal(r, v), v, i"""
    assert plain(lua(rt, source)) == (True, [1, 2, 3], [2, 3, 1])


def test_into_the_tensor_itself(rt: Runtime) -> None:
    source = "local x, i = torch.Tensor{3, 1, 2}, torch.LongTensor() torch.sort(x, i, x, 1, true) return x, i"
    assert plain(lua(rt, source)) == ([3, 2, 1], [1, 3, 2])


@pytest.mark.parametrize("call", ["sort()", "topk(3)", "mode()"])
@pytest.mark.parametrize("last", ["1", "0/0"])
def test_what_was_sorted_can_be_resized(rt: Runtime, call: str, last: str) -> None:
    source = f"""
        local x = torch.Tensor(20):fill({last})
        local values, places = x:{call}
        return x:resize(5000):size(1) + values:resize(5000):size(1) + places:resize(5000):size(1)"""
    assert lua(rt, source) == 15000


def test_nan_is_in_no_order(rt: Runtime) -> None:
    """2 is not greater than nan and nan not greater than 1: the insertion sort finds nothing to do."""
    values, indices = lua(rt, "return x:sort()", x=torch.tensor([2.0, math.nan, 1.0]))
    assert values[0::2].tolist() == [2, 1]
    assert indices.tolist() == [1, 2, 3]
    row = np.random.default_rng(0).integers(0, 20, 200).astype(float)
    row[::7] = math.nan
    for axis, x in ((1, torch.tensor(row)), (2, torch.tensor(row)[None].repeat(3, 1).t().contiguous().t())):
        _, up = lua(rt, f"return x:sort({axis})", x=x)
        assert (up.view(-1, 200)[0] - 1).tolist() == sedgewick(row.tolist())
        _, down = lua(rt, f"return x:sort({axis}, true)", x=x)
        assert (down.view(-1, 200)[0] - 1).tolist() == sedgewick(row.tolist(), lambda a, b: bool(a < b))


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("x:sort(3)", "dimension 3 out of range of 2D tensor"),
        ("x:sort(0)", "dimension 0 out of range of 2D tensor"),
        ("torch.Tensor():sort()", "dimension 0 out of range of 0D tensor"),
        ("x:topk(5)", "topk: k = 5 not in range for dimension 2 of size 4"),
        ("x:topk(0)", "topk: k = 0 not in range"),
        ("x:topk(1, 3)", "dimension 3 out of range of 2D tensor"),
    ],
)
def test_errors(rt: Runtime, expression: str, message: str) -> None:
    assert message in failure(rt, f"local x = torch.Tensor(3, 4) local _ = {expression}")


# -- kthvalue, median and mode ---------------------------------------------------------------------------

ROWS = np.array([[5.0, 1.0, 4.0, 2.0, 3.0], [9.0, 7.0, 6.0, 10.0, 8.0], [-1.0, -5.0, 0.0, 12.0, 1.0]])


def kth(k: int, axis: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(ROWS, axis=axis)
    where = np.take(order, [k - 1], axis=axis)
    return np.take_along_axis(ROWS, where, axis), where + 1


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.int64, torch.int32])
def test_kthvalue(rt: Runtime, dtype: torch.dtype) -> None:
    x = torch.tensor(ROWS, dtype=dtype)
    for arguments, k, axis in (("2", 2, 1), ("5, 2", 5, 1), ("1, 1", 1, 0)):
        values, indices = kth(k, axis)
        check_query(rt, "kthvalue", arguments, x, (values, dtype), (indices, torch.int64))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.int32])
def test_median(rt: Runtime, dtype: torch.dtype) -> None:
    x = torch.tensor(ROWS, dtype=dtype)
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
def test_selections_out_of_range(rt: Runtime, call: str, message: str) -> None:
    with pytest.raises(LuaError, match=message):
        lua(rt, call, x=torch.ones(2, 3))
