"""Steps in numpy's loops against the same steps in numpy, one after the other."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from torch7py.kernels import available
from torch7py.ops import memory
from torch7py.ops.chains import PIECE, Chain

pytestmark = pytest.mark.skipif(not available(), reason="there is no LuaJIT 2.1")

SCALED = Chain("a b out", "by", "multiply b by scaled", "add a scaled sum", "floor sum out")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("more", [0, 1, PIECE // 8 - 1, PIECE // 4])
def test_every_element_goes_through_all_steps(dtype: type[np.floating], more: int) -> None:
    a, b = np.random.default_rng(0).normal(size=(2, memory.LARGE + more)).astype(dtype)
    expected = np.floor(a + b * dtype(2.1))
    x, y = torch.tensor(a), torch.tensor(b)
    for out in (None, torch.zeros_like(x), x):
        found = SCALED.into(out, x, y, 2.1)
        assert found is not None
        assert out is None or found is out
        assert np.array_equal(found.numpy(), expected)


@pytest.mark.parametrize(
    "out",
    [
        torch.zeros(2 * memory.LARGE)[::2],
        torch.zeros(memory.LARGE, device="meta"),
        torch.zeros(memory.LARGE, requires_grad=True),
    ],
)
def test_where_a_chain_does_nothing(out: torch.Tensor) -> None:
    x = torch.ones(memory.LARGE)
    assert SCALED.into(out, x, x, 1.0) is None
    assert SCALED.into(None, x[1:], x[1:], 1.0) is None  # too few


def test_operands_that_lie_elsewhere_in_the_same_memory() -> None:
    held = torch.ones(memory.LARGE + 1)
    assert SCALED.into(held[1:], held[:-1], held[:-1], 1.0) is None
    assert held.equal(torch.ones(memory.LARGE + 1))
