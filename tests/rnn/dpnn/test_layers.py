"""dpnn's layers without golden cases: against their definition, in training and evaluation, one example and batch."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from tests.nn.faces import assert_faces_agree, values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.nn.convolution import SpatialConvolution
from torch7py.nn.linear import Linear
from torch7py.nn.resampling import SpatialReSampling
from torch7py.ops.errors import TorchError
from torch7py.rnn.dpnn.binary_convolution import SpatialBinaryConvolution
from torch7py.rnn.dpnn.choice import ArgMax, CategoricalEntropy, Clip
from torch7py.rnn.dpnn.color import PCAColorTransform, SimpleColorTransform, SpatialFeatNormalization
from torch7py.rnn.dpnn.dropout import SpatialRegionDropout, SpatialUniformCrop, TotalDropout
from torch7py.rnn.dpnn.glimpse import SpatialGlimpse
from torch7py.rnn.dpnn.inception import FireModule, Inception
from torch7py.rnn.dpnn.logistic import BinaryLogisticRegression, SpatialBinaryLogisticRegression
from torch7py.rnn.dpnn.reward import BinaryClassReward, VRClassReward


class Rewarded(Linear):
    """A module that keeps the reward it gets."""

    def __init__(self) -> None:
        super().__init__(1, 1)
        self.got: Any = None

    def reinforce(self, reward: Any) -> None:
        self.got = reward.clone()


# -- choices ----------------------------------------------------------------------------------------------


def test_clip_bounds_and_passes_the_gradient() -> None:
    layer, x, g = Clip(-0.5, 0.25), values(3, 4), values(3, 4, start=2)
    assert torch.equal(layer.updateOutput(x), x.clamp(-0.5, 0.25))
    assert torch.equal(layer.updateGradInput(x, g), g)
    leaf = x.clone().requires_grad_()
    layer(leaf).backward(g)
    assert leaf.grad is not None
    assert torch.equal(leaf.grad, g)


@pytest.mark.parametrize(
    ("arguments", "shape", "dim"),
    [((), (4,), 0), ((), (3, 4), 0), ((2,), (3, 4), 1), ((1, 1), (3, 4), 1), ((2, 2), (5, 3, 4), 2)],
)
def test_arg_max(arguments: tuple[int, ...], shape: tuple[int, ...], dim: int) -> None:
    layer: Any = ArgMax(*arguments)  # type: ignore[arg-type]
    x = values(*shape)
    output = layer.updateOutput(x)
    assert output.dtype == torch.int64
    assert torch.equal(output, (x.argmax(dim, keepdim=len(shape) == 1) + 1))
    assert torch.equal(layer.updateGradInput(x, output), torch.zeros_like(x))


def test_arg_max_of_types_and_ties(runtime: Runtime) -> None:
    found = lua(
        runtime,
        """
        require 'dpnn'
        local m, n = nn.ArgMax(2), nn.ArgMax(2, 9, false)
        m:float() n:float()
        local x = torch.FloatTensor{{1, 3, 3}, {2, 2, 1}}
        return torch.type(m.output), torch.type(m:forward(x)), m.output, torch.type(n:forward(x))
        """,
    )
    assert found[:2] == ("torch.LongTensor", "torch.LongTensor")
    assert found[2].tolist() == [2, 1]
    assert found[3] == "torch.FloatTensor"


def test_the_entropy_and_its_gradient() -> None:
    x, g = values(5, 3).softmax(1), values(5, 3, start=2)
    layer = CategoricalEntropy(0.5)
    assert torch.equal(layer.updateOutput(x), x)
    total = x.sum()
    leaf = x.clone().requires_grad_()
    shares = leaf.sum(0) / total
    entropy = -(shares * (shares + 1e-6).log()).sum()
    expected = g - 0.5 * torch.autograd.grad(entropy, leaf)[0] / 5
    torch.testing.assert_close(layer.updateGradInput(x, g), expected, rtol=1e-12, atol=1e-14)
    assert layer.entropy == pytest.approx(entropy.item(), rel=1e-12)
    leaf = x.clone().requires_grad_()
    layer(leaf).backward(g)
    torch.testing.assert_close(leaf.grad, expected, rtol=1e-12, atol=1e-14)
    layer.minEntropy = entropy.item() - 0.1
    assert torch.equal(layer.updateGradInput(x, g), g)


# -- left out ---------------------------------------------------------------------------------------------


def test_total_dropout() -> None:
    layer: Any = TotalDropout(0.4)
    x = values(3, 4)
    seen = set()
    for _ in range(50):
        output = layer.updateOutput(x)
        seen.add(layer.noise)
        assert torch.equal(output, x * layer.noise)
        assert torch.equal(layer.updateGradInput(x, x), x * layer.noise)
    assert seen == {0, 1}
    layer.set_evaluate()
    assert torch.equal(layer.updateOutput(x), x)


@pytest.mark.parametrize("shape", [(2, 10, 20), (3, 2, 10, 20)])
def test_region_dropout(shape: tuple[int, ...]) -> None:
    layer, x, g = SpatialRegionDropout(0.3), values(*shape), values(*shape, start=2)
    regions = {
        1: (slice(0, 3), slice(None)),
        2: (slice(7, 10), slice(None)),
        3: (slice(None), slice(0, 6)),
        4: (slice(None), slice(14, 20)),
    }
    seen = set()
    for _ in range(40):
        output = layer.updateOutput(x)
        expected = x / 0.7
        region = (..., *regions[layer.regionType])
        expected[region] = 0
        torch.testing.assert_close(output, expected, rtol=1e-14, atol=0)
        torch.testing.assert_close(layer.updateGradInput(x, g), g * output / x, rtol=1e-12, atol=1e-14)
        seen.add(layer.regionType)
    assert seen == {1, 2, 3, 4}


@pytest.mark.parametrize("shape", [(2, 9, 7), (3, 2, 9, 7)])
def test_a_crop_is_a_piece_and_its_gradient_goes_there(shape: tuple[int, ...]) -> None:
    layer, x = SpatialUniformCrop(4, 3), values(*shape)
    places = set()
    for _ in range(400):
        output = layer.updateOutput(x)
        g = values(*output.shape, start=2)
        gradient = layer.updateGradInput(x, g)
        batch, outputs, gradients = (t.view(-1, *t.shape[-3:]) for t in (x, output, gradient))
        for n, (row, column) in enumerate((layer.coord - 1).tolist()):
            assert torch.equal(outputs[n], batch[n, :, row : row + 4, column : column + 3])
            places.add((row, column))
            wanted = torch.zeros_like(batch[n])
            wanted[:, row : row + 4, column : column + 3] = g.view(-1, *g.shape[-3:])[n]
            assert torch.equal(gradients[n], wanted)
    # Drawn between 0.01 and the room, then rounded up: never the last place.
    assert places == {(row, column) for row in range(5) for column in range(4)}
    layer.set_evaluate()
    assert torch.equal(layer.updateOutput(x), x[..., 2:6, 1:4])


@pytest.mark.parametrize("shape", [(2, 12, 12), (3, 2, 12, 12)])
def test_a_scaled_crop(shape: tuple[int, ...]) -> None:
    layer, x = SpatialUniformCrop(5, 4, {"min": 0.8, "max": 1.2}), values(*shape)
    output = layer.updateOutput(x).clone()
    assert output.shape == (*shape[:-2], 5, 4)
    g = values(*output.shape, start=2)
    gradient = layer.updateGradInput(x, g)
    # The layer is linear in its input, so that the gradient is its transpose.
    assert torch.dot(gradient.flatten(), x.flatten()).item() == pytest.approx(
        torch.dot(g.flatten(), output.flatten()).item(), rel=1e-10
    )
    for factor in layer.scales.tolist():
        assert 0.8 <= factor <= 1.2


# -- colours ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 4, 5), (6, 3, 4, 5)])
def test_colour_shifts(shape: tuple[int, ...]) -> None:
    x, limits = values(*shape), torch.tensor([0.1, 1, 5], dtype=torch.float64)
    simple = SimpleColorTransform(3, limits)
    shift = (simple.updateOutput(x) - x).view(-1, 3, 20)
    torch.testing.assert_close(shift, shift[:, :, :1].expand_as(shift), rtol=0, atol=1e-14)
    assert (shift[:, :, 0].abs() <= limits + 1e-12).all()
    vectors, strengths = values(3, 3) + 2 * torch.eye(3), torch.tensor([1.0, 2, 3], dtype=torch.float64)
    pca = PCAColorTransform(3, vectors, strengths, 0.5)
    shift = (pca.updateOutput(x) - x).view(-1, 3, 20)[:, :, 0]
    alphas = torch.linalg.solve(vectors, shift.T)
    torch.testing.assert_close(pca.alphas, alphas, rtol=1e-8, atol=1e-10)
    for layer in (simple, pca):
        assert torch.equal(layer.updateGradInput(x, x), x)
        layer.set_evaluate()
        assert torch.equal(layer.updateOutput(x), x)


def test_the_order_of_colour_draws(runtime: Runtime) -> None:
    batch, wanted, one, wanted_of_one, pca, wanted_of_pca = lua(
        runtime,
        """
        require 'dpnn'
        local x, range = torch.zeros(4, 2, 3, 3), torch.Tensor{1, 5}
        local m = nn.SimpleColorTransform(2, range)
        local p = nn.PCAColorTransform(2, torch.eye(2), torch.Tensor{1, 3}, 0.5)
        torch.manualSeed(4) local batch = m:forward(x):clone():select(4, 1):select(3, 1)
        torch.manualSeed(4)
        local wanted = torch.Tensor(4, 2)
        for i = 1, 2 do wanted:select(2, i):uniform(-range[i], range[i]) end
        torch.manualSeed(4) local one = m:forward(x[1]):clone():select(3, 1):select(2, 1)
        torch.manualSeed(4) local wanted1 = torch.Tensor{torch.uniform(-1, 1), torch.uniform(-5, 5)}
        torch.manualSeed(4) local pca = p:forward(x):clone():select(4, 1):select(3, 1)
        torch.manualSeed(4)
        local wanted2 = torch.Tensor(2, 4):normal(0, 0.5)
        wanted2[2]:mul(3)
        return batch, wanted, one, wanted1, pca, wanted2:t()
        """,
    )
    assert torch.equal(batch, wanted)
    assert torch.equal(one, wanted_of_one)
    assert torch.equal(pca, wanted_of_pca)


@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 3, 4, 5)])
def test_normalization_by_plane(shape: tuple[int, ...]) -> None:
    mean, std = values(3), values(3, start=1).abs() + 0.5
    output = assert_faces_agree(SpatialFeatNormalization(mean, std), values(*shape))
    torch.testing.assert_close(
        output, (values(*shape) - mean.view(3, 1, 1)) / std.view(3, 1, 1), rtol=1e-14, atol=0
    )
    assert_faces_agree(SpatialFeatNormalization(mean), values(*shape))


# -- images -----------------------------------------------------------------------------------------------


def glimpse_by_hand(image: torch.Tensor, place: list[float], size: int, depth: int) -> torch.Tensor:
    """Pixel by pixel: pieces of size 2^d * size, averaged over squares of 2^d."""
    planes, rows, columns = image.shape
    found = []
    for level in range(depth):
        extent = size * 2**level
        margin = (extent - 1) // 2
        top, left = (
            math.floor(min(max((p + 1) / 2 * (n + 2 * margin - extent), 0), n + 2 * margin - extent)) - margin
            for p, n in zip(place, (rows, columns), strict=True)
        )
        piece = torch.zeros(planes, extent, extent, dtype=image.dtype)
        for y in range(extent):
            for x in range(extent):
                if 0 <= top + y < rows and 0 <= left + x < columns:
                    piece[:, y, x] = image[:, top + y, left + x]
        found.append(piece.view(planes, size, 2**level, size, 2**level).mean((2, 4)))
    return torch.cat(found)


PLACES = torch.tensor([[0.0, 0.0], [-1.0, 1.0], [0.3, -0.7], [5.0, -5.0]], dtype=torch.float64)


def test_a_glimpse_pixel_by_pixel() -> None:
    layer, images = SpatialGlimpse(3, 3), values(4, 2, 8, 9)
    output = assert_faces_agree(layer, [images, PLACES], derivative=False)
    output = output.clone()
    for image, place, found in zip(images, PLACES.tolist(), output, strict=True):
        torch.testing.assert_close(found, glimpse_by_hand(image, place, 3, 3), rtol=1e-12, atol=1e-14)
    single = layer.updateOutput([images[2], PLACES[2]])
    torch.testing.assert_close(single, output[2], rtol=0, atol=0)
    image, place = layer.backward([images[2], PLACES[2]], values(6, 3, 3))
    assert image.shape == (2, 8, 9)
    assert torch.equal(place, torch.zeros(2, dtype=torch.float64))


@pytest.mark.parametrize("arguments", [([3, 2], 2), (4, 2, 3), (4, 3, 1.5)])
def test_the_gradient_of_a_glimpse(arguments: tuple[Any, ...]) -> None:
    layer, places = SpatialGlimpse(*arguments), PLACES[:2]
    images = values(2, 1, 6, 5).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: layer([x, places]), (images,))
    assert_faces_agree(layer, [images.detach(), places], derivative=False)


@pytest.mark.parametrize(("rows", "columns"), [(5, 7), (9, 11), (3, 2), (4, 6)])
def test_resampling_is_bilinear_between_the_corners(rows: int, columns: int) -> None:
    x = values(2, 3, 4, 6)
    layer = SpatialReSampling({"oheight": rows, "owidth": columns})
    output = assert_faces_agree(layer, x)
    expected = F.interpolate(x, (rows, columns), mode="bilinear", align_corners=True)
    # Positions are floats, as in the original.
    torch.testing.assert_close(output, expected, rtol=0, atol=2e-6)
    assert_faces_agree(layer, x[0])


def test_before_any_forward_the_gradient_tells_the_size() -> None:
    """As in the original, whose updateGradInput reads sizes off its arguments alone."""
    x, g = values(2, 3, 4, 6), values(2, 3, 2, 3, start=2)
    leaf = x.clone().requires_grad_()
    F.interpolate(leaf, (2, 3), mode="bilinear", align_corners=True).backward(g)
    assert leaf.grad is not None
    for part in (slice(None), 0):
        layer = SpatialReSampling({"oheight": 9, "owidth": 11})
        torch.testing.assert_close(
            layer.updateGradInput(x[part], g[part]), leaf.grad[part], rtol=0, atol=2e-6
        )
    layer.updateOutput(x)
    with pytest.raises(TorchError, match="gradOutput is"):
        layer.updateGradInput(x, g)


def test_resampling_by_ratio() -> None:
    layer = SpatialReSampling(0.5, 2)
    assert layer.updateOutput(values(1, 3, 8)).shape == (1, 6, 4)
    assert layer.updateOutput(values(2, 9, 9)).shape == (2, 6, 4)  # the first input fixed the size


# -- networks ---------------------------------------------------------------------------------------------


def test_inception_is_its_columns() -> None:
    layer = Inception(
        {
            "inputSize": 2,
            "outputSize": [3, 4],
            "reduceSize": [2, 3, 2, 5],
            "kernelSize": [5, 3],
            "batchNorm": True,
            "pool": None,
            "poolSize": 1,
        }
    )
    x = values(2, 2, 6, 6)
    output = layer.updateOutput(x)
    assert output.shape == (2, 3 + 4 + 2 + 5, 6, 6)
    inner: Any = layer.inner_module
    columns = inner.child_list()
    assert [len(column.child_list()) for column in columns] == [6, 6, 4, 3]
    parts = [column(x) for column in columns]
    torch.testing.assert_close(output, torch.cat(parts, 1).detach(), rtol=1e-12, atol=1e-14)
    assert layer.torch7_parameters()[0][0].shape == (2, 2, 1, 1)


def test_inception_without_further_convolutions() -> None:
    layer = Inception({"inputSize": 2, "outputSize": [3, 4], "reduceSize": [2, 3], "kernelStride": [2, 2]})
    inner: Any = layer.inner_module
    columns = inner.child_list()
    assert [len(column.child_list()) for column in columns] == [4, 4, 1]


def test_the_fire_module(runtime: Runtime) -> None:
    layer = FireModule(3, 2, 4, 5, "Tanh")
    x = values(2, 3, 6, 6)
    squeezed = torch.tanh(F.conv2d(x, layer.squeeze.weight, layer.squeeze.bias))
    one, three = layer.expand.child_list()
    expanded = [
        F.conv2d(squeezed, one.weight, one.bias),
        F.conv2d(squeezed, three.weight, three.bias, padding=1),
    ]
    expected = torch.tanh(torch.cat(expanded, 1)).detach()
    torch.testing.assert_close(layer.updateOutput(x), expected, rtol=1e-12, atol=1e-14)
    text, same = lua(
        runtime,
        "require 'dpnn' local m = nn.FireModule(3, 2, 4, 5) m:float() "
        "return tostring(m), rawequal(m.squeeze, m.modules[1].modules[1]) and torch.type(m.squeeze.weight)",
    )
    assert text == (
        "nn.FireModule inputPlanes: 3 -> Squeeze Planes: 2 -> Expand: 4(1x1) + 5(3x3), activation: ReLU"
    )
    assert same == "torch.FloatTensor"


@pytest.mark.parametrize("shape", [(2, 5, 6), (3, 2, 5, 6)])
def test_binary_convolution(shape: tuple[int, ...]) -> None:
    layer = SpatialBinaryConvolution(2, 4, 3, 2, 1, 1, 1)
    x, weight = values(*shape), layer.weight.data.clone()
    assert layer.bias is None
    signs = torch.where(weight >= 0, 1.0, -1.0).double()
    plain = SpatialConvolution(2, 4, 3, 2, 1, 1, 1).noBias()
    plain.weight.data.copy_(signs)
    alphas = weight.abs().mean((1, 2, 3)).view(4, 1, 1)
    betas = weight.abs().mean((0, 2, 3)).view(2, 1, 1)
    output = layer.updateOutput(x)
    torch.testing.assert_close(output, plain.updateOutput(x) * alphas, rtol=1e-12, atol=1e-14)
    assert torch.equal(layer.weight.data, signs)
    g = values(*output.shape, start=2)
    layer.zeroGradParameters()
    plain.zeroGradParameters()
    expected = plain.backward(x, g, 2) * betas
    torch.testing.assert_close(layer.backward(x, g, 2), expected, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(layer.gradient("weight"), plain.gradient("weight"), rtol=1e-12, atol=1e-14)
    assert torch.equal(layer.weight.data, weight)
    protocol = layer.get_field("gradWeight").clone()
    layer.weight.grad = None
    leaf = x.clone().requires_grad_()
    layer(leaf).backward(g)
    torch.testing.assert_close(leaf.grad, expected, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(layer.weight.grad * 2, protocol, rtol=1e-12, atol=1e-14)
    layer.set_evaluate()
    torch.testing.assert_close(layer.updateOutput(x), output, rtol=0, atol=0)
    assert torch.equal(layer.weight.data, weight)


# -- criterions -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize(("shape", "target_shape"), [((6,), (6,)), ((6, 1), (6,)), ((1, 6), (6, 1))])
def test_logistic_regression(average: bool, shape: tuple[int, ...], target_shape: tuple[int, ...]) -> None:
    criterion = BinaryLogisticRegression(average)
    x = values(*shape).requires_grad_()
    target = torch.tensor([1, -1, -1, 1, 1, -1], dtype=torch.float64).view(target_shape)
    loss = F.soft_margin_loss(x.flatten(), target.flatten(), reduction="mean" if average else "sum")
    assert criterion.updateOutput(x.detach(), target) == pytest.approx(loss.item(), rel=1e-12)
    (expected,) = torch.autograd.grad(loss, x)
    found = criterion.updateGradInput(x.detach(), target)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("shape", [(1, 3, 4), (2, 1, 3, 4)])
def test_spatial_logistic_regression(average: bool, shape: tuple[int, ...]) -> None:
    criterion = SpatialBinaryLogisticRegression()
    criterion.sizeAverage = average
    x, target = values(*shape).requires_grad_(), values(*shape, start=2).sign()
    loss = F.soft_margin_loss(x, target, reduction="sum") / (2 * 12 * (shape[0] if average else 1))
    assert criterion.updateOutput(x.detach(), target) == pytest.approx(loss.item(), rel=1e-12)
    (expected,) = torch.autograd.grad(loss, x)
    found = criterion.updateGradInput(x.detach(), target)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("average", [True, False])
def test_rewards_of_classes(average: bool) -> None:
    module = Rewarded()
    criterion = VRClassReward(module, 3)
    criterion.sizeAverage = average
    scores, baseline = values(4, 5), values(4, 1, start=2)
    target = scores.argmax(1) + 1
    target[2] = target[2] % 5 + 1
    reward = torch.tensor([3.0, 3, 0, 3], dtype=torch.float64)
    count = 4 if average else 1
    assert criterion.updateOutput([scores, baseline], target) == -9 / count
    gradient = criterion.updateGradInput([scores, baseline], target)
    torch.testing.assert_close(module.got, (reward - baseline.flatten()) / count, rtol=1e-14, atol=0)
    assert torch.equal(gradient[0], torch.zeros(4, 5, dtype=torch.float64))
    torch.testing.assert_close(gradient[1], 2 * (baseline - reward.view(4, 1)) / 4, rtol=1e-12, atol=0)
    leaves = [scores.requires_grad_(), baseline.clone().requires_grad_()]
    module.got = None
    loss = criterion(leaves, target)
    assert loss.item() == -9 / count
    loss.backward()
    assert module.got is not None
    assert leaves[1].grad is not None
    assert torch.equal(leaves[1].grad, gradient[1])


def test_the_reward_of_one_example() -> None:
    module = Rewarded()
    criterion = VRClassReward(module)
    given = [values(5), torch.tensor([0.25], dtype=torch.float64)]
    target = torch.tensor([int(given[0].argmax()) + 1])
    assert criterion.updateOutput(given, target) == -1
    gradient = criterion.updateGradInput(given, target)
    assert [list(g.shape) for g in gradient] == [[5], [1]]
    assert module.got.tolist() == [0.75]


def test_rewards_of_two_classes() -> None:
    module = Rewarded()
    criterion = BinaryClassReward(module, 2)
    given = [torch.tensor([0.9, 0.2, 0.6], dtype=torch.float64), values(3)]
    assert criterion.updateOutput(given, torch.tensor([1, 1, 1])) == pytest.approx(-4 / 3)
    gradient = criterion.updateGradInput(given, torch.tensor([1, 1, 1]))
    reward = torch.tensor([2.0, 0, 2], dtype=torch.float64)
    torch.testing.assert_close(module.got, (reward - given[1]) / 3, rtol=1e-14, atol=0)
    torch.testing.assert_close(gradient[1], 2 * (given[1] - reward) / 3, rtol=1e-14, atol=0)


def test_type_leaves_the_rewarded_model_alone(runtime: Runtime) -> None:
    assert lua(
        runtime,
        """
        require 'dpnn'
        local m = nn.Linear(2, 2)
        local c = nn.VRClassReward(m):float()
        return rawequal(c.module, m), torch.type(m.weight), torch.type(c.criterion.gradInput)
        """,
    ) == (True, "torch.DoubleTensor", "torch.FloatTensor")


def test_a_baseline_is_learned(runtime: Runtime) -> None:
    """The model of dpnn's own long test: a policy that finds the class from its input."""
    before, after = lua(
        runtime,
        """
        require 'dpnn'
        torch.manualSeed(2)
        local x = torch.eye(3):repeatTensor(4, 1)
        local t = torch.range(1, 12):apply(function(i) return (i - 1) % 3 + 1 end)
        local m = nn.Sequential():add(nn.Linear(3, 20)):add(nn.Tanh()):add(nn.ReinforceNormal(0.5)):add(nn.Clip(-1, 1))
           :add(nn.Linear(20, 3)):add(nn.SoftMax())
        local both = nn.ConcatTable():add(m):add(nn.Sequential():add(nn.Constant(1, 1)):add(nn.Add(1)))
        local c = nn.VRClassReward(both)
        local function score() both:evaluate() return -c:forward(both:forward(x), t) end
        local before = score()
        for _ = 1, 300 do
           both:training()
           both:zeroGradParameters()
           local y = both:forward(x)
           c:forward(y, t)
           both:backward(x, c:backward(y, t))
           both:updateParameters(0.5)
        end
        return before, score()
        """,
    )
    assert before < 0.7
    assert after == 1


