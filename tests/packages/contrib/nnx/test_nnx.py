"""The layers of nnx against PyTorch, and their texts and draws."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.nn.faces import assert_faces_agree, values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.nn.activation import Tanh
from torch7py.nn.container import Sequential
from torch7py.nn.linear import Linear
from torch7py.ops.errors import TorchError
from torch7py.packages.contrib.nnx.classifier import SpatialClassifier
from torch7py.packages.contrib.nnx.spatial import (
    MultiSoftMax,
    SpatialLinear,
    SpatialPadding,
    TreeNLLCriterion,
)


def test_spatial_linear() -> None:
    layer = SpatialLinear(3, 2)
    x, g = values(3, 4, 5).requires_grad_(), values(2, 4, 5, start=2)
    expected = F.conv2d(x[None], layer.weight.view(2, 3, 1, 1), layer.bias)[0]
    torch.testing.assert_close(layer.updateOutput(x.detach()), expected.detach(), rtol=1e-12, atol=1e-14)
    wanted = torch.autograd.grad(expected, [x, layer.weight, layer.bias], g)
    layer.zeroGradParameters()
    found = [layer.backward(x.detach(), g, 7), layer.gradient("weight"), layer.gradient("bias")]
    for ours, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)
    layer.zeroGradParameters(0.5)
    torch.testing.assert_close(layer.gradient("weight"), wanted[1] / 2, rtol=1e-12, atol=1e-14)


def test_the_draws_of_spatial_linear(runtime: Runtime) -> None:
    weight, bias, drawn = lua(
        runtime,
        """
        require 'nnx'
        torch.manualSeed(2)
        local m = nn.SpatialLinear(3, 2)
        torch.manualSeed(2)
        return m.weight, m.bias, torch.Tensor(2, 4):uniform(-1 / math.sqrt(2), 1 / math.sqrt(2))
        """,
    )
    assert torch.equal(torch.cat([weight, bias.view(2, 1)], 1), drawn)


def test_the_jacobian_of_spatial_linear(runtime: Runtime) -> None:
    """Its updateGradInput makes the parameters' gradients, so that accGradParameters alone leaves them zero."""
    x, found = lua(
        runtime,
        """
        require 'nnx'
        local m, x = nn.SpatialLinear(2, 1), torch.randn(2, 1, 2)
        return x, nn.Jacobian.backward(m, x, m.weight, m.gradWeight)
        """,
    )
    assert torch.equal(found, x[:, 0])


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4)])
def test_multi_soft_max(shape: tuple[int, ...]) -> None:
    output = assert_faces_agree(MultiSoftMax(), values(*shape))
    torch.testing.assert_close(output, values(*shape).softmax(-1), rtol=1e-12, atol=0)


@pytest.mark.parametrize("margins", [(1, 2, 3, 0), (-1, 2, 0, -2), (-1, -1, -1, -1)])
def test_padding(margins: tuple[int, int, int, int]) -> None:
    x = values(2, 5, 6)
    output = assert_faces_agree(SpatialPadding(*margins, val=0.5), x)
    assert torch.equal(output, F.pad(x, margins, value=0.5))
    batch = values(3, 2, 5, 6)
    output = assert_faces_agree(SpatialPadding(*margins, 3, 4), batch)
    assert torch.equal(output, F.pad(batch, margins))


def test_tree_criterion() -> None:
    criterion, x = TreeNLLCriterion(), values(5)
    assert criterion.updateOutput(x) == pytest.approx(-x.mean().item(), rel=1e-12)
    assert criterion.backward(x).tolist() == [-0.2] * 5
    assert criterion.updateOutput(x[:, None]) == pytest.approx(-x.mean().item(), rel=1e-12)
    assert criterion.backward(x[:, None]).tolist() == [[-0.2]] * 5
    with pytest.raises(TorchError, match="one column, not of 5x2"):
        criterion.backward(values(5, 2))


def test_a_probe_prints_what_passes(runtime: Runtime, capfd: pytest.CaptureFixture[str]) -> None:
    lua(runtime, "require 'nnx' local m = nn.Probe('p') local x = torch.Tensor{{1, 2}, {3, 6}} m:forward(x)")
    lines = [line.rstrip("\t") for line in capfd.readouterr().out.splitlines()]
    assert lines[:4] == ["", "<p>.output", "  + size = 2x2", "  + mean = 3"]
    assert lines[5:7] == ["  + min = 1", "  + max = 6"]


def test_errors(runtime: Runtime) -> None:
    message = lua_error(runtime, "require 'nnx' nn.SpatialLinear(3, 2):forward(torch.ones(2, 4, 4))")
    assert message == "nn.SpatialLinear: the input must be 3 planes, not 2x4x4"
    assert "SpatialGraph" in lua_error(runtime, "nn.SpatialGraph()")


def test_a_classifier_at_each_pixel(runtime: Runtime) -> None:
    linear = Linear(3, 2)
    layer = SpatialClassifier(Sequential(linear, Tanh()))
    x, g = values(3, 4, 5).requires_grad_(), values(2, 4, 5, start=2)
    expected = torch.tanh(F.conv2d(x[None], linear.weight.view(2, 3, 1, 1), linear.bias)[0])
    torch.testing.assert_close(layer.updateOutput(x.detach()), expected.detach(), rtol=1e-12, atol=1e-14)
    wanted = torch.autograd.grad(expected, [x, linear.weight, linear.bias], g)
    layer.zeroGradParameters()
    found = [layer.backward(x.detach(), g), linear.get_field("gradWeight"), linear.get_field("gradBias")]
    for ours, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)
    layer.spatialOutput = False
    assert torch.equal(layer.updateOutput(x.detach()), layer.classifier.output)
    sizes, kind, same = lua(
        runtime,
        """
        require 'nnx'
        local m = nn.SpatialClassifier()
        m:add(nn.Linear(3, 2))
        local x = torch.randn(3, 2, 2)
        local y = m:forward(x):clone()
        local n = torch.deserialize(torch.serialize(m))
        m:float()
        return y:size():totable(), torch.type(m.classifier.modules[1].weight), n:forward(x):equal(y)
        """,
    )
    assert sizes == [2, 2, 2]
    assert (kind, same) == ("torch.FloatTensor", True)
