"""The operators of Lua on tensors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import assert_tensor, layouts, lua
from torch7py.bridge.errors import LuaError

X = np.array([[1.0, -2.0, 3.5], [4.0, 0.5, -6.0]])
Y = np.array([[2.0, 3.0, -1.0], [0.5, 8.0, 2.0]])


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("x + y", X + Y),
        ("x + 2", X + 2),
        ("2 + x", 2 + X),
        ("x - y", X - Y),
        ("x - 2", X - 2),
        ("2 - x", 2 - X),
        ("x * 2", X * 2),
        ("2 * x", X * 2),
        ("x / 2", X / 2),
        ("x % 2", X - 2 * np.floor(X / 2)),
        ("-x", -X),
        ("x * y:t()", X @ Y.T),
        ("x:t() * y", X.T @ Y),
        ("-x * 2 + y / 4", -X * 2 + Y / 4),
    ],
)
def test_floating(rt: Runtime, expression: str, expected: np.ndarray, dtype: torch.dtype) -> None:
    y = torch.tensor(Y, dtype=dtype)
    if ":t()" in expression:
        expression = expression.replace("y:t()", "yt").replace("x:t()", "xt")
    for x in layouts(torch.tensor(X, dtype=dtype)):
        result = lua(rt, f"return {expression}", x=x, y=y, xt=x.t(), yt=y.t())
        assert_tensor(result, expected, dtype)
        assert result is not x


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("x + 2.9", [9, -5]),
        ("2.9 - x", [-5, 9]),
        ("x * 2.9", [14, -14]),
        ("x / 2.9", [3, -3]),
        ("x % 4", [3, 1]),
        ("x % -4", [-1, -3]),
        ("-x", [-7, 7]),
        ("x + x", [14, -14]),
    ],
)
def test_integers(rt: Runtime, expression: str, expected: list[int]) -> None:
    x = torch.tensor([7, -7], dtype=torch.int32)
    assert_tensor(lua(rt, f"return {expression}", x=x), expected, torch.int32)


def test_bytes_wrap_around(rt: Runtime) -> None:
    x = torch.tensor([0, 1, 255], dtype=torch.uint8)
    assert_tensor(lua(rt, "return -x", x=x), [0, 255, 1], torch.uint8)
    assert_tensor(lua(rt, "return 1 - x", x=x), [1, 0, 2], torch.uint8)


def test_products_by_dimensions(rt: Runtime) -> None:
    matrix, vector = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([5.0, 6.0])
    assert lua(rt, "return v * v", v=vector) == 61
    assert_tensor(lua(rt, "return m * v", m=matrix, v=vector), [17, 39], torch.float32)
    assert_tensor(lua(rt, "return m * m", m=matrix), [[7, 10], [15, 22]], torch.float32)


@pytest.mark.parametrize("product", ["v * m", "c * m", "m * c", "v * c", "e * v"])
def test_other_products_are_errors(rt: Runtime, product: str) -> None:
    values = {"v": torch.ones(2), "m": torch.ones(2, 2), "c": torch.ones(2, 2, 2), "e": torch.zeros(0)}
    with pytest.raises(LuaError, match=r"multiplication between \dD and \dD tensors not yet supported"):
        lua(rt, f"return {product}", **values)


@pytest.mark.parametrize("expression", ["x / x", "2 / x", "2 % x", "x % x", "x + d", "x * d", "x + 'a'"])
def test_what_has_no_operator(rt: Runtime, expression: str) -> None:
    with pytest.raises(LuaError, match="invalid arguments"):
        lua(rt, f"return {expression}", x=torch.ones(2), d=torch.ones(2, dtype=torch.float64))


def test_there_is_no_power(rt: Runtime) -> None:
    with pytest.raises(LuaError):
        lua(rt, "return x ^ 2", x=torch.ones(2))


def test_sums_fit_by_number_of_elements(rt: Runtime) -> None:
    x, y = torch.ones(2, 3), torch.arange(6.0)
    assert_tensor(lua(rt, "return x + y", x=x, y=y), [[1, 2, 3], [4, 5, 6]], torch.float32)
    with pytest.raises(LuaError, match="6 elements against 3"):
        lua(rt, "return x - y", x=x, y=torch.ones(3))


def test_operators_have_names_that_a_script_may_set() -> None:
    with Runtime() as runtime:
        source = """
            local x = torch.Tensor{1, 2}
            local mt = getmetatable(x)
            local named = (mt.__add__(x, 1) - (x + 1)):abs():sum() == 0 and mt.__len__(x)[1] == 2
            torch.DoubleTensor.__add__ = function(a, b) return 'mine' end
            return named, x + 1, 1 + x, torch.type(torch.FloatTensor{1} + 1), tostring(x) == mt.__tostring__(x)"""
        assert runtime.execute(source) == (True, "mine", "mine", "torch.FloatTensor", True)
        source = """
            local x = torch.Tensor{3, 4}
            local mt = getmetatable(x)
            return mt.__index__(x, 2), mt.__newindex__(x, 1, 7), x[1]"""
        assert runtime.execute(source) == (4, True, 7)
