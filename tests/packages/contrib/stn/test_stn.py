"""Spatial transformers, beside sums by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError
from torch7py.packages.contrib.stn.layers import (
    AffineGridGeneratorBHWD,
    AffineTransformMatrixGenerator,
    BilinearSamplerBHWD,
)


def by_hand(images: np.ndarray, grids: np.ndarray) -> np.ndarray:
    """Interpolation between the four pixels around each place, of which those outside count as 0."""
    _, height, width, colors = images.shape
    out = np.zeros((*grids.shape[:-1], colors))
    for b, r, c in np.ndindex(*grids.shape[:-1]):
        y = (grids[b, r, c, 0] + 1) * (height - 1) / 2
        x = (grids[b, r, c, 1] + 1) * (width - 1) / 2
        for i in (math.floor(y), math.floor(y) + 1):
            for j in (math.floor(x), math.floor(x) + 1):
                if 0 <= i < height and 0 <= j < width:
                    out[b, r, c] += (1 - abs(y - i)) * (1 - abs(x - j)) * images[b, i, j]
    return out


def test_sampling():
    torch.manual_seed(0)
    images = torch.rand(2, 4, 5, 3, dtype=torch.float64)
    grids = torch.rand(2, 3, 6, 2, dtype=torch.float64) * 3 - 1.5  # some of them outside
    made = BilinearSamplerBHWD()([images, grids])
    assert np.allclose(made.numpy(), by_hand(images.numpy(), grids.numpy()), atol=1e-14)
    one = BilinearSamplerBHWD()([images[0], grids[0]])
    assert torch.equal(one, made[0])


def test_the_grid_of_the_identity_gives_the_image_back():
    image = torch.rand(1, 3, 4, 2, dtype=torch.float64)
    grid = AffineGridGeneratorBHWD(3, 4)(torch.tensor([[[1.0, 0, 0], [0, 1, 0]]], dtype=torch.float64))
    assert grid[0, 0, 0].tolist() == [-1, -1]
    assert grid[0, 2, 3].tolist() == [1, 1]
    assert grid[0, 0, 3].tolist() == [-1, 1]
    assert torch.allclose(BilinearSamplerBHWD()([image, grid]), image, atol=1e-14)


def test_matrices():
    angle, scale, shift = 0.3, 2.0, [0.7, -0.2]
    rotation = np.array(
        [[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]]
    )
    scaling = np.diag([scale, scale, 1])
    moving = np.eye(3)
    moving[:2, 2] = shift
    for used in range(1, 8):
        flags = [bool(used & 1), bool(used & 2), bool(used & 4)]
        matrix = np.eye(3)
        values = []
        for flag, part, given in zip(
            flags, (rotation, scaling, moving), ([angle], [scale], shift), strict=True
        ):
            if flag:
                matrix = matrix @ part
                values += given
        layer = AffineTransformMatrixGenerator(*flags)
        rows = torch.tensor([values, values], dtype=torch.float64)
        assert np.allclose(layer(rows).numpy(), np.stack([matrix[:2]] * 2), atol=1e-15)
        assert np.allclose(layer(rows[0]).numpy(), matrix[:2], atol=1e-15)
    assert AffineTransformMatrixGenerator()(torch.arange(6.0)).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_in_lua():
    """Gradients beside differences, the functions under the sampler, and what is saved."""
    with Runtime() as runtime:
        assert (
            runtime.execute("""
            require 'stn'
            torch.manualSeed(3)
            local net = nn.Sequential():add(nn.AffineTransformMatrixGenerator(true, true, true))
            net:add(nn.AffineGridGeneratorBHWD(3, 4))
            assert(nn.Jacobian.testJacobian(net, torch.randn(2, 4)) < 1e-7)
            local images, grids = torch.rand(2, 4, 5, 3), torch.rand(2, 3, 3, 2):mul(1.6):add(-0.8)
            local sampler = nn.BilinearSamplerBHWD()
            local gradient = torch.rand(2, 3, 3, 3)
            local function loss() return sampler:forward({images, grids}):dot(gradient) end
            loss()
            local found = sampler:backward({images, grids}, gradient)
            for i, x in ipairs {images, grids} do
               local flat, g = x:view(-1), found[i]:clone():view(-1)
               for j = 1, flat:size(1), 3 do
                  local old = flat[j]
                  flat[j] = old + 1e-6
                  local high = loss()
                  flat[j] = old - 1e-6
                  assert(math.abs((high - loss()) / 2e-6 - g[j]) < 1e-7)
                  flat[j] = old
               end
            end
            local out = torch.Tensor(2, 3, 3, 3)
            images.nn.BilinearSamplerBHWD_updateOutput(sampler, images, grids, out)
            assert((out - sampler:forward {images, grids}):abs():max() == 0)
            local one, of_grids = torch.zeros(4, 5, 3), torch.Tensor(2, 3, 3, 2)
            images.nn.BilinearSamplerBHWD_updateGradInput(sampler, images, grids,
                                                          one:view(1, 4, 5, 3):expand(2, 4, 5, 3), of_grids, gradient)
            loss()
            local both = sampler:backward({images, grids}, gradient)
            assert((one - both[1]:sum(1):view(4, 5, 3)):abs():max() < 1e-14)
            assert((of_grids - both[2]):abs():max() == 0)
            local same = images[1]:view(1, 4, 5, 3):expand(2, 4, 5, 3)
            local sum = one:zero():view(1, 4, 5, 3):expandAs(same)
            images.nn.BilinearSamplerBHWD_updateGradInput(sampler, same, grids, sum, of_grids, gradient)
            sampler:forward {same:clone(), grids}
            both = sampler:backward({same:clone(), grids}, gradient)
            assert((one - both[1]:sum(1):view(4, 5, 3)):abs():max() < 1e-14)
            assert((of_grids - both[2]):abs():max() < 1e-14)
            return torch.deserialize(torch.serialize(net)):get(2).width
        """)
            == 4
        )


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (
            "nn.BilinearSamplerBHWD():forward {torch.rand(2, 3, 3, 1), torch.rand(1, 2, 2, 2)}",
            "the input must be images",
        ),
        ("nn.AffineGridGeneratorBHWD(2, 2):forward(torch.rand(3, 2))", "must be matrices of 2x3, not 3x2"),
        ("nn.AffineGridGeneratorBHWD(1, 2)", "height must be 2 or more"),
        (
            "nn.AffineTransformMatrixGenerator(true):forward(torch.rand(2))",
            "must be 1 parameters, or rows of them",
        ),
    ],
)
def test_errors(program, message):
    with Runtime() as runtime, pytest.raises(LuaError, match=message):
        runtime.execute(f"require 'stn' {program}")
