"""nn.hessian against autograd: where a layer is linear the diagonal of the Hessian is exact."""

from __future__ import annotations

import pytest
import torch

from tests.nn.faces import values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime


def diagonal(loss: torch.Tensor, by: torch.Tensor) -> torch.Tensor:
    (slopes,) = torch.autograd.grad(loss, by, create_graph=True)
    rows = [torch.autograd.grad(slope, by, retain_graph=True)[0].flatten() for slope in slopes.flatten()]
    return torch.stack(rows).diagonal().reshape(by.shape)


def test_the_diagonal_of_a_linear_model(runtime: Runtime) -> None:
    x, target = values(3), values(2, start=2)
    runtime.globals["x"], runtime.globals["target"] = x, target
    of_input, of_weight, of_bias, flat, weight, bias = lua(
        runtime,
        """
        nn.hessian.enable()
        local m, c = nn.Sequential():add(nn.Linear(3, 2)), nn.MSECriterion()
        m:initDiagHessianParameters()
        local w, g, h = m:getParameters()
        c:forward(m:forward(x), target)
        c:updateDiagHessianInput(m.output, target)
        m:updateDiagHessianInput(x, c.diagHessianInput)
        m:accDiagHessianParameters(x, c.diagHessianInput)
        local l = m:get(1)
        return m.diagHessianInput, l.diagHessianWeight, l.diagHessianBias, h, l.weight, l.bias
        """,
    )
    leaves = [t.detach().clone().requires_grad_() for t in (x, weight, bias)]
    loss = (torch.nn.functional.linear(leaves[0], leaves[1], leaves[2]) - target).square().mean()
    for ours, leaf in zip((of_input, of_weight, of_bias), leaves, strict=True):
        torch.testing.assert_close(ours, diagonal(loss, leaf), rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(flat, torch.cat([of_weight.flatten(), of_bias]), rtol=0, atol=0)


@pytest.mark.parametrize(
    "layer",
    [
        "nn.Linear(6, 2)",
        "nn.SpatialConvolution(2, 3, 2, 2)",
        "nn.SpatialFullConvolution(2, 3, 2, 2)",
        "nn.SpatialConvolutionLocal(2, 3, 4, 4, 2, 2)",
        "nn.SpatialConvolutionMap(nn.tables.full(2, 3), 2, 2)",
    ],
)
def test_the_diagonals_of_a_linear_layer_are_sums_of_squared_slopes(runtime: Runtime, layer: str) -> None:
    errors = runtime.execute(
        f"""
        require 'nn'
        nn.hessian.enable()
        torch.manualSeed(5)
        local m, j = {layer}, nn.Jacobian
        local x = torch.type(m) == 'nn.Linear' and torch.randn(6) or torch.randn(2, 4, 4)
        return j.testDiagHessianInput(m, x), j.testDiagHessianWeight(m, x), j.testDiagHessianBias(m, x)
        """
    )
    assert max(errors) < 1e-9


def test_through_a_tanh_it_is_the_square_of_the_slope(runtime: Runtime) -> None:
    runtime.globals["x"] = values(4)
    found = lua(
        runtime,
        "nn.hessian.enable() local m = nn.Tanh() m:forward(x) return m:updateDiagHessianInput(x, torch.ones(4))",
    )
    torch.testing.assert_close(found, (1 - values(4).tanh().square()).square(), rtol=1e-12, atol=1e-14)


def test_layers_without_one(runtime: Runtime) -> None:
    message = lua_error(
        runtime, "nn.hessian.enable() nn.Sigmoid():updateDiagHessianInput(torch.ones(1), torch.ones(1))"
    )
    assert message == "nn.Sigmoid:updateDiagHessianInput() is undefined"
