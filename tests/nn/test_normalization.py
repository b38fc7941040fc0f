"""Normalization: what the golden cases leave out."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from tests.golden_cases import Case, assert_close, load, value
from tests.nn.faces import assert_faces_agree, values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.nn.normalization import (
    BatchNormalization,
    Normalize,
    SpatialBatchNormalization,
    VolumetricBatchNormalization,
)

BATCHES = [
    (BatchNormalization, (5, 3)),
    (SpatialBatchNormalization, (2, 3, 4, 2)),
    (VolumetricBatchNormalization, (2, 3, 2, 2, 3)),
]


# -- Normalize ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, 4, math.inf])
@pytest.mark.parametrize("shape", [(5,), (3, 4)])
def test_normalize(p: float, shape: tuple[int, ...]) -> None:
    layer, x, g = Normalize(p), values(*shape).requires_grad_(), values(*shape, start=2)
    output = layer(x)
    expected = F.normalize(x.data, p, dim=-1)
    torch.testing.assert_close(output.data, expected, rtol=1e-8, atol=0)
    torch.testing.assert_close(layer.updateOutput(x.data), output.data, rtol=1e-14, atol=0)
    assert torch.autograd.gradcheck(layer, (x,))
    (derivative,) = torch.autograd.grad(output, x, g)
    torch.testing.assert_close(layer.updateGradInput(x.data, g), derivative, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("p", [2, 3, 4])
def test_normalize_agrees_exactly_on_both_faces(p: int) -> None:
    assert_faces_agree(Normalize(p, 0.5), values(3, 4))


def test_normalize_of_zeros(runtime: Runtime) -> None:
    output, gradient = lua(
        runtime,
        "local m, x = nn.Normalize(2), torch.zeros(2) return m:forward(x), m:backward(x, torch.ones(2))",
    )
    assert output.tolist() == [0, 0]
    assert gradient.tolist() == pytest.approx([1e5, 1e5])


def test_texts_of_normalize(runtime: Runtime) -> None:
    found = lua(
        runtime,
        "return tostring(nn.Normalize(2)), tostring(nn.Normalize(1.5)), tostring(nn.Normalize(math.huge))",
    )
    assert found == ("nn.Normalize(2)", "nn.Normalize(1.500000)", "nn.Normalize(inf)")


# -- BatchNormalization -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("make", "shape"), BATCHES)
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_faces(make: Any, shape: tuple[int, ...], affine: bool, training: bool) -> None:
    layer = make(3, 1e-3, 0.2, affine)
    layer.running_mean.copy_(values(3))
    layer.running_var.copy_(values(3).abs() + 0.5)
    layer.train(training)
    x = values(*shape)
    mean, variance = layer.running_mean.clone(), layer.running_var.clone()
    output = assert_faces_agree(layer, x)
    expected = F.batch_norm(x, mean, variance, layer.weight, layer.bias, training, 0, 1e-3)
    torch.testing.assert_close(output, expected.detach(), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(("make", "shape"), BATCHES)
def test_running_statistics(make: Any, shape: tuple[int, ...]) -> None:
    layer, x = make(3, 1e-5, 0.3), values(*shape)
    layer.updateOutput(x)
    by_feature = x.movedim(1, 0).reshape(3, -1)
    torch.testing.assert_close(layer.running_mean, 0.3 * by_feature.mean(1), rtol=1e-12, atol=1e-15)
    torch.testing.assert_close(layer.running_var, 0.7 + 0.3 * by_feature.var(1), rtol=1e-12, atol=0)
    torch.testing.assert_close(layer.save_mean, by_feature.mean(1), rtol=1e-12, atol=1e-15)
    deviation = 1 / (by_feature.var(1, unbiased=False) + 1e-5).sqrt()
    torch.testing.assert_close(layer.save_std, deviation, rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    "recorded", [c for c in load("nn_modules") if "buffers" in c], ids=lambda case: case["expr"]
)
def test_running_statistics_as_recorded(runtime: Runtime, recorded: dict[str, Any]) -> None:
    case = Case(runtime, recorded)
    case.make()
    case.give(input=value(recorded["input"]))
    for _ in range(2):
        case.runtime.execute("m:forward(input)")
    assert set(recorded["buffers"]["dict"]) == {"running_mean", "running_var"}
    for name, expected in recorded["buffers"]["dict"].items():
        assert_close(case.get(f"m.{name}"), expected, 1e-11, name)


@pytest.mark.parametrize("prepare", ["", "m:evaluate() m:forward(other) m:training()"])
def test_a_backward_leaves_the_running_statistics_alone(runtime: Runtime, prepare: str) -> None:
    """Without a forward in training it takes the input's own statistics."""
    same, found, expected = lua(
        runtime,
        f"""
        torch.manualSeed(1)
        local x, other, g = torch.randn(4, 3), torch.randn(4, 3), torch.randn(4, 3)
        local m = nn.BatchNormalization(3)
        local fresh = m:clone()
        {prepare}
        local mean, var = m.running_mean:clone(), m.running_var:clone()
        local d = m:updateGradInput(x, g):clone()
        m:accGradParameters(x, g)
        local same = mean:equal(m.running_mean) and var:equal(m.running_var)
        fresh:forward(x)
        return same, d, fresh:backward(x, g)
        """,
    )
    assert same
    torch.testing.assert_close(found, expected, rtol=1e-13, atol=1e-15)


