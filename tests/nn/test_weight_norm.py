"""Weight normalization, against PyTorch's derivative of the same function."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from tests.nn.faces import assert_faces_agree, values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.nn.linear import Linear
from torch7py.nn.weight_norm import LinearWeightNorm, WeightNorm


@pytest.mark.parametrize("shape", [(4,), (5, 4)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_weight_norm(shape: tuple[int, ...], bias: bool) -> None:
    layer = LinearWeightNorm(4, 3, bias)
    layer.g.data.copy_(values(3, 1) + 2)
    x = values(*shape)
    output = assert_faces_agree(layer, x)
    weight = layer.v.data * layer.g.data / layer.v.data.norm(dim=1, keepdim=True)
    expected = F.linear(x, weight, layer.bias).detach()
    torch.testing.assert_close(output, expected, rtol=1e-12, atol=1e-14)
    layer.updateOutput(x)
    torch.testing.assert_close(layer.weight, weight, rtol=1e-13, atol=0)


@pytest.mark.parametrize("bias", [True, False])
def test_the_backward_computes_in_the_weight(runtime: Runtime, bias: bool) -> None:
    """It leaves what it subtracts from the gradient of v, ``v g / ||v||^2`` times that of g, until the next forward."""
    left, expected = lua(
        runtime,
        f"""
        local m, x, g = nn.LinearWeightNorm(4, 3, {str(bias).lower()}), torch.randn(5, 4), torch.randn(5, 3)
        m.g:add(1)
        m:zeroGradParameters()
        m:forward(x)
        m:backward(x, g)
        local norm = m.v:norm(2, 2):expandAs(m.v)
        return m.weight:clone(), torch.cmul(m.v, m.g:expandAs(m.v)):cdiv(norm):cdiv(norm):cmul(m.gradG:expandAs(m.v))
        """,
    )
    torch.testing.assert_close(left, expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("outputDim", [1, 2])
@pytest.mark.parametrize("shape", [(4,), (5, 4)])
def test_weight_norm(shape: tuple[int, ...], outputDim: int) -> None:
    inner = Linear(4, 3)
    layer = WeightNorm(inner, outputDim)
    x, g = values(*shape), values(*shape[:-1], 3, start=2)
    output = layer.updateOutput(x).clone()

    v, scale = layer.v.data.clone().requires_grad_(), layer.g.data.clone().requires_grad_()
    leaf = x.clone().requires_grad_()
    weight = v * scale / (v.square().sum(1, keepdim=True) + 1e-4).sqrt()
    expected = F.linear(leaf, weight if outputDim == 1 else weight.t(), inner.bias)
    torch.testing.assert_close(output, expected.detach(), rtol=1e-12, atol=1e-14)
    from_python = layer(leaf)
    torch.testing.assert_close(from_python, expected, rtol=1e-12, atol=1e-14)

    layer.zeroGradParameters()
    found = [layer.backward(x, g), *layer.torch7_parameters()[1]]
    wanted = torch.autograd.grad(expected, [leaf, v, scale, inner.bias], g)
    for ours, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-13)
    python: Any = torch.autograd.grad(from_python, [leaf, layer.v, layer.g, inner.bias], g)
    for ours, theirs in zip(python, wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-13)


def test_a_step_moves_direction_and_length(runtime: Runtime) -> None:
    names, direction, length, bias = lua(
        runtime,
        """
        local m = nn.WeightNorm(nn.Linear(4, 3))
        local p, g = m:parameters()
        local before = {p[1]:clone(), p[2]:clone(), p[3]:clone()}
        m:zeroGradParameters()
        m:forward(torch.randn(5, 4))
        m:backward(torch.randn(5, 4), torch.randn(5, 3))
        m:updateParameters(0.1)
        return #p, (before[1] - 0.1 * m.gradV - m.v):abs():max(), (before[2] - 0.1 * m.gradG - m.g):abs():max(),
           (before[3] - 0.1 * m.gradBias - m.bias):abs():max()
        """,
    )
    assert names == 3
    assert max(direction, length, bias) < 1e-15


def test_evaluation_keeps_the_weight(runtime: Runtime) -> None:
    """On the way to evaluation the weight is computed; in it v and g count for nothing."""
    for layer in ("nn.LinearWeightNorm(4, 3)", "nn.WeightNorm(nn.Linear(4, 3))"):
        difference = lua(
            runtime,
            f"""
            local m, x = {layer}, torch.randn(5, 4)
            local trained = m:forward(x):clone()
            m:evaluate()
            m.v:fill(3)
            return (m:forward(x) - trained):abs():max()
            """,
        )
        assert difference == 0


def test_first_values(runtime: Runtime) -> None:
    v, expected, length, bias, weight, uniform = lua(
        runtime,
        """
        local inner = nn.Linear(4, 3)
        torch.manualSeed(6)
        local m = nn.WeightNorm(inner)
        torch.manualSeed(6)
        local v = torch.Tensor(3, 4):normal(0, math.sqrt(2 / 4))
        torch.manualSeed(6)
        local l = nn.LinearWeightNorm(4, 3)
        torch.manualSeed(6)
        return m.v, v, m.g, inner.bias, l.v, torch.Tensor(3, 4):uniform(-1 / 2, 1 / 2)
        """,
    )
    assert torch.equal(v, expected)
    torch.testing.assert_close(length, v.norm(dim=1, keepdim=True), rtol=1e-15, atol=0)
    assert bias.abs().max().item() == 0
    assert torch.equal(weight, uniform)


def test_to_and_from_linear(runtime: Runtime) -> None:
    there, back, kinds = lua(
        runtime,
        """
        local x, plain = torch.randn(5, 4), nn.Linear(4, 3)
        local m = nn.LinearWeightNorm.fromLinear(plain)
        local n = m:toLinear()
        plain:forward(x)
        return (m:forward(x) - plain.output):abs():max(), (n:forward(x) - plain.output):abs():max(),
           torch.type(m) .. ' ' .. torch.type(n)
        """,
    )
    assert max(there, back) < 1e-14
    assert kinds == "nn.LinearWeightNorm nn.Linear"


def test_texts_and_parameters(runtime: Runtime) -> None:
    found = lua(
        runtime,
        """
        local m, n = nn.LinearWeightNorm(4, 3, false), nn.WeightNorm(nn.Linear(4, 3))
        local texts, count = {tostring(m), tostring(n)}, (n:getParameters()):nElement()
        return texts, #m:parameters(), n.viewIn[2], torch.type(n:float().v), count
        """,
    )
    texts = ["nn.LinearWeightNorm(4 -> 3) without bias", "nn.WeightNorm @ nn.Linear(4 -> 3)"]
    assert found == (texts, 2, 4, "torch.FloatTensor", 18)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("nn.WeightNorm(nn.Tanh())", "nn.WeightNorm: nn.Tanh has no weight"),
        ("nn.WeightNorm(nn.Linear(2, 3), 3)", "nn.WeightNorm: the weight has no dimension 3"),
        ("nn.LinearWeightNorm(2, 3):forward(torch.ones(3))", "nn.Linear: the input has 3 columns, not 2"),
    ],
)
def test_errors(runtime: Runtime, code: str, expected: str) -> None:
    assert lua_error(runtime, code) == expected
