"""tanh by the faster library: to the last bits of the true value, whatever the layout, the size and the type."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from torch7py.ops.hyperbolic import FEW, SHARED, tanh, tanh_


@pytest.mark.parametrize("scale", [1e-300, 1e-9, 1e-3, 0.1, 1, 10, 400])
def test_within_two_units_in_the_last_place(scale: float) -> None:
    x = torch.linspace(-1, 1, 4001, dtype=torch.float64) * scale
    true = np.tanh(x.numpy().astype(np.longdouble))
    assert np.all(np.abs(tanh(x).numpy() - true) <= 2 * np.spacing(np.abs(true).astype(np.float64)))
    single = x.float()
    true = np.tanh(single.numpy().astype(np.float64))
    assert np.all(np.abs(tanh(single).numpy() - true) <= 2 * np.spacing(np.abs(true).astype(np.float32)))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_edges(dtype: torch.dtype) -> None:
    x = torch.tensor([0.0, -0.0, math.inf, -math.inf, math.nan], dtype=dtype)
    found = tanh(x.repeat(FEW))
    assert torch.equal(found[:4], tanh(x)[:4])
    assert found.tolist()[:4] == [0, 0, 1, -1]
    assert math.isnan(found[4])
    assert math.copysign(1, found[1]) == -1
    assert tanh(torch.empty(0, 3, dtype=dtype)).shape == (0, 3)


@pytest.mark.parametrize("threads", [1, 2])
def test_layouts(threads: int) -> None:
    x = torch.randn(3, 70, 80, dtype=torch.float64).mul(3)
    big = torch.randn(SHARED + 3)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        for view in (x, x.transpose(0, 2), x[:, ::2, 1:], x.expand(2, 3, 70, 80), big):
            expected = np.tanh(view.numpy())
            out = torch.empty(view.shape, dtype=view.dtype)
            assert tanh(view, out=out) is out
            for found in (tanh(view), out):
                torch.testing.assert_close(found, torch.from_numpy(expected), rtol=1e-6, atol=0)
    finally:
        torch.set_num_threads(before)


def test_in_place_and_without_a_graph() -> None:
    for times in (1, FEW):
        x = torch.tensor([0.5, -2.0] * times, dtype=torch.float64, requires_grad=True)
        assert not tanh(x).requires_grad
        y = x.detach().clone()
        assert tanh_(y) is y
        assert y.tolist()[-2:] == pytest.approx([math.tanh(0.5), math.tanh(-2)], rel=1e-15)


def test_other_types_are_pytorchs() -> None:
    x = torch.tensor([0.5, -2.0] * FEW).half()
    assert torch.equal(tanh(x), torch.tanh(x))
