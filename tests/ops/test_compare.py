"""Comparisons of elements, and what tests a whole tensor."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import assert_tensor, check_query, lua
from torch7py.bridge.errors import LuaError

X = np.array([[1, 2, 3], [4, 5, 6]])
Y = np.array([[1, 3, 2], [4, 4, 7]])
COMPARISONS = {
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}
TYPES = (torch.float64, torch.float32, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", COMPARISONS)
def test_give_bytes(rt: Runtime, name: str, dtype: torch.dtype) -> None:
    x, y = torch.tensor(X, dtype=dtype), torch.tensor(Y, dtype=dtype)
    check_query(rt, name, "3", x, (COMPARISONS[name](X, 3), torch.uint8))
    check_query(rt, name, "y", x, (COMPARISONS[name](X, Y), torch.uint8), y=y)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", COMPARISONS)
def test_write_the_type_of_the_operands(rt: Runtime, name: str, dtype: torch.dtype) -> None:
    x, y = torch.tensor(X, dtype=dtype), torch.tensor(Y, dtype=dtype)
    for form, expected in (
        ("(out, x, 3)", COMPARISONS[name](X, 3)),
        ("(out, x, y)", COMPARISONS[name](X, Y)),
    ):
        out = torch.zeros(1, dtype=dtype)
        assert lua(rt, f"return rawequal(out, torch.{name}{form})", x=x, y=y, out=out) is True
        assert_tensor(out, expected, dtype)


def test_a_number_is_cast_first(rt: Runtime) -> None:
    x = torch.tensor([2, 3], dtype=torch.int32)
    assert lua(rt, "return x:eq(2.9)", x=x).tolist() == [1, 0]
    assert lua(rt, "return x:lt(2.5)", x=x).tolist() == [0, 0]
    assert lua(rt, "return x:eq(0.1)", x=torch.tensor([0.1])).tolist() == [1]
    assert lua(rt, "return x:eq(0.1)", x=torch.tensor([0.1]).double()).tolist() == [0]


def test_nan_equals_nothing(rt: Runtime) -> None:
    x = torch.tensor([math.nan, 1.0])
    assert lua(rt, "return x:eq(x)", x=x).tolist() == [0, 1]
    assert lua(rt, "return x:ne(x)", x=x).tolist() == [1, 0]
    assert lua(rt, "return x:equal(x)", x=x) is False


def test_operands_fit_by_number_of_elements(rt: Runtime) -> None:
    x, y = torch.arange(4.0).view(2, 2), torch.tensor([0.0, 2.0, 2.0, 0.0])
    assert lua(rt, "return x:eq(y)", x=x, y=y).tolist() == [[1, 0], [1, 0]]
    with pytest.raises(LuaError, match="4 elements against 2"):
        lua(rt, "return x:eq(y)", x=x, y=torch.zeros(2))
    with pytest.raises(LuaError, match="invalid arguments"):
        lua(rt, "return x:eq(y)", x=x, y=y.double())


@pytest.mark.parametrize("dtype", TYPES)
def test_equal(rt: Runtime, dtype: torch.dtype) -> None:
    x, y = torch.tensor(X, dtype=dtype), torch.tensor(Y, dtype=dtype)
    assert lua(
        rt, "return torch.equal(x, y), x:equal(c), x:equal(t)", x=x, y=y, c=x.clone(), t=x.view(3, 2)
    ) == (
        False,
        True,
        False,
    )
    assert lua(rt, "return x:equal(y)", x=x, y=x.t().contiguous().t()) is True


def test_all_and_any(rt: Runtime) -> None:
    def of(*values: int) -> tuple[bool, ...]:
        x = torch.tensor(values, dtype=torch.uint8)
        found: tuple[bool, ...] = lua(rt, "return x:all(), torch.all(x), x:any(), torch.any(x)", x=x)
        return found

    assert of(1, 2) == (True, True, True, True)
    assert of(1, 0) == (False, False, True, True)
    assert of(0, 0) == (False, False, False, False)


@pytest.mark.parametrize("name", ["all", "any"])
def test_all_and_any_want_a_byte_tensor_with_elements(rt: Runtime, name: str) -> None:
    with pytest.raises(LuaError, match="empty Tensor"):
        lua(rt, f"x:{name}()", x=torch.zeros(0, dtype=torch.uint8))
    with pytest.raises(LuaError, match=r"invalid arguments.*DoubleTensor"):
        lua(rt, f"x:{name}()", x=torch.zeros(2, dtype=torch.float64))
