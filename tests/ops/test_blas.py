"""Products of vectors and matrices, in all forms."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import assert_tensor, layouts, lua
from torch7py.bridge.errors import LuaError

TYPES = (torch.float64, torch.float32, torch.int64, torch.int32)
SOURCE = np.random.default_rng(7)
M, K = SOURCE.integers(-9, 9, (3, 4)), SOURCE.integers(-9, 9, (4, 2))
U, V = SOURCE.integers(-9, 9, 3), SOURCE.integers(-9, 9, 4)
B1, B2 = SOURCE.integers(-9, 9, (5, 3, 4)), SOURCE.integers(-9, 9, (5, 4, 2))

# name, the factors, their product, the sum's shape
PRODUCTS = {
    "addmv": (M, V, M @ V),
    "addr": (U, V, np.outer(U, V)),
    "addmm": (M, K, M @ K),
    "addbmm": (B1, B2, (B1 @ B2).sum(0)),
    "baddbmm": (B1, B2, B1 @ B2),
}


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


def strided(values: np.ndarray, dtype: torch.dtype) -> torch.Tensor:
    """Not contiguous in memory."""
    wide = torch.zeros(*values.shape, 2, dtype=dtype)
    wide[..., 1] = torch.tensor(values, dtype=dtype)
    return wide[..., 1]


@pytest.mark.parametrize("dtype", TYPES)
def test_dot(rt: Runtime, dtype: torch.dtype) -> None:
    x, y = torch.tensor(B1, dtype=dtype), torch.tensor(B1[::-1].copy(), dtype=dtype)
    expected = int((B1 * B1[::-1]).sum())
    assert lua(rt, "return torch.dot(x, y), x:dot(y)", x=x, y=y) == (expected, expected)
    x2 = strided(B1, dtype)
    assert lua(rt, "return x:dot(y)", x=x2, y=y.view(3, 20)) == expected


@pytest.mark.parametrize(
    ("name", "a", "b", "expected"),
    [("mm", M, K, M @ K), ("mv", M, V, M @ V), ("bmm", B1, B2, B1 @ B2), ("ger", U, V, np.outer(U, V))],
)
def test_products_into_a_tensor(rt: Runtime, name: str, a: Any, b: Any, expected: Any) -> None:
    """In its own memory, with its gaps or turned; a factor may be that tensor, and a smaller one grows."""
    x, y = torch.tensor(a, dtype=torch.float64), torch.tensor(b, dtype=torch.float64)
    turned = torch.zeros(expected.shape[::-1], dtype=torch.float64).permute(*range(expected.ndim)[::-1])
    for out in (
        torch.zeros(expected.shape, dtype=torch.float64),
        strided(expected * 0, torch.float64),
        turned,
    ):
        place, strides = out.data_ptr(), out.stride()
        lua(rt, f"r:{name}(x, y)", x=x, y=y, r=out)
        assert np.array_equal(out.numpy(), expected)
        assert (out.data_ptr(), out.stride()) == (place, strides)
    small = torch.zeros(1, dtype=torch.float64)
    lua(rt, f"r:{name}(x, y)", x=x, y=y, r=small)
    assert np.array_equal(small.numpy(), expected)
    if name in ("mm", "bmm"):
        square = torch.tensor(SOURCE.integers(-9, 9, (*a.shape[:-2], 4, 4)), dtype=torch.float64)
        product = square @ square
        lua(rt, f"r:{name}(r, r)", r=square)
        assert torch.equal(square, product)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(
    ("name", "a", "b", "expected"),
    [("mm", M, K, M @ K), ("mv", M, V, M @ V), ("bmm", B1, B2, B1 @ B2), ("ger", U, V, np.outer(U, V))],
)
def test_products(
    rt: Runtime, name: str, a: np.ndarray, b: np.ndarray, expected: np.ndarray, dtype: torch.dtype
) -> None:
    for make in (torch.tensor, strided):
        factors = {"a": make(a, dtype=dtype), "b": make(b, dtype=dtype)}
        assert_tensor(lua(rt, f"return torch.{name}(a, b)", **factors), expected, dtype)
        for form in (f"torch.{name}(out, a, b)", f"out:{name}(a, b)"):
            out = torch.ones(1, dtype=dtype)
            assert lua(rt, f"return rawequal(out, {form})", out=out, **factors) is True
            assert_tensor(out, expected, dtype)


def test_a_factor_may_take_the_product(rt: Runtime) -> None:
    a = torch.tensor([[1.0, 1.0], [0.0, 1.0]])
    assert lua(rt, "return torch.mm(a, a, a)", a=a).tolist() == [[1, 2], [0, 1]]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", PRODUCTS)
def test_sums(rt: Runtime, name: str, dtype: torch.dtype) -> None:
    a, b, product = PRODUCTS[name]
    s = np.arange(product.size).reshape(product.shape)
    forms: list[tuple[str, Any]] = [
        ("s, a, b", s + product),
        ("s, 3, a, b", s + 3 * product),
        ("2, s, a, b", 2 * s + product),
        ("2, s, 3, a, b", 2 * s + 3 * product),
    ]
    for make in (torch.tensor, strided):
        values = {"a": make(a, dtype=dtype), "b": make(b, dtype=dtype), "s": make(s, dtype=dtype)}
        for arguments, expected in forms:
            assert_tensor(lua(rt, f"return torch.{name}({arguments})", **values), expected, dtype)
            for form in (f"torch.{name}(out, {arguments})", f"out:{name}({arguments})"):
                out = torch.ones(1, dtype=dtype)
                assert lua(rt, f"return rawequal(out, {form})", out=out, **values) is True
                assert_tensor(out, expected, dtype)
        assert_tensor(values["s"], s, dtype)
        for arguments, expected in (
            ("", s + product),
            ("3, ", s + 3 * product),
            ("2, 3, ", 2 * s + 3 * product),
        ):
            receiver = values["s"].clone() if values["s"].is_contiguous() else make(s, dtype=dtype)
            assert lua(rt, f"return rawequal(x, x:{name}({arguments}a, b))", x=receiver, **values) is True
            assert_tensor(receiver, expected, dtype)


def test_beta_0_forgets_nan(rt: Runtime) -> None:
    x, a = torch.full((2, 2), math.nan), torch.eye(2)
    assert lua(rt, "return torch.addmm(0, x, 1, a, a)", x=x, a=a).tolist() == [[1, 0], [0, 1]]
    assert lua(rt, "return x:addmm(0, 1, a, a)", x=x, a=a).tolist() == [[1, 0], [0, 1]]


def test_numbers_are_cast_for_integers(rt: Runtime) -> None:
    x, a = torch.ones(2, 2, dtype=torch.int32), torch.eye(2, dtype=torch.int32)
    assert lua(rt, "return torch.addmm(2.9, x, -1.5, a, a)", x=x, a=a).tolist() == [[1, 2], [2, 1]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("torch.mm(m, v)", "2D and 2D tensors expected, got 2D and 1D"),
        ("torch.mm(m, m)", "3x4 by 3x4"),
        ("torch.mm(m, d)", "invalid arguments"),
        ("torch.mv(m, u)", "size mismatch"),
        ("torch.mv(v, m)", "2D and 1D tensors expected, got 1D and 2D"),
        ("torch.ger(m, v)", "1D and 1D tensors expected, got 2D and 1D"),
        ("torch.bmm(m, m)", "3D"),
        ("torch.dot(u, v)", "3 elements against 4"),
        ("torch.addmm(m, m, m)", "3x4 and 3x4"),
        ("torch.addmm(row, m, k)", "size mismatch"),
        ("torch.addmm(m, v, v)", "2D and 2D tensors expected, got 1D and 1D"),
        ("s1:addmv(m, v)", "size mismatch"),
        ("torch.addr(m, v, u)", "size mismatch"),
        ("m:addmm(m, k)", "size mismatch"),
    ],
)
def test_sizes_and_types_must_fit(rt: Runtime, call: str, message: str) -> None:
    values = {"m": torch.ones(3, 4), "k": torch.ones(4, 2), "u": torch.ones(3), "v": torch.ones(4)}
    others = {"row": torch.ones(1, 2), "s1": torch.ones(1), "d": torch.ones(4, 2).double()}
    with pytest.raises(LuaError, match=message):
        lua(rt, call, **values, **others)


@pytest.mark.parametrize("dtype", TYPES)
def test_cross(rt: Runtime, dtype: torch.dtype) -> None:
    a, b = SOURCE.integers(-5, 5, (3, 2)), SOURCE.integers(-5, 5, (3, 2))
    expected = np.cross(a, b, axis=0)
    for x in layouts(torch.tensor(a, dtype=dtype)):
        values = {"a": x, "b": torch.tensor(b, dtype=dtype)}
        for form in (
            "torch.cross(a, b)",
            "a:cross(b)",
            "torch.cross(a, b, 1)",
            "torch.cross(a, b, 0)",
            "a:cross(b, 1)",
        ):
            assert_tensor(lua(rt, f"return {form}", **values), expected, dtype)
        out = torch.zeros(1, dtype=dtype)
        assert lua(rt, "return rawequal(out, torch.cross(out, a, b))", out=out, **values) is True
        assert_tensor(out, expected, dtype)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("torch.cross(x, x)", "no dimension of size 3"),
        ("torch.cross(x, y)", "inconsistent tensor sizes"),
        ("torch.cross(y, y, 2)", "dimension 2 does not have size 3"),
        ("torch.cross(y, y, 3)", "dimension 3 out of range"),
    ],
)
def test_no_cross_product(rt: Runtime, call: str, message: str) -> None:
    with pytest.raises(LuaError, match=message):
        lua(rt, call, x=torch.ones(2, 4), y=torch.ones(3, 2))
