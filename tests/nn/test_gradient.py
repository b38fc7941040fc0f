"""Layers that change the gradient alone: what the golden cases leave out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.nn.faces import assert_faces_agree, values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.nn.gradient import GradientReversal, L1Penalty, ZeroGrad

# A layer, and its gradient for an input and a gradOutput.
LAYERS: list[tuple[Callable[[], Any], Callable[[torch.Tensor, torch.Tensor], torch.Tensor]]] = [
    (GradientReversal, lambda x, g: -g),
    (lambda: GradientReversal(0.5), lambda x, g: -0.5 * g),
    (ZeroGrad, lambda x, g: 0 * g),
    (lambda: L1Penalty(0.3), lambda x, g: g + 0.3 * x.sign()),
    (lambda: L1Penalty(0.3, True), lambda x, g: g + 0.3 / x.numel() * x.sign()),
    (lambda: L1Penalty(0.3, False, False), lambda x, g: 0.3 * x.sign()),
]


@pytest.mark.parametrize(("make", "gradient"), LAYERS)
@pytest.mark.parametrize("shape", [(5,), (2, 3, 2)])
def test_gradients(
    make: Callable[[], Any], gradient: Callable[..., torch.Tensor], shape: tuple[int, ...]
) -> None:
    layer, x, g = make(), values(*shape), values(*shape, start=2)
    assert torch.equal(assert_faces_agree(layer, x, derivative=False), x)
    torch.testing.assert_close(layer.backward(x, g), gradient(x, g), rtol=1e-14, atol=0)


def test_the_penalty_is_kept(runtime: Runtime) -> None:
    code = "local m = nn.L1Penalty(2, {}) m:forward(torch.Tensor{{1, -2}}) return m.loss"
    assert lua(runtime, code.replace("{}", "false")) == 6
    assert lua(runtime, code.replace("{}", "true")) == 3


def test_l1_penalty_hands_its_input_on(runtime: Runtime) -> None:
    same, size = lua(
        runtime,
        "local m, x = nn.L1Penalty(1), torch.ones(3) local y = m:forward(x) m:clearState() return "
        "rawequal(x, y), x:nElement()",
    )
    assert same
    assert size == 0  # clearState empties the output, which the input is: in the original too


@pytest.mark.parametrize("layer", ["GradientReversal()", "ZeroGrad()"])
def test_the_output_is_the_input_in_memory(runtime: Runtime, layer: str) -> None:
    changed, size = lua(
        runtime,
        f"local m, x = nn.{layer}, torch.zeros(3) local y = m:forward(x) x:fill(4) local s = "
        f"y:sum() m:clearState() return s, x:nElement()",
    )
    assert changed == 12
    assert size == 3


def test_set_lambda(runtime: Runtime) -> None:
    found = lua(
        runtime,
        "local m = nn.GradientReversal() m:setLambda(3) m:forward(torch.ones(1)) return m.lambda, "
        "m:backward(torch.ones(1), torch.ones(1))[1]",
    )
    assert found == (3, -3)


@pytest.mark.parametrize("layer", ["GradientReversal()", "L1Penalty(1)"])
def test_errors(runtime: Runtime, layer: str) -> None:
    name = layer.split("(")[0]
    message = lua_error(runtime, f"nn.{layer}:backward(torch.ones(2), torch.ones(3))")
    assert message == f"nn.{name}: gradOutput has 3 elements (3), not 2 (2)"
