"""Reductions: of a whole tensor a number, along a dimension a tensor that keeps it with size 1."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import assert_tensor, check_query, check_update, layouts, lua
from torch7py.bridge.errors import LuaError

X = np.array([[1.5, -2.0, 3.25, 0.5], [-0.5, 7.0, 0.75, -4.0], [2.0, 1.0, -3.0, 0.25]])
N = np.array([[3, -2, 7, 1], [5, 7, -4, 2], [0, 3, 3, -1]])
FLOATING = (torch.float64, torch.float32)
SIGNED = (torch.int64, torch.int32, torch.int16, torch.int8)


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


def norm(p: float) -> Callable[..., Any]:
    return lambda x, **keywords: np.sum(np.abs(x) ** p, **keywords) ** (1 / p)


# name, arguments before the dimension and after it, numpy's counterpart
FLOAT_CASES: list[tuple[str, str, str, Callable[..., Any]]] = [
    ("sum", "", "", np.sum),
    ("prod", "", "", np.prod),
    ("mean", "", "", np.mean),
    ("var", "", "", lambda x, **k: np.var(x, ddof=1, **k)),
    ("var", "", "false", lambda x, **k: np.var(x, ddof=1, **k)),
    ("var", "", "true", np.var),
    ("std", "", "", lambda x, **k: np.std(x, ddof=1, **k)),
    ("std", "", "true", np.std),
    ("norm", "2", "", norm(2)),
    ("norm", "1", "", norm(1)),
    ("norm", "3", "", norm(3)),
    ("norm", "0.5", "", norm(0.5)),
    ("norm", "0", "", np.count_nonzero),
]


@pytest.mark.parametrize("dtype", FLOATING)
@pytest.mark.parametrize(("name", "before", "after", "function"), FLOAT_CASES)
def test_floating(
    rt: Runtime, name: str, before: str, after: str, function: Callable[..., Any], dtype: torch.dtype
) -> None:
    x = torch.tensor(X, dtype=dtype)
    rest = ", ".join(filter(None, (before, after)))
    for src in layouts(x):
        found = lua(rt, f"return torch.{name}(x{rest and ', ' + rest}), x:{name}({rest})", x=src)
        assert found == pytest.approx((function(X),) * 2, rel=1e-12 if dtype == torch.float64 else 1e-6)
    for dim in (1, 2):
        arguments = ", ".join(filter(None, (before, str(dim), after)))
        check_query(rt, name, arguments, x, (function(X, axis=dim - 1, keepdims=True), dtype))


@pytest.mark.parametrize("dtype", SIGNED)
@pytest.mark.parametrize(("name", "function"), [("sum", np.sum), ("prod", np.prod)])
def test_integers(rt: Runtime, name: str, function: Callable[..., Any], dtype: torch.dtype) -> None:
    x = torch.tensor(N[:, :2], dtype=dtype)
    assert lua(rt, f"return torch.{name}(x), x:{name}()", x=x) == (function(N[:, :2]),) * 2
    for dim in (1, 2):
        check_query(rt, name, str(dim), x, (function(N[:, :2], axis=dim - 1, keepdims=True), dtype))


def test_sums_of_bytes(rt: Runtime) -> None:
    x = torch.tensor([[200, 100]], dtype=torch.uint8)
    assert lua(rt, "return x:sum(), x:prod()", x=x) == (300, 20000)
    check_query(rt, "sum", "2", x, ([[44]], torch.uint8))  # 300 - 256
    check_query(rt, "prod", "2", x, ([[20000 % 256]], torch.uint8))
    check_query(rt, "cumsum", "2", x, ([[200, 44]], torch.uint8))


@pytest.mark.parametrize("kind", ["Double", "Float"])
def test_a_small_sum_is_taken_from_the_first_element_to_the_last_in_every_call(
    rt: Runtime, kind: str
) -> None:
    text = f"""torch.manualSeed(1)
    local x = torch.{kind}Tensor(7, 9):normal()
    local expected = 0
    for i = 1, 7 do for j = 1, 9 do expected = expected + x[i][j] end end
    local columns = 0
    for j = 1, 9 do for i = 1, 7 do columns = columns + x[i][j] end end
    return x:sum() == expected, x:sum() == expected, x:t():sum() == columns, x:t():sum() == columns"""
    assert lua(rt, text) == (True, True, True, True)


def test_sums_of_floats_are_carried_in_double(rt: Runtime) -> None:
    x = torch.tensor([2.0**24, 1.0, 1.0, -(2.0**24)])
    assert lua(rt, "return x:sum(), x:sum(1)[1], x:mean(), x:cumsum()[4]", x=x) == (2, 2, 0.5, 2)
    big = torch.tensor([1e30, 1e30, 1e-30, 1e-30])
    assert lua(rt, "return x:prod()", x=big) == pytest.approx(1, rel=1e-6)
    huge = torch.full((4,), 1e30)
    assert lua(rt, "return x:norm()", x=huge) == pytest.approx(2e30, rel=1e-6)
    # But not the terms of a distance, which the original carries in the tensors' own type.
    assert lua(rt, "return x:dist(y), x:dist(y, 1)", x=huge, y=-huge) == pytest.approx(
        (math.inf, 8e30), rel=1e-6
    )


@pytest.mark.parametrize("dtype", [*FLOATING, *SIGNED])
@pytest.mark.parametrize("name", ["max", "min"])
def test_extremes(rt: Runtime, name: str, dtype: torch.dtype) -> None:
    x = torch.tensor(N, dtype=dtype)
    function, where = getattr(np, name), getattr(np, f"arg{name}")
    for src in layouts(x):
        assert lua(rt, f"return torch.{name}(x), x:{name}()", x=src) == (function(N),) * 2
    for dim in (1, 2):
        values = function(N, axis=dim - 1, keepdims=True)
        indices = np.expand_dims(where(N, axis=dim - 1), dim - 1) + 1
        check_query(rt, name, str(dim), x, (values, dtype), (indices, torch.int64))


def test_the_first_of_equal_extremes_counts(rt: Runtime) -> None:
    x = torch.tensor([[1, 3, 3], [2, 2, 1]], dtype=torch.int32)
    assert lua(rt, "local v, i = x:max(2) return i", x=x).tolist() == [[2], [1]]
    assert lua(rt, "local v, i = x:min(1) return i", x=x).tolist() == [[1, 2, 2]]


def test_values_alone_may_be_given(rt: Runtime) -> None:
    out, x = torch.zeros(5), torch.tensor([[1.0, 4.0], [3.0, 2.0]])
    same, indices = lua(rt, "local v, i = torch.max(out, x, 2) return rawequal(v, out), i", x=x, out=out)
    assert same is True
    assert out.tolist() == [[4], [3]]
    assert indices.tolist() == [[2], [1]]


def test_extremes_of_nan(rt: Runtime) -> None:
    x = torch.tensor([1.0, math.nan, 3.0])
    assert all(math.isnan(value) for value in lua(rt, "return x:max(), x:min()", x=x))
    values, indices = lua(rt, "return x:max(1)", x=x)
    assert math.isnan(values)
    assert indices.tolist() == [2]


def test_a_vector_reduces_to_one_element(rt: Runtime) -> None:
    x = torch.tensor([1.0, 2.0, 4.0])
    for call, expected in (("sum", 7), ("prod", 8), ("mean", 7 / 3), ("max", 4)):
        result = lua(rt, f"return (x:{call}(1))", x=x)
        assert_tensor(result, [expected], torch.float32)


def test_results_are_contiguous(rt: Runtime) -> None:
    x = torch.rand(2, 3, 4, 5).permute(3, 1, 0, 2)
    for call in (
        "sum(2)",
        "max(2)",
        "min(3)",
        "mean(1)",
        "kthvalue(1, 2)",
        "median(3)",
        "mode(1)",
        "cumsum(2)",
    ):
        results = lua(rt, f"return x:{call}", x=x)
        assert all(
            result.is_contiguous() for result in (results if isinstance(results, tuple) else (results,))
        )


def test_three_dimensions(rt: Runtime) -> None:
    values = np.arange(24.0).reshape(2, 3, 4)
    functions: tuple[Callable[..., Any], ...] = (np.sum, np.mean, np.max)
    for dim in (1, 2, 3):
        result = lua(rt, f"return x:sum({dim}), x:mean({dim}), x:max({dim})", x=torch.tensor(values))
        for tensor, function in zip(result, functions, strict=False):
            assert_tensor(tensor, function(values, axis=dim - 1, keepdims=True), torch.float64)


# -- moments of hard numbers ------------------------------------------------------------------------------


def test_variance_of_one_number(rt: Runtime) -> None:
    x = torch.tensor([[2.0]])
    assert all(math.isnan(value) for value in lua(rt, "return x:var(), x:std()", x=x))
    assert math.isnan(lua(rt, "return x:var(1)", x=x))
    assert lua(rt, "return x:var(true), x:std(true)", x=x) == (0, 0)
    assert lua(rt, "return x:std(2, true)", x=x).tolist() == [[0]]


def test_variance_of_a_whole_tensor_is_exact_far_from_zero(rt: Runtime) -> None:
    x = torch.tensor([1e6, 1e6 + 1, 1e6 + 2])
    assert lua(rt, "return x:var(), x:std()", x=x) == (1, 1)


# -- sums as one goes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [*FLOATING, torch.int64, torch.int32])
@pytest.mark.parametrize(("name", "function"), [("cumsum", np.cumsum), ("cumprod", np.cumprod)])
def test_running(rt: Runtime, name: str, function: Callable[..., Any], dtype: torch.dtype) -> None:
    x = torch.tensor(N, dtype=dtype)
    check_query(rt, name, "", x, (function(N, axis=0), dtype))
    check_query(rt, name, "1", x, (function(N, axis=0), dtype))
    check_query(rt, name, "2", x, (function(N, axis=1), dtype))


def test_trace(rt: Runtime) -> None:
    assert lua(rt, "return torch.trace(x), x:trace()", x=torch.tensor(X)) == (1.5 + 7 - 3,) * 2
    assert lua(rt, "return x:trace()", x=torch.full((3, 2), 100, dtype=torch.uint8)) == 200
    with pytest.raises(LuaError, match="expected a matrix"):
        lua(rt, "x:trace()", x=torch.ones(3))


# -- norms ------------------------------------------------------------------------------------------------


def test_the_norm_is_euclidean_by_default(rt: Runtime) -> None:
    assert lua(rt, "return torch.norm(x), x:norm()", x=torch.tensor([3.0, 4.0])) == (5, 5)


@pytest.mark.parametrize(("p", "expected"), [("", 5), (", 2", 5), (", 1", 7), (", 3", 91 ** (1 / 3))])
def test_dist(rt: Runtime, p: str, expected: float) -> None:
    x, y = torch.tensor([[1.0, 5.0]]).double(), torch.tensor([4.0, 1.0]).double()
    assert lua(rt, f"return torch.dist(x, y{p}), x:dist(y{p})", x=x, y=y) == pytest.approx((expected,) * 2)


def test_renorm(rt: Runtime) -> None:
    x = torch.tensor([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]], dtype=torch.float64)
    limited = np.array([[0.6, 0.8], [0.3, 0.4], [0.6, 0.8]])
    found = lua(rt, "return torch.renorm(x, 2, 1, 1)", x=x)
    np.testing.assert_allclose(found.numpy(), limited, rtol=1e-7)
    # The factor is limit / (norm + 1e-7).
    scale = np.array([1 / (5 + 1e-7), 1, 1 / (10 + 1e-7)])[:, None]
    check_update(rt, "renorm", "2, 1, 1", x, x.numpy() * scale)
    columns = np.array([2 / (9.3 + 1e-7), 2 / (12.4 + 1e-7)])
    check_update(rt, "renorm", "1, 2, 2", x, x.numpy() * columns)
    # No norm is within a limit below 0: all slices are scaled to it, and turned round.
    lengths = np.linalg.norm(x.numpy(), axis=1, keepdims=True)
    check_update(rt, "renorm", "2, 1, -2", x, x.numpy() * (-2 / (lengths + 1e-7)))
    for call, message in (
        ("x:renorm(0, 1, 1)", "non-positive"),
        ("v:renorm(2, 1, 1)", "at least 2 dimensions"),
    ):
        with pytest.raises(LuaError, match=message):
            lua(rt, call, x=x, v=torch.ones(3))


def test_match(rt: Runtime) -> None:
    a, b = np.array([[0.0, 1.0], [2.0, 3.0], [1.0, 1.0]]), np.array([[1.0, 1.0], [0.0, 0.0]])
    expected = ((a[:, None] - b[None]) ** 2).sum(2)
    values = {"a": torch.tensor(a), "b": torch.tensor(b)}
    for form, gain in (
        ("torch.match(a, b)", 1),
        ("torch.match(a, b, 3)", 3),
        ("torch.match(out, a, b)", 1),
        ("out:match(a, b, 2)", 2),
    ):
        result = lua(rt, f"return {form}", out=torch.zeros(1, dtype=torch.float64), **values)
        assert_tensor(result, gain * expected, torch.float64)


# -- errors -----------------------------------------------------------------------------------------------

ALONG = ["sum", "prod", "mean", "max", "min", "cumsum", "cumprod", "var", "std"]


@pytest.mark.parametrize("name", ALONG)
@pytest.mark.parametrize("dim", [0, -1, 3])
def test_dimension_out_of_range(rt: Runtime, name: str, dim: int) -> None:
    with pytest.raises(LuaError, match=f"dimension {dim} out of range of 2D tensor"):
        lua(rt, f"x:{name}({dim})", x=torch.ones(2, 2))


@pytest.mark.parametrize("name", ["max", "min", "mean", "var", "std"])
def test_empty(rt: Runtime, name: str) -> None:
    with pytest.raises(LuaError, match="empty tensor"):
        lua(rt, f"x:{name}()", x=torch.zeros(0))


def test_empty_sums(rt: Runtime) -> None:
    assert lua(rt, "return x:sum(), x:prod(), x:norm()", x=torch.zeros(0)) == (0, 1, 0)


@pytest.mark.parametrize("name", ["mean", "var", "std", "norm"])
def test_integers_have_no_moments(rt: Runtime, name: str) -> None:
    with pytest.raises(LuaError, match=r"invalid arguments.*IntTensor"):
        lua(rt, f"x:{name}()", x=torch.ones(2, dtype=torch.int32))


# -- large tensors ----------------------------------------------------------------------------------------

ROWS, COLUMNS = 300, 70


def many(dtype: torch.dtype) -> list[torch.Tensor]:
    """The same numbers in several layouts."""
    values = np.random.default_rng(3).uniform(-100, 100, (ROWS, COLUMNS)).astype(np.float32)
    x = torch.tensor(values).to(dtype)
    return [x, x.t().contiguous().t(), torch.stack([x, x], 2)[:, :, 1]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_large_floats_are_added_up_in_double(rt: Runtime, dtype: torch.dtype) -> None:
    for x in many(dtype):
        exact = x.double().numpy()
        found = lua(
            rt, "return x:sum(), x:mean(), x:var(), x:norm(), x:norm(1), x:norm(3), x:dist(x * 2)", x=x
        )
        norms = [np.linalg.norm(exact.ravel(), p) for p in (2, 1, 3, 2)]
        expected = (exact.sum(), exact.mean(), exact.var(ddof=1), *norms)
        assert found[:5] == pytest.approx(expected[:5], rel=1e-10)
        # A root is rounded to the tensor's type, and a distance is carried in it.
        assert found[5:] == pytest.approx(expected[5:], rel=1e-6 if dtype == torch.float32 else 1e-10)
        for dim in (0, 1):
            lengths = np.linalg.norm(exact, axis=dim, keepdims=True)
            assert_tensor(lua(rt, f"return x:norm(2, {dim + 1})", x=x), lengths, dtype)
        rows = exact.sum(1, keepdims=True)
        found = lua(rt, "return x:sum(2)", x=x)
        # Where a row's numbers do not lie side by side the original adds them in the tensor's own type.
        np.testing.assert_allclose(found.numpy(), rows, rtol=1e-6, atol=0 if x.stride(1) == 1 else 1e-2)


def test_large_integers_are_added_up_in_64_bits(rt: Runtime) -> None:
    for x in many(torch.int32):
        assert lua(rt, "return x:sum()", x=x) == x.numpy().astype(np.int64).sum()


def test_one_long_row(rt: Runtime) -> None:
    x = many(torch.float32)[0].reshape(1, -1)
    assert lua(rt, "return x:sum(2)", x=x).item() == np.float32(x.double().numpy().sum())