ERRORS = {
    "nn.Clip('a', 1)": "nn.Clip: minval must be a number",
    "nn.ArgMax(3):forward(torch.ones(2, 2))": "nn.ArgMax: no dimension 3 in an input of 2 dimensions",
    "nn.CategoricalEntropy():forward(torch.ones(3))": "nn.CategoricalEntropy: the input must be a matrix, not 3",
    "nn.TotalDropout(1)": "nn.TotalDropout: p must be at least 0 and below 1",
    "nn.TotalDropout():backward(torch.ones(2), torch.ones(2))": "nn.TotalDropout: a backward without a forward",
    "nn.SpatialUniformCrop(9):forward(torch.ones(1, 5, 5))": None,
    "nn.SimpleColorTransform(3, torch.ones(2))": (
        "nn.SimpleColorTransform: range must be a tensor of 3 numbers"
    ),
    "nn.PCAColorTransform(2, torch.ones(3, 3), torch.ones(2))": (
        "nn.PCAColorTransform: eigenVectors must be a matrix of 2x2"
    ),
    "nn.SpatialFeatNormalization(torch.ones(2)):forward(torch.ones(3, 4, 4))": (
        "nn.SpatialFeatNormalization: the input of 3x4x4 has 3 planes, not 2"
    ),
    "nn.SpatialGlimpse(4):forward(torch.ones(1, 8, 8))": "nn.SpatialGlimpse: the input must be a table",
    "nn.SpatialGlimpse(4):forward{torch.ones(2, 1, 8, 8), torch.ones(2)}": (
        "nn.SpatialGlimpse: 2 images and 1 places of 2 numbers"
    ),
    "nn.Inception{inputSize=3, outputSize={2}}": "nn.Inception: reduceSize must be a table of numbers",
    "nn.Inception{inputSize=3,outputSize={2,2},reduceSize={2,2}}:forward(torch.ones(3,9,9))": (
        "nn.Inception: the input must be a batch of images, not 3x9x9"
    ),
    "nn.FireModule(3, 1, 2, 2, 'Nothing')": "nn.FireModule: there is no nn.Nothing",
    "nn.VRClassReward(5)": "nn.VRClassReward expects a module, whose reinforce it calls",
    "nn.VRClassReward(nn.Reinforce()):backward({torch.ones(2, 2), torch.ones(2, 1)}, torch.ones(2))": (
        "nn.VRClassReward: a backward without a forward"
    ),
    "nn.BinaryLogisticRegression():forward(torch.ones(2, 2), torch.ones(4))": (
        "nn.BinaryLogisticRegression: input must be a vector or one column, not 2x2"
    ),
    "nn.SpatialBinaryLogisticRegression():forward(torch.ones(2, 3, 3), torch.ones(2, 3, 3))": (
        "nn.SpatialBinaryLogisticRegression: the input must be images of one plane, not 2x3x3"
    ),
}


@pytest.mark.one_runtime
@pytest.mark.parametrize("code", ERRORS)
def test_errors(runtime: Runtime, code: str) -> None:
    runtime.execute("require 'dpnn'")
    message, expected = lua_error(runtime, code), ERRORS[code]
    if expected is None:  # the numbers in it are drawn
        assert message.startswith("nn.SpatialUniformCrop: a piece of 9x9 from row ")
    else:
        assert message == expected
