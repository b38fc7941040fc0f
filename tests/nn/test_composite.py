"""Layers that are small networks: what the golden cases leave out."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from tests.nn.faces import assert_faces_agree, values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.nn.activation import Tanh
from torch7py.nn.composite import CReLU, LayerNormalization, Maxout, PartialLinear


@pytest.mark.parametrize(
    ("dims", "shape", "along"),
    [(1, (4,), 0), (1, (3, 4), 1), (3, (2, 3, 2), 0), (3, (5, 2, 3, 2), 1)],
)
@pytest.mark.parametrize("inplace", [False, True])
def test_crelu(dims: int, shape: tuple[int, ...], along: int, inplace: bool) -> None:
    x = values(*shape)
    output = assert_faces_agree(CReLU(dims, inplace), x)
    # Halves of an example in memory, as the original joins its rows.
    expected = torch.cat([x.clamp(min=0), (-x).clamp(min=0)], along)
    assert torch.equal(output, expected)


def test_crelu_keeps_its_output(runtime: Runtime) -> None:
    same, size, gradient = lua(
        runtime,
        """
        local m = nn.CReLU(1)
        local a = m:forward(torch.ones(2, 3))
        local b = m:forward(torch.ones(2, 3) * 2)
        return rawequal(a, b), a:size(2), m:backward(torch.ones(2, 3), torch.ones(2, 6))
        """,
    )
    assert same
    assert size == 6
    assert gradient.tolist() == [[1, 1, 1], [1, 1, 1]]


def test_maxout() -> None:
    layer = Maxout(4, 3, 2)
    x = values(5, 4)
    output = assert_faces_agree(layer, x)
    linear: Any = layer[0]
    maps = F.linear(x, linear.weight, linear.bias).detach()
    torch.testing.assert_close(output, torch.maximum(maps[:, :3], maps[:, 3:]), rtol=1e-13, atol=0)


def test_maxout_with_something_before_the_maximum() -> None:
    layer = Maxout(4, 3, 2, Tanh())
    plain = Maxout(4, 3, 2)
    plain[0].weight.data.copy_(layer[0].weight.data)
    plain[0].bias.data.copy_(layer[0].bias.data)
    x = values(5, 4)
    torch.testing.assert_close(layer.updateOutput(x), plain.updateOutput(x).tanh(), rtol=1e-13, atol=0)


@pytest.mark.parametrize("shape", [(4,), (1, 4)])
def test_layer_normalization_of_one_example(shape: tuple[int, ...]) -> None:
    layer = LayerNormalization(4, 0.5)
    x = values(*shape)
    output = assert_faces_agree(layer, x)
    torch.testing.assert_close(output, F.layer_norm(x, (4,), eps=0) + 0.5, rtol=1e-8, atol=1e-9)


def test_layer_normalization_of_a_batch_mixes_the_means() -> None:
    layer = LayerNormalization(4, 0.5)
    x = values(3, 4)
    output = assert_faces_agree(layer, x)
    means = [row.mean().item() for row in x]
    moved = x.flatten() - torch.tensor([means[k % 3] for k in range(12)], dtype=torch.float64)
    expected = 2 * F.normalize(moved.view(3, 4), dim=1) + 0.5
    torch.testing.assert_close(output, expected, rtol=1e-8, atol=1e-9)


def test_layer_normalization_without_affine(runtime: Runtime) -> None:
    found = lua(
        runtime,
        "return #nn.LayerNormalization(4).modules, #nn.LayerNormalization(4, nil, nil, false).modules",
    )
    assert found == (6, 4)


def test_layer_normalization_draws_as_the_original(runtime: Runtime) -> None:
    """Its constants are drawn first and then overwritten: bias, then gain."""
    after, expected = lua(
        runtime,
        """
        torch.manualSeed(2) nn.LayerNormalization(4)
        local after = torch.uniform()
        torch.manualSeed(2) for i = 1, 8 do torch.uniform() end
        return after, torch.uniform()
        """,
    )
    assert after == expected


def test_partial_linear_is_linear() -> None:
    layer = PartialLinear(4, 5)
    layer.bias.data.copy_(values(1, 5))
    x = values(3, 4)
    output = assert_faces_agree(layer, x)
    weight, bias = layer.torch7_parameters()[0]
    torch.testing.assert_close(output, F.linear(x, weight, bias[0]).detach(), rtol=1e-12, atol=1e-14)


def test_partial_linear_on_a_partition() -> None:
    layer = PartialLinear(4, 5)
    layer.bias.data.copy_(values(1, 5))
    x, g = values(3, 4), values(3, 2, start=2)
    whole = layer.updateOutput(x).clone()
    layer.setPartition(torch.tensor([4, 2]))
    output = assert_faces_agree(layer, x)
    torch.testing.assert_close(output, whole[:, [3, 1]], rtol=1e-13, atol=0)
    layer.zeroGradParameters()
    layer.backward(x, g, 2)
    weight, bias = layer.torch7_parameters()[1]
    torch.testing.assert_close(weight[3], 2 * (g[:, 0] @ x), rtol=1e-13, atol=0)
    assert weight[[0, 2, 4]].abs().max().item() == 0
    torch.testing.assert_close(bias[0, [3, 1]], 2 * g.sum(0), rtol=1e-13, atol=0)
    layer.resetPartition()
    assert torch.equal(layer.updateOutput(x), whole)


def test_partial_linear_steps_without_buffers(runtime: Runtime) -> None:
    one, other, buffer = lua(
        runtime,
        """
        local m = nn.PartialLinear(4, 5)
        local n = m:clone()
        local x, g = torch.randn(3, 4), torch.randn(3, 5)
        m:zeroGradParameters() n:zeroGradParameters()
        m:forward(x) n:forward(x)
        m:backwardUpdate(x, g, 0.1)
        n:backward(x, g) n:updateParameters(0.1)
        return m:getParameters(), (n:getParameters()), m.gradBias:norm()
        """.replace("return m:getParameters(),", "return (m:getParameters()),"),
    )
    torch.testing.assert_close(one, other, rtol=1e-13, atol=1e-15)
    assert buffer == 0


def test_partial_linear_in_float(runtime: Runtime) -> None:
    found = lua(
        runtime,
        "local m = nn.PartialLinear(4, 5, false):float() m:setPartition(torch.LongTensor{1}) "
        "return torch.type(m:forward(torch.ones(2, 4):float())), torch.type(m.partition), "
        "tostring(m)",
    )
    assert found == ("torch.FloatTensor", "torch.FloatTensor", "nn.PartialLinear(4 -> 5) without bias")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            "nn.PartialLinear(4, 5):forward(torch.ones(4))",
            "nn.PartialLinear: the input of 4 must be a batch with 4 columns",
        ),
        (
            "nn.PartialLinear(4, 5):forward(torch.ones(2, 3))",
            "nn.PartialLinear: the input of 2x3 must be a batch with 4 columns",
        ),
        (
            (
                "local m = nn.CReLU(1) m:forward(torch.ones(2, 3)) m:backward(torch.ones(2, 3), "
                "torch.ones(2, 3))"
            ),
            "nn.CReLU: gradOutput has 6 elements (2x3), not 12 (2x6)",
        ),
    ],
)
def test_errors(runtime: Runtime, code: str, expected: str) -> None:
    assert lua_error(runtime, code) == expected