def test_the_mode_of_the_backward_counts(runtime: Runtime) -> None:
    """The gradient in evaluation is w / sqrt(running_var + eps) times gradOutput, whatever the "
    "forward's mode."""
    gradient, weight, variance, for_bias, g = lua(
        runtime,
        """
        local m, x, g = nn.BatchNormalization(3), torch.randn(4, 3), torch.randn(4, 3)
        m:zeroGradParameters()
        m:forward(x)
        m:evaluate()
        return m:backward(x, g), m.weight, m.running_var, m.gradBias, g
        """,
    )
    torch.testing.assert_close(gradient, g * weight / (variance + 1e-5).sqrt(), rtol=1e-13, atol=0)
    torch.testing.assert_close(for_bias, g.sum(0), rtol=1e-13, atol=1e-15)


def test_what_a_forward_without_statistics_leaves(runtime: Runtime) -> None:
    """Programs read these fields after any forward."""
    sizes = lua(
        runtime,
        """
        local m = nn.BatchNormalization(3)
        m:forward(torch.randn(1, 3))
        return m.save_mean:nElement(), m.save_std:nElement()
        """,
    )
    assert sizes == (3, 3)


def test_a_batch_of_one_takes_the_running_statistics(runtime: Runtime) -> None:
    output, weight, mean = lua(
        runtime,
        """
        local m = nn.BatchNormalization(3)
        m.running_mean:fill(2)
        m.running_var:fill(4)
        return m:forward(torch.Tensor{{4, 6, 8}}), m.weight, m.running_mean
        """,
    )
    expected = weight * torch.tensor([2.0, 4.0, 6.0]).double() / math.sqrt(4 + 1e-5)
    torch.testing.assert_close(output, expected.view(1, 3), rtol=1e-13, atol=0)
    assert mean.tolist() == [2, 2, 2]


@pytest.mark.parametrize(
    ("layer", "size"),
    [
        ("BatchNormalization", "3"),
        ("SpatialBatchNormalization", "3, 2, 2"),
        ("VolumetricBatchNormalization", "3, 2, 2, 2"),
    ],
)
def test_a_single_example_in_evaluation(runtime: Runtime, layer: str, size: str) -> None:
    single, batch, gradient, expected = lua(
        runtime,
        f"""
        local m, x, g = nn.{layer}(3), torch.randn({size}), torch.randn({size})
        m:evaluate()
        local y, d = m:forward(x):clone(), m:backward(x, g):clone()
        return y, m:forward(x:view(1, {size})):clone(), d, m:backward(x:view(1, {size}), g:view(1, {size}))
        """,
    )
    assert torch.equal(single, batch)
    assert torch.equal(gradient, expected)


