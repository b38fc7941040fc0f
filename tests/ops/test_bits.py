"""Bit operations and shifts, in all forms, against C's rules."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import check_update, lua
from torch7py.bridge.errors import LuaError


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


INTEGER_CASES = [
    (torch.int32, "lshift", "4", [[48, -64], [112, -112]], [[3, -4], [7, -7]]),
    (torch.int32, "rshift", "1", [[1, 2147483646], [3, 2147483644]], [[3, -4], [7, -7]]),
    (torch.int64, "rshift", "1", [[1, 2**63 - 2], [3, 2**63 - 4]], [[3, -4], [7, -7]]),
    (torch.int8, "rshift", "2", [[0, 63], [1, 62]], [[3, -4], [7, -7]]),
    (torch.int8, "rshift", "0", [[3, -4], [7, -7]], [[3, -4], [7, -7]]),
    (torch.uint8, "rshift", "2", [[0, 63], [1, 62]], [[3, 252], [7, 249]]),
    (torch.int32, "bitand", "6", [[2, 4], [6, 0]], [[3, -4], [7, -7]]),
    (torch.int64, "bitor", "8", [[11, -4], [15, -7]], [[3, -4], [7, -7]]),
    (torch.uint8, "bitxor", "255", [[252, 0], [248, 127]], [[3, 255], [7, 128]]),
]


@pytest.mark.parametrize(("dtype", "name", "arguments", "expected", "x"), INTEGER_CASES)
def test_with_a_number(
    rt: Runtime, dtype: torch.dtype, name: str, arguments: str, expected: list[object], x: list[object]
) -> None:
    check_update(rt, name, arguments, torch.tensor(x, dtype=dtype), expected)


A = np.array([[7, -7], [13, -128]])
B = np.array([[2, 3], [-4, 5]])


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.int16])
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("cbitand", "y", A & B),
        ("cbitor", "y", A | B),
        ("cbitxor", "y", A ^ B),
        ("clshift", "w", A * 4),
    ],
)
def test_with_a_tensor(
    rt: Runtime, name: str, arguments: str, expected: np.ndarray, dtype: torch.dtype
) -> None:
    x, y, w = torch.tensor(A, dtype=dtype), torch.tensor(B, dtype=dtype), torch.full((2, 2), 2, dtype=dtype)
    check_update(rt, name, arguments, x, expected, y=y, w=w)


def test_crshift_brings_in_zeros(rt: Runtime) -> None:
    x, y = (
        torch.tensor([[-8, 8], [-1, 1]], dtype=torch.int16),
        torch.tensor([[1, 1], [15, 0]], dtype=torch.int16),
    )
    check_update(rt, "crshift", "y", x, [[32764, 4], [1, 1]], y=y)


X = np.array([[1.5, -2.0, 3.25], [-0.5, 7.0, 0.75]])
Z = np.array([[-1.0, 2.0, 0.5], [3.0, 1.5, -2.0]])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("lshift", "3", X * 8),
        ("rshift", "1", X / 2),
        ("clshift", "z", X * 2**Z),
        ("crshift", "z", X / 2**Z),
    ],
)
def test_floating_shifts_are_powers_of_two(
    rt: Runtime, name: str, arguments: str, expected: np.ndarray, dtype: torch.dtype
) -> None:
    x, z = torch.tensor(X, dtype=dtype), torch.tensor(Z, dtype=dtype)
    check_update(rt, name, arguments, x, expected, z=z)


@pytest.mark.parametrize("name", ["bitand", "bitor", "bitxor"])
def test_bits_are_for_integers_only(rt: Runtime, name: str) -> None:
    with pytest.raises(LuaError, match=f"{name} is only supported for integer type tensors"):
        lua(rt, f"x:{name}(1)", x=torch.ones(3))
    with pytest.raises(LuaError, match=f"c{name} is only supported for integer type tensors"):
        lua(rt, f"x:c{name}(x)", x=torch.ones(3))
