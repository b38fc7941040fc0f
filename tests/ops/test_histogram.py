"""histc and bhistc."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import check_query, lua
from torch7py.bridge.errors import LuaError


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


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