def test_statistics_are_no_parameters(runtime: Runtime) -> None:
    layer, count = lua(
        runtime,
        """
        local m = nn.BatchNormalization(3)
        m.running_mean = torch.ones(3)
        m:float()
        return m, #m:parameters()
        """,
    )
    assert count == 2
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    assert set(layer.state_dict()) == {"weight", "bias", "running_mean", "running_var"}
    assert layer.running_mean.dtype == torch.float32


def test_without_affine(runtime: Runtime) -> None:
    nothing, weight = lua(
        runtime, "local m = nn.BatchNormalization(3, nil, nil, false) return m:parameters() == nil, m.weight"
    )
    assert nothing
    assert weight is None


def test_gradients_that_are_not_wanted(runtime: Runtime) -> None:
    result, bias = lua(
        runtime,
        """
        local m, x = nn.BatchNormalization(3), torch.randn(4, 3)
        m:zeroGradParameters()
        m.gradInput, m.gradWeight = nil, nil
        m:forward(x)
        return m:backward(x, torch.ones(4, 3)) == nil, m.gradBias
        """,
    )
    assert result
    assert bias.tolist() == [4, 4, 4]


def test_a_constant_feature_without_eps(runtime: Runtime) -> None:
    output = lua(runtime, "local m = nn.BatchNormalization(1, 0) return m:forward(torch.ones(3, 1))")
    assert output.flatten().tolist() == [0, 0, 0]


def test_reset_forgets_the_statistics(runtime: Runtime) -> None:
    mean, variance = lua(
        runtime,
        "local m = nn.BatchNormalization(2) m:forward(torch.randn(3, 2)) m:reset() return "
        "m.running_mean, m.running_var",
    )
    assert mean.tolist() == [0, 0]
    assert variance.tolist() == [1, 1]


def test_clear_state_keeps_the_running_statistics(runtime: Runtime) -> None:
    saved, norm = lua(
        runtime,
        "local m = nn.BatchNormalization(2) m:forward(torch.randn(3, 2)) m:clearState() return "
        "m.save_mean:nElement(), m.running_mean:norm()",
    )
    assert saved == 0
    assert norm > 0


BATCH = "nn.BatchNormalization(3)"


@pytest.mark.one_runtime
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("nn.Normalize(0)", "nn.Normalize: there is no 0-norm"),
        ("nn.Normalize('a')", "nn.Normalize: p must be a number"),
        (
            "nn.Normalize(2):forward(torch.ones(1, 1, 1))",
            "nn.Normalize: the input must be a vector or a matrix",
        ),
        (
            "nn.Normalize(2):backward(torch.ones(2), torch.ones(3))",
            "nn.Normalize: gradOutput has 3 elements (3), not 2 (2)",
        ),
        ("nn.BatchNormalization(0)", "nn.BatchNormalization: nOutput must be at least 1"),
        ("nn.BatchNormalization(2, 1, 1, 1)", "nn.BatchNormalization: affine must be true or false"),
        (
            f"{BATCH}:forward(torch.ones(3))",
            "nn.BatchNormalization: the input must be a batch of 2 dimensions, not 3",
        ),
        (
            f"{BATCH}:forward(torch.ones(2, 4))",
            "nn.BatchNormalization: the input of 2x4 has 4 features, not 3",
        ),
        (
            f"{BATCH}:backward(torch.ones(2, 3), torch.ones(3, 3))",
            "nn.BatchNormalization: gradOutput is 3x3, not 2x3",
        ),
        (
            f"{BATCH}:forward(torch.ones(2, 3):float())",
            "nn.BatchNormalization: the input is a torch.FloatTensor, not a torch.DoubleTensor",
        ),
        (
            "nn.SpatialBatchNormalization(3):forward(torch.ones(2, 3))",
            "nn.SpatialBatchNormalization: the input must be a batch of 4 dimensions, not 2x3",
        ),
    ],
)
def test_errors(runtime: Runtime, code: str, expected: str) -> None:
    assert lua_error(runtime, code) == expected
