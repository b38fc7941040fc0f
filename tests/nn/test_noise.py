"""Dropped maps and white noise: what the golden cases leave out."""

from __future__ import annotations

import pytest
import torch

from tests.nn.faces import values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.nn.noise import SpatialDropout, VolumetricDropout, WhiteNoise
from torch7py.ops import state

DROPOUTS = [
    (SpatialDropout, (4, 3, 2), (4, 1, 1)),
    (SpatialDropout, (2, 4, 3, 2), (2, 4, 1, 1)),
    (VolumetricDropout, (4, 3, 2, 2), (4, 1, 1, 1)),
    (VolumetricDropout, (2, 4, 3, 2, 2), (2, 4, 1, 1, 1)),
]


@pytest.mark.parametrize(("make", "shape", "noise"), DROPOUTS)
def test_whole_maps_are_dropped(make: type, shape: tuple[int, ...], noise: tuple[int, ...]) -> None:
    layer = make(0.5)
    x, g = values(*shape), values(*shape, start=2)
    output = layer.updateOutput(x)
    assert layer.noise.shape == noise
    assert set(layer.noise.flatten().tolist()) <= {0.0, 1.0}
    assert torch.equal(output, x * layer.noise)
    assert torch.equal(layer.updateGradInput(x, g), g * layer.noise)


@pytest.mark.parametrize(("make", "shape", "noise"), DROPOUTS)
def test_evaluation_scales_instead(make: type, shape: tuple[int, ...], noise: tuple[int, ...]) -> None:
    layer, x = make(0.25), values(*shape)
    layer.set_evaluate()
    assert torch.equal(layer.updateOutput(x), x * 0.75)


@pytest.mark.parametrize(("make", "shape", "noise"), DROPOUTS)
def test_python_has_the_gradient_of_the_mask(
    make: type, shape: tuple[int, ...], noise: tuple[int, ...]
) -> None:
    layer, x = make(0.5), values(*shape).requires_grad_()
    state.current().generator.manual_seed(1)
    output = layer(x)
    output.sum().backward()
    assert x.grad is not None
    assert 0 < x.grad.count_nonzero() < x.numel()
    assert torch.equal(x.grad * x, output)


def test_the_mask_is_the_stream_of_bernoulli(runtime: Runtime) -> None:
    noise, expected = lua(
        runtime,
        """
        local m = nn.SpatialDropout(0.3)
        torch.manualSeed(7)
        m:forward(torch.ones(3, 5, 2, 2))
        torch.manualSeed(7)
        return m.noise, torch.Tensor(3, 5, 1, 1):bernoulli(0.7)
        """,
    )
    assert torch.equal(noise, expected)


def test_dropping_in_evaluation_too(runtime: Runtime) -> None:
    output = lua(
        runtime,
        """
        torch.manualSeed(1)
        local m = nn.SpatialDropout(0.5, true)
        m:evaluate()
        return m:forward(torch.ones(20, 1, 1))
        """,
    )
    assert set(output.flatten().tolist()) == {0.0, 1.0}


def test_set_p(runtime: Runtime) -> None:
    assert lua(runtime, "local m = nn.SpatialDropout() m:setp(0.25) return m.p, tostring(m)") == (
        0.25,
        "nn.SpatialDropout(0.250000)",
    )


def test_white_noise_is_the_stream_of_normal(runtime: Runtime) -> None:
    output, noise, gradient, evaluated = lua(
        runtime,
        """
        local m, x = nn.WhiteNoise(2, 3), torch.ones(2, 3)
        torch.manualSeed(7)
        local y = m:forward(x):clone()
        local d = m:backward(x, x * 5):clone()
        torch.manualSeed(7)
        local noise = torch.Tensor(2, 3):normal(2, 3)
        m:evaluate()
        return y, noise, d, m:forward(x)
        """,
    )
    assert torch.equal(output, noise + 1)
    assert torch.equal(gradient, torch.full((2, 3), 5, dtype=torch.float64))
    assert torch.equal(evaluated, torch.full((2, 3), 3, dtype=torch.float64))


def test_white_noise_from_python() -> None:
    x = values(2, 3).requires_grad_()
    WhiteNoise()(x).sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, torch.ones_like(x))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("nn.SpatialDropout(2)", "nn.SpatialDropout: p must be from 0 to 1"),
        (
            "nn.SpatialDropout():forward(torch.ones(2, 2))",
            "nn.SpatialDropout: the input must have 3 or 4 dimensions, not 2x2",
        ),
        (
            "nn.VolumetricDropout():forward(torch.ones(2, 2, 2))",
            "nn.VolumetricDropout: the input must have 4 or 5 dimensions, not 2x2x2",
        ),
        (
            "local m = nn.SpatialDropout() m:evaluate() m:backward(torch.ones(1, 1, 1), torch.ones(1, 1, 1))",
            "nn.SpatialDropout: there is a gradient in training only",
        ),
        (
            (
                "local m = nn.SpatialDropout() m:forward(torch.ones(3, 1, 1)) m:backward(torch.ones(2,"
                " 1, 1), torch.ones(2, 1, 1))"
            ),
            "nn.SpatialDropout: the mask of the last forward is 3x1x1, which does not fit an input of 2x1x1",
        ),
        (
            "local m = nn.WhiteNoise() m:evaluate() m:backward(torch.ones(2), torch.ones(2))",
            "nn.WhiteNoise: there is a gradient in training only",
        ),
    ],
)
def test_errors(runtime: Runtime, code: str, expected: str) -> None:
    assert lua_error(runtime, code) == expected
