"""SpatialReSamplingEx beside PyTorch's interpolation and pooling, and its definition."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from tests.nn.faces import values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.packages.contrib.nnx.resizing import SpatialReSamplingEx


def made(**arguments: Any) -> SpatialReSamplingEx:
    return SpatialReSamplingEx(arguments)


def check(module: SpatialReSamplingEx, x: torch.Tensor, wanted: Any, close: float) -> None:
    """Output and gradient against a differentiable function."""
    leaf = x.clone().requires_grad_()
    expected = wanted(leaf)
    g = values(*expected.shape, start=2)
    (gradient,) = torch.autograd.grad(expected, leaf, g)
    torch.testing.assert_close(module.updateOutput(x), expected.detach(), rtol=close, atol=close)
    torch.testing.assert_close(module.updateGradInput(x, g), gradient, rtol=close, atol=close)
    torch.testing.assert_close(module(x), expected.detach(), rtol=close, atol=close)


@pytest.mark.parametrize(("height", "width"), [(7, 9), (3, 2)])
def test_bilinear(height: int, width: int) -> None:
    def wanted(x: torch.Tensor) -> torch.Tensor:
        return F.interpolate(x[None], (height, width), mode="bilinear", align_corners=True)[0]

    # Positions are in single precision.
    check(made(oheight=height, owidth=width, mode="bilinear"), values(2, 4, 5), wanted, 1e-6)


@pytest.mark.parametrize("mode", ["simple", "average"])
def test_larger(mode: str) -> None:
    rows, columns = torch.tensor([0, 0, 1, 1, 2, 2, 3]), torch.tensor([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3])
    check(made(oheight=7, owidth=11, mode=mode), values(2, 4, 5), lambda x: x[:, rows][:, :, columns], 1e-15)


def test_each_second_pixel() -> None:
    check(made(oheight=2, owidth=2), values(3, 4, 5), lambda x: x[:, :4:2, :4:2], 1e-15)


def test_means() -> None:
    def wanted(x: torch.Tensor) -> torch.Tensor:
        return F.avg_pool2d(x[:, :6, :6], (3, 3))

    module, x = made(oheight=2, owidth=2, mode="average"), values(2, 7, 6)
    check(module, x, wanted, 1e-7)
    # The forward's ninth is one in single precision, the backward's is exact.
    share = torch.tensor(1 / 9, dtype=torch.float32).double()
    blocks = x[:, :6].unflatten(1, (2, 3)).unflatten(3, (2, 3))
    torch.testing.assert_close(module.updateOutput(x), blocks.sum((2, 4)) * share, rtol=1e-14, atol=0)
    gradient = module.updateGradInput(x, torch.ones(2, 2, 2, dtype=torch.float64))
    torch.testing.assert_close(
        gradient[:, :6], torch.full((2, 6, 6), 1 / 9, dtype=torch.float64), rtol=1e-15, atol=0
    )
    assert not gradient[:, 6].any()


def test_other_dimensions_and_ratios() -> None:
    module, x = made(rheight=0.5, rwidth=0.5, yDim=1, xDim=2), values(4, 5, 3)
    # 0.5 * 5 is rounded up.
    assert module.updateOutput(x).shape == (2, 3, 3)
    assert torch.equal(module.output, x[::2, :3])
    last, x = made(oheight=2, owidth=2, yDim=3, xDim=4), values(2, 3, 4, 4)
    assert torch.equal(last.updateOutput(x), x[:, :, ::2, ::2])
    assert last.output.is_contiguous()


def test_in_a_script(runtime: Runtime) -> None:
    size, mode = lua(
        runtime,
        """
        require 'nnx'
        local m = nn.SpatialReSamplingEx{owidth=4, oheight=6, mode='bilinear'}
        return m:forward(torch.randn(2, 3, 2)):size():totable(), m.mode
        """,
    )
    assert size == [2, 6, 4]
    assert mode == "bilinear"
    for code, message in (
        ("nn.SpatialReSamplingEx{owidth=2, oheight=2, mode='cubic'}", "'cubic' is none of"),
        ("nn.SpatialReSamplingEx{owidth=2, oheight=2, yDim=1}", "yDim + 1"),
        ("nn.SpatialReSamplingEx{owidth=2, oheight=9}:forward(torch.ones(1, 4, 4))", "cannot grow"),
        ("nn.SpatialReSamplingEx{owidth=2}:forward(torch.ones(1, 4, 4))", "needs oheight or rheight"),
        ("nn.SpatialReSamplingEx{owidth=2, oheight=2}:forward(torch.ones(4, 4))", "no dimension 3"),
    ):
        assert message in lua_error(runtime, "require 'nnx' " + code)
