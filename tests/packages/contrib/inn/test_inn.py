"""inn and ccn2, beside sums by hand and nn's own layers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError
from torch7py.packages.contrib.inn.regions import ROIPooling
from torch7py.packages.contrib.inn.stochastic import SpatialStochasticPooling


def lua(text: str, package: str = "inn", **options) -> object:
    with Runtime(**options) as runtime:
        runtime.execute(f"torch.manualSeed(2) require '{package}'")
        return runtime.execute(text)


def away(x: float) -> int:
    """Rounded, halves away from 0."""
    return int(np.floor(abs(x) + 0.5) * np.sign(x))


def regions_by_hand(images, regions, W, H, scale, v2):
    """Element by element, in the order in which the first of equal ones counts; and where each lies."""
    _, planes, height, width = images.shape
    out, at = np.zeros((len(regions), planes, H, W)), np.full((len(regions), planes, H, W), -1)
    for n, (index, *corners) in enumerate(regions):
        x1, y1, x2, y2 = (away((c - 1) * scale) for c in corners)
        wide, high = (max(b - a + (not v2), 1) for a, b in ((x1, x2), (y1, y2)))

        def part(number, whole, count, start, size):
            low, high = number * whole / count, (number + 1) * whole / count
            low, high = (away(low), away(high)) if v2 else (int(np.floor(low)), int(np.ceil(high)))
            return range(min(max(low + start, 0), size), min(max(high + start, 0), size))

        for c, h, w in np.ndindex(planes, H, W):
            best = None
            for y in part(h, high, H, y1, height):
                for x in part(w, wide, W, x1, width):
                    value = images[int(index) - 1, c, y, x]
                    if best is None or value > best:
                        best, at[n, c, h, w] = value, y * width + x
            out[n, c, h, w] = 0 if best is None else best
    return out, at


@pytest.mark.parametrize("v2", [True, False])
def test_regions(v2):
    images = torch.rand(2, 3, 9, 11, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    images[0, 0].clamp_(max=0.5)  # with many that are equal
    regions = torch.tensor(
        [[1, 1, 1, 11, 9], [2, 4, 3, 7.6, 8], [1, 9, 8, 14, 12], [2, 5, 5, 5, 5], [2, 16, 1, 20, 4]],
        dtype=torch.float64,
    )
    for scale in (1, 0.5):
        layer = ROIPooling(4, 3, scale)
        layer.v2 = v2
        wanted, places = regions_by_hand(images.numpy(), regions.numpy(), 4, 3, scale, v2)
        assert np.array_equal(layer.updateOutput([images, regions]).numpy(), wanted)
        assert np.array_equal(layer.indices.numpy(), places)
    gradient = torch.ones(5, 3, 3, 4, dtype=torch.float64)
    of_images, of_regions = layer.updateGradInput([images, regions], gradient)
    assert of_images.sum() == (places >= 0).sum()
    assert not of_regions.any()


def test_pooling_by_chance():
    torch.manual_seed(0)
    layer, image = SpatialStochasticPooling(2, 2, 2, 2), torch.tensor([[[1.0, 3], [0, 4]]]).double()
    drawn = [layer.updateOutput(image).item() for _ in range(400)]
    shares = [drawn.count(value) / 400 for value in (1, 3, 4)]
    assert np.allclose(shares, [1 / 8, 3 / 8, 4 / 8], atol=0.08)
    last = {1.0: [0, 0], 3.0: [0, 1], 4.0: [1, 1]}[drawn[-1]]
    gradient = layer.updateGradInput(image, torch.full((1, 1, 1), 5.0).double())
    assert gradient[0][tuple(last)] == 5
    assert gradient.sum() == 5
    layer.set_evaluate()
    assert layer.updateOutput(image).item() == pytest.approx((1 + 9 + 16) / 8)
    layer.set_training()
    assert layer.updateOutput(torch.ones(2, 3, 5, 5).double()).shape == (2, 3, 3, 3)  # with parts of windows


def test_layers_beside_nn():
    lua("""
        local function near(a, b) assert(a:isSameSizeAs(b) and (a - b):abs():max() < 1e-13) end
        local x = torch.rand(2, 3, 5, 5)
        near(inn.SpatialMaxPooling(2, 2):forward(x), nn.SpatialMaxPooling(2, 2):ceil():forward(x))
        near(inn.SpatialAveragePooling(2, 2, 2, 2):forward(x), nn.SpatialAveragePooling(2, 2, 2, 2):ceil():forward(x))
        near(inn.SpatialCrossResponseNormalization(3):forward(x), nn.SpatialCrossMapLRN(3):forward(x))
        local pyramid = inn.SpatialPyramidPooling {{1, 1}, {2, 3}}
        local y = pyramid:forward(x):clone()
        assert(y:size(2) == 3 * 7 and y[2][3] == x[2][3]:max())
        near(pyramid:forward(x[1]), y[1]:clone())
        near(inn.MeanSubtraction(x[1]):forward(x), x - x:narrow(1, 1, 1):expandAs(x))
        local same = inn.SpatialSameResponseNormalization(3, 0.1, 0.75):forward(x)
        local middle = x[1][2]:sub(2, 4, 2, 4)
        local below = math.pow(1 + 0.1 * torch.pow(middle, 2):mean(), 0.75)
        assert(math.abs(same[1][2][3][3] - x[1][2][3][3] / below) < 1e-14)
        local affine = inn.ConstAffine(3)
        affine.a:copy(torch.Tensor {1, 2, 3}) affine.b:fill(1)
        near(affine:forward(x)[2][3], x[2][3] * 3 + 1)
        local read = torch.deserialize(torch.serialize(nn.Sequential():add(inn.ROIPooling(2, 2)):add(pyramid)))
        assert(read:get(1).v2 == true and read:get(2).pyr[2][2] == 3)
    """)


def test_folding_of_batch_normalizations():
    assert (
        lua("""
        local utils = require 'inn.utils'
        local function net()
           local made = nn.Sequential():add(nn.SpatialConvolution(2, 3, 3, 3)):add(nn.SpatialBatchNormalization(3))
           made:add(nn.ReLU()):add(nn.View(-1):setNumInputDims(3)):add(nn.Linear(12, 4, false))
           made:add(nn.BatchNormalization(4)):add(nn.Sequential():add(nn.BatchNormalization(4)))
           for _ = 1, 5 do made:forward(torch.randn(8, 2, 4, 4)) end
           made:evaluate()
           return made
        end
        local x, folded, fixed = torch.randn(3, 2, 4, 4), net(), net()
        assert(utils.testSurgery(x, utils.foldBatchNorm, folded) < 1e-12)
        assert(utils.testSurgery(x, function(m) fixed = utils.BNtoFixed(m) end, fixed) < 1e-12)
        return #folded.modules + #fixed:findModules 'inn.ConstAffine'
    """)
        == 5 + 3
    )


def test_the_batch_at_the_end():
    """ccn2's layers between two transpositions give what nn's give."""
    lua(
        """
        require 'nn'
        local function near(a, b) assert(a:isSameSizeAs(b) and (a - b):abs():max() < 1e-5) end
        local function turned(layer)
           local net = nn.Sequential():add(nn.Transpose({1, 4}, {1, 3}, {1, 2})):add(layer)
           return net:add(nn.Transpose({4, 1}, {4, 2}, {4, 3})):cuda()
        end
        require 'cunn'
        local x = torch.rand(2, 4, 7, 7):cuda()
        local conv = ccn2.SpatialConvolution(4, 16, 3, 2, 1, 2)
        local net = turned(conv)
        local y = net:forward(x):clone()
        for g = 1, 2 do
           local half = nn.SpatialConvolution(2, 8, 3, 3, 2, 2, 1, 1):cuda()
           half.weight:copy(conv.weight:narrow(2, 8 * g - 7, 8):t())
           half.bias:copy(conv.bias:narrow(1, 8 * g - 7, 8))
           near(half:forward(x:narrow(2, 2 * g - 1, 2)), y:narrow(2, 8 * g - 7, 8))
        end
        net:zeroGradParameters()
        net:backward(x, y)
        assert(conv.gradWeight:size(1) == 18 and conv.gradWeight:abs():max() > 0)
        near(turned(ccn2.SpatialMaxPooling(2)):forward(x), nn.SpatialMaxPooling(2, 2):ceil():cuda():forward(x))
        local mean, across = nn.SpatialAveragePooling(3, 3, 2, 2):ceil():cuda(), nn.SpatialCrossMapLRN(3):cuda()
        near(turned(ccn2.SpatialAvgPooling(3, 2)):forward(x), mean:forward(x))
        near(turned(ccn2.SpatialCrossResponseNormalization(3)):forward(x), across:forward(x))
        local pairs_of = torch.cat(x:narrow(2, 1, 2):max(2), x:narrow(2, 3, 2):max(2), 2)
        near(turned(ccn2.SpatialCrossMaxPooling(2)):forward(x), pairs_of)
        """,
        "ccn2",
        cuda_as="cpu",
    )


@pytest.mark.parametrize(
    ("package", "program", "message"),
    [
        ("inn", "inn.ROIPooling(0, 2)", "W must be at least 1"),
        (
            "inn",
            "inn.ROIPooling(1, 1):forward {torch.rand(1, 1, 2, 2), torch.ones(1, 5) * 2}",
            "of image 2 of 1",
        ),
        ("inn", "inn.ConstAffine(2):forward(torch.rand(2, 3))", "dimensions with 2 planes"),
        ("ccn2", "ccn2.SpatialConvolution(5, 16, 3)", "1, 2, 3 or a multiple of 4"),
        ("ccn2", "ccn2.SpatialResizeBilinear(2)", "is not supported"),
    ],
)
def test_errors(package, program, message):
    with pytest.raises(LuaError, match=message):
        lua(program, package, cuda_as="cpu")
