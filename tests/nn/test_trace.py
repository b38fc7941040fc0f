"""Gradients of a call that was recorded, by the short way and by PyTorch's."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.nn.faces import values
from torch7py.nn import trace
from torch7py.nn.activation import Tanh
from torch7py.nn.linear import Linear
from torch7py.nn.trace import derivatives


@pytest.mark.parametrize("short", [True, False])
def test_derivatives(monkeypatch: pytest.MonkeyPatch, short: bool) -> None:
    """Those of x y and of x + x, of which z is no part; None for it. The graph stays for a second time."""
    if short:
        assert trace._engine is not None

        def refuse(*_: Any, **__: Any) -> None:
            raise AssertionError("PyTorch's check of sizes imports sympy")

        monkeypatch.setattr(torch.autograd, "grad", refuse)
    else:
        monkeypatch.setattr(trace, "_engine", None)
    x, y, z = (values(2, 3, start=n).requires_grad_() for n in range(3))
    outputs, above = (x * y, x + x), (values(2, 3, start=4), values(2, 3, start=5))
    for _ in range(2):
        of_x, of_y, of_z = derivatives(outputs, [x, y, z], above)
        assert of_x is not None
        assert of_y is not None
        assert of_z is None
        torch.testing.assert_close(of_x, above[0] * y.data + 2 * above[1])
        torch.testing.assert_close(of_y, above[0] * x.data)
    assert x.grad is None


def test_a_tensor_without_a_graph_is_refused() -> None:
    x = values(2)
    with pytest.raises(RuntimeError):
        derivatives([x], [values(2).requires_grad_()], [x])


def test_a_backward_after_the_output_was_emptied() -> None:
    """A view keeps the memory of the output, which is no part of the graph then."""
    layer = Tanh()
    first, second = torch.randn(4, 3, dtype=torch.float64), torch.randn(4, 3, dtype=torch.float64)
    view = layer.updateOutput(first).view(-1)
    layer.updateOutput(second)
    assert torch.equal(view, torch.tanh(second).view(-1))
    linear = Linear(3, 2)
    of_linear = linear.updateOutput(first).view(-1)
    linear.updateOutput(second)
    linear.clearState()
    gradient = linear.updateGradInput(second, torch.ones(4, 2, dtype=torch.float64))
    torch.testing.assert_close(gradient, torch.ones(4, 2, dtype=torch.float64) @ linear.weight.data)
    assert of_linear.numel() == 8
