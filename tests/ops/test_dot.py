"""The product of vectors: each step of a short one is rounded once."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from torch7py.ops import dot as module
from torch7py.ops.dot import dot
from torch7py.ops.errors import TorchError

DOUBLE = torch.float64


def vector(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=DOUBLE)


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), max_size=15))
def test_each_step_is_rounded_once(pairs: list[tuple[float, float]]) -> None:
    total = Fraction(0)
    for x, y in pairs:
        total = Fraction(float(Fraction(x) * Fraction(y) + total))
    a, b = torch.tensor(pairs, dtype=DOUBLE).reshape(-1, 2).unbind(1)
    assert dot(a, b) == float(total)


@given(st.floats(), st.floats(), st.floats())
def test_the_ways_to_multiply_and_add(a: float, b: float, c: float) -> None:
    fast, exact = module.multiply_add(a, b, c), module._exactly(a, b, c)
    assert fast == exact or (math.isnan(fast) and math.isnan(exact)) or abs(exact) > 1e308


def test_what_is_not_finite() -> None:
    assert dot(vector(math.inf, 1), vector(1, 1)) == math.inf
    assert math.isnan(dot(vector(math.inf, -math.inf), vector(1, 1)))


def test_shapes_and_types() -> None:
    a = torch.arange(12, dtype=DOUBLE).reshape(3, 4)
    assert dot(a.t().contiguous().t(), a.reshape(-1)) == 506
    assert dot(torch.ones(20), torch.ones(20)) == 20
    assert dot(torch.ones(3, dtype=torch.int64), torch.full((3,), 7)) == 21
    with pytest.raises(TorchError, match="3 elements against 2"):
        dot(torch.ones(3), torch.ones(2))
