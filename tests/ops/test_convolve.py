"""Convolutions against the sums that define them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import assert_tensor, lua
from torch7py.bridge.errors import LuaError

TYPES = (torch.float64, torch.float32, torch.int64, torch.int32)
SOURCE = np.random.default_rng(5)


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


def full(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """The full convolution: every element spreads over the kernel's size."""
    result = np.zeros([n + k - 1 for n, k in zip(x.shape, kernel.shape, strict=True)], dtype=x.dtype)
    for at in product(*map(range, x.shape)):
        result[tuple(slice(a, a + k) for a, k in zip(at, kernel.shape, strict=True))] += x[at] * kernel
    return result


def plane(name: str, mode: str, x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    if name.startswith("xcorr"):
        kernel = np.flip(kernel)
    result = full(x, kernel)
    if mode == "V":
        result = result[tuple(slice(k - 1, n) for n, k in zip(x.shape, kernel.shape, strict=True))]
    return result


SIZES = {2: ((5, 6), (2, 3)), 3: ((4, 5, 6), (2, 3, 2))}


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("mode", ["V", "F"])
@pytest.mark.parametrize(("name", "space"), [("conv2", 2), ("xcorr2", 2), ("conv3", 3), ("xcorr3", 3)])
def test_all_forms(rt: Runtime, name: str, space: int, mode: str, dtype: torch.dtype) -> None:
    size, kernel_size = SIZES[space]
    x = SOURCE.integers(-9, 9, (2, *size))
    k = SOURCE.integers(-9, 9, (3, 2, *kernel_size))
    cases = [
        (x[0], k[0, 0], plane(name, mode, x[0], k[0, 0])),
        (x, k[0], np.stack([plane(name, mode, x[p], k[0, p]) for p in range(2)])),
        (x, k, np.stack([sum(plane(name, mode, x[p], k[n, p]) for p in range(2)) for n in range(3)])),
    ]
    for image, kernel, expected in cases:
        values = {
            "x": torch.tensor(image, dtype=dtype),
            "k": torch.tensor(kernel, dtype=dtype).transpose(-1, -2).contiguous().transpose(-1, -2),
        }
        option = f", '{mode}'"
        forms = [f"torch.{name}(x, k{option})", f"x:{name}(k{option})"]
        if mode == "V":
            forms.append(f"torch.{name}(x, k)")
        for form in forms:
            assert_tensor(lua(rt, f"return {form}", **values), expected, dtype)
        for form in (f"torch.{name}(out, x, k{option})", f"out:{name}(x, k{option})"):
            out = torch.ones(3, dtype=dtype)
            assert lua(rt, f"return rawequal(out, {form})", out=out, **values) is True
            assert_tensor(out, expected, dtype)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("torch.conv2(x, y)", "input image is smaller than kernel"),
        ("torch.conv2(x, x, 'S')", "type of convolution can be 'V' or 'F'"),
        ("torch.conv2(x, v)", "do not fit"),
        ("torch.conv3(x, x)", "do not fit"),
        ("torch.xcorr2(p2, p3)", "invalid number of input planes"),
    ],
)
def test_errors(rt: Runtime, call: str, message: str) -> None:
    values = {"x": torch.ones(3, 3), "y": torch.ones(4, 2), "v": torch.ones(3)}
    with pytest.raises(LuaError, match=message):
        lua(rt, call, p2=torch.ones(2, 3, 3), p3=torch.ones(3, 3, 3), **values)
