"""The functions behind the layers, against PyTorch's own and its gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from tests.nn.faces import values
from torch7py.nn import all as _all  # noqa: F401  (registers the layers)
from torch7py.nn.registry import layers
from torch7py.nn.thnn import ENLARGED, ROLES, call_kernel, kernels
from torch7py.ops.errors import TorchError

Function = Callable[..., torch.Tensor]
TYPES = (torch.float64, torch.float32)
X = values(3, 4) * 2
IMAGES = values(2, 4, 7, 6)
IMAGES_OF_3 = values(2, 3, 7, 6)
FRAMES = values(2, 9, 3)


def empty(dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.empty(0, dtype=dtype)


def double(numbers: list[Any]) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def call(name: str, *arguments: Any) -> None:
    with torch.no_grad():
        call_kernel(name, *arguments)


def close(found: torch.Tensor, wanted: torch.Tensor, tolerance: float = 1e-12) -> None:
    if found.dtype == torch.float32:
        tolerance = 2e-6
    torch.testing.assert_close(found, wanted.detach(), rtol=tolerance, atol=tolerance)


# name, arguments after the tensors, what it computes, whether the gradient's function takes the output, the input
OF_ONE: list[tuple[str, tuple[Any, ...], Function, bool, torch.Tensor]] = [
    ("Abs", (), torch.abs, False, X),
    ("ELU", (0.7, False), lambda x: F.elu(x, 0.7), True, X),
    ("HardShrink", (0.5,), lambda x: F.hardshrink(x, 0.5), False, X),
    ("HardTanh", (-0.6, 0.9, False), lambda x: F.hardtanh(x, -0.6, 0.9), False, X),
    ("LeakyReLU", (0.2, False), lambda x: F.leaky_relu(x, 0.2), False, X),
    ("Sigmoid", (), torch.sigmoid, True, X),
    ("SoftPlus", (2, 20), lambda x: F.softplus(x, 2, 20), True, X),
    ("SoftShrink", (0.5,), lambda x: F.softshrink(x, 0.5), False, X),
    ("Square", (), torch.square, False, X),
    ("Tanh", (), torch.tanh, True, X),
    ("Threshold", (0.1, -0.3, False), lambda x: F.threshold(x, 0.1, -0.3), False, X),
    ("SoftMax", (), lambda x: torch.softmax(x, 1), True, X),
    ("LogSoftMax", (), lambda x: torch.log_softmax(x, 1), True, X),
    ("GatedLinear", (2,), lambda x: F.glu(x, 1), False, X),
    ("SpatialAveragePooling", (3, 2, 2, 1, 1, 0, False, True),
     lambda x: F.avg_pool2d(x, (2, 3), (1, 2), (0, 1)), False, IMAGES),
    ("SpatialAveragePooling", (3, 2, 2, 1, 1, 0, True, False),
     lambda x: F.avg_pool2d(x, (2, 3), (1, 2), (0, 1), True, False), False, IMAGES),
    ("SpatialUpSamplingNearest", (2,), lambda x: F.interpolate(x, scale_factor=2), False, IMAGES),
    ("SpatialReflectionPadding", (1, 2, 3, 0), lambda x: F.pad(x, (1, 2, 3, 0), "reflect"), False, IMAGES),
    ("SpatialReplicationPadding", (1, 2, 3, 0), lambda x: F.pad(x, (1, 2, 3, 0), "replicate"), False, IMAGES),
]  # fmt: skip


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(("name", "numbers", "function", "by_output", "input"), OF_ONE)
def test_functions_of_one_tensor(
    name: str,
    numbers: tuple[Any, ...],
    function: Function,
    by_output: bool,
    input: torch.Tensor,
    dtype: torch.dtype,
) -> None:
    input = input.to(dtype, copy=True).requires_grad_()
    wanted = function(input)
    output, gradient = empty(dtype), empty(dtype)
    call(f"{name}_updateOutput", input.data, output, *numbers)
    close(output, wanted)
    above = values(*output.shape, start=1.1).to(dtype)
    further = (output,) if by_output else ()
    call(f"{name}_updateGradInput", input.data, above, gradient, *further, *numbers)
    close(gradient, torch.autograd.grad(wanted, input, above)[0])


def test_square_root_and_log_sigmoid() -> None:
    input, output, gradient = double([0.25, 4.0]), empty(), empty()
    call("Sqrt_updateOutput", input, output, 0)
    assert output.tolist() == [0.5, 2]
    call("Sqrt_updateGradInput", input, torch.ones(2).double(), gradient, output)
    assert gradient.tolist() == [1, 0.25]
    call("LogSigmoid_updateOutput", double([math.log(3)]), output, empty())
    assert output.item() == pytest.approx(math.log(0.75), rel=1e-14)
    call("LogSigmoid_updateGradInput", double([math.log(3)]), input[:1], gradient, empty())
    assert gradient.item() == pytest.approx(0.25 / 4, rel=1e-14)


@pytest.mark.parametrize(
    ("name", "numbers", "wanted"),
    [
        ("Threshold", (0, 0, True), [0, 2, 0]),
        ("LeakyReLU", (0.5, True), [-0.5, 2, -1.5]),
        ("HardTanh", (-1, 1, True), [-1, 1, -1]),
        ("ELU", (1, True), [math.expm1(-1), 2, math.expm1(-3)]),
    ],
)
def test_in_place(name: str, numbers: tuple[Any, ...], wanted: list[float]) -> None:
    """The output is set to the input's memory, gradInput to the gradient's."""
    input, output, gradient = double([-1.0, 2, -3]), empty(), empty()
    call(f"{name}_updateOutput", input, output, *numbers)
    assert input.tolist() == pytest.approx(wanted)
    assert output.data_ptr() == input.data_ptr()
    above = torch.ones(3).double()
    further = (output,) if name == "ELU" else ()
    call(f"{name}_updateGradInput", input, above, gradient, *further, *numbers)
    assert gradient.data_ptr() == above.data_ptr()
    assert gradient.shape == (3,)


def test_results_go_into_the_tensors_memory() -> None:
    """A part of a larger tensor is written where it lies; a result may take the place of the input."""
    whole = torch.zeros(3, 2).double()
    call("Square_updateOutput", double([3.0, 4.0]), whole[1])
    assert whole.tolist() == [[0, 0], [9, 16], [0, 0]]
    x = double([[0.0, math.log(3)]])
    call("SoftMax_updateOutput", x, x)
    assert x[0].tolist() == pytest.approx([0.25, 0.75], rel=1e-14)


# -- parameters ----------------------------------------------------------------------------------------------

MAPS: list[tuple[str, torch.Tensor, torch.Tensor, int, str, tuple[Any, ...], Function]] = [
    ("SpatialConvolutionMM", IMAGES_OF_3, values(5, 3 * 2 * 3), 5, "~ ~", (3, 2, 2, 1, 1, 0),
     lambda x, w, b: F.conv2d(x, w.view(5, 3, 2, 3), b, (1, 2), (0, 1))),
    ("SpatialConvolutionMM", IMAGES_OF_3, values(5, 3, 2, 3), 5, "~ ~", (3, 2, 2, 1, 1, 0),
     lambda x, w, b: F.conv2d(x, w, b, (1, 2), (0, 1))),
    ("SpatialDilatedConvolution", IMAGES_OF_3, values(5, 3, 2, 3), 5, "~ ~", (3, 2, 1, 1, 1, 0, 2, 1),
     lambda x, w, b: F.conv2d(x, w, b, 1, (0, 1), (1, 2))),
    ("SpatialFullConvolution", IMAGES_OF_3, values(3, 5, 2, 3), 5, "~ ~", (3, 2, 2, 2, 1, 0, 1, 0),
     lambda x, w, b: F.conv_transpose2d(x, w, b, 2, (0, 1), (0, 1))),
    ("TemporalConvolution", FRAMES, values(5, 2 * 3), 5, "", (2, 3),
     lambda x, w, b: F.linear(x.unfold(1, 2, 3).transpose(2, 3).flatten(2), w, b)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "input", "weight", "planes", "spare", "numbers", "function"), MAPS)
@pytest.mark.parametrize("with_bias", [True, False])
def test_convolutions(
    name: str,
    input: torch.Tensor,
    weight: torch.Tensor,
    planes: int,
    spare: str,
    numbers: tuple[Any, ...],
    function: Function,
    with_bias: bool,
) -> None:
    temporal = name == "TemporalConvolution"
    if temporal and not with_bias:
        pytest.skip("it always has a bias")
    buffers = tuple(empty() for _ in spare.split())
    bias = values(planes).requires_grad_() if with_bias else None
    input, weight = input.clone().requires_grad_(), weight.clone().requires_grad_()
    wanted = function(input, weight, bias)
    frames = (3, 5) if temporal else ()
    output, gradient = empty(), empty()
    given = None if bias is None else bias.data
    call(f"{name}_updateOutput", input.data, output, weight.data, given, *buffers, *numbers, *frames)
    close(output, wanted)
    above = values(*output.shape, start=1.1)
    back = buffers if name == "SpatialConvolutionMM" else buffers[1:]
    call(f"{name}_updateGradInput", input.data, above, gradient, weight.data, *back, *numbers)
    parameters = [weight] if bias is None else [weight, bias]
    derivative, *others = torch.autograd.grad(wanted, [input, *parameters], above)
    close(gradient, derivative)
    of_weight, of_bias = torch.ones_like(weight.data), None if bias is None else torch.ones(planes).double()
    call(f"{name}_accGradParameters", input.data, above, of_weight, of_bias, *buffers, *numbers, 0.5)
    close(of_weight, 1 + 0.5 * others[0])
    if of_bias is not None:
        close(of_bias, 1 + 0.5 * others[1])


def test_linear_and_prelu() -> None:
    input, weight, bias = (t.clone().requires_grad_() for t in (X, values(2, 4), values(2)))
    wanted, above = F.linear(input, weight, bias), values(3, 2, start=1.1)
    output, gradient = empty(), empty()
    call("Linear_updateOutput", input.data, output, weight.data, bias.data, empty())
    close(output, wanted)
    call("Linear_updateGradInput", input.data, above, gradient, weight.data)
    found = torch.autograd.grad(wanted, [input, weight, bias], above)
    close(gradient, found[0])
    sums = torch.zeros(2, 4).double(), torch.zeros(2).double()
    call("Linear_accGradParameters", input.data, above, gradient, weight.data, bias.data, *sums, empty(), 2)
    close(sums[0], 2 * found[1])
    close(sums[1], 2 * found[2])
    slope = values(4).requires_grad_()
    wanted, above = F.prelu(input, slope), values(3, 4, start=1.1)
    call("PReLU_updateOutput", input.data, output, slope.data, 4)
    close(output, wanted)
    call("PReLU_updateGradInput", input.data, above, gradient, slope.data, 4)
    found = torch.autograd.grad(wanted, [input, slope], above)
    close(gradient, found[0])
    total = torch.ones(4).double()
    buffers = empty(), empty()
    call("PReLU_accGradParameters", input.data, above, gradient, slope.data, total, *buffers, 4, 2)
    close(total, 1 + 2 * found[1])


def test_lookup_table() -> None:
    rows, above = torch.tensor([3, 1, 3]), double([[1.0, 2], [3, 4], [5, 6]])
    sums = torch.zeros(3, 2).double()
    count = torch.empty(0, dtype=torch.int32)
    call("LookupTable_accGradParameters", rows, above, sums, count, None, None, False, 0, 2)
    assert sums.tolist() == [[6, 8], [0, 0], [12, 16]]
    sums.zero_()
    call("LookupTable_accGradParameters", rows, above, sums, count, None, None, True, 1, 1)
    assert sums.tolist() == [[0, 0], [0, 0], [3, 4]]
    weight = double([[3.0, 4], [6, 8], [30, 40]])
    call("LookupTable_renorm", torch.tensor([1, 3]), weight, 5, 2)
    torch.testing.assert_close(weight, double([[3.0, 4], [6, 8], [3, 4]]), rtol=1e-7, atol=0)


@pytest.mark.parametrize("input", [X, IMAGES])
@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_batch_normalization(input: torch.Tensor, train: bool, affine: bool) -> None:
    input = input.clone().requires_grad_()
    weight, bias = (values(4, start=n).requires_grad_() if affine else None for n in (1, 2))
    mean, variance = values(4, start=3), values(4, start=4).abs()
    running = mean.clone(), variance.clone()
    wanted = F.batch_norm(input, *running, weight, bias, train, 0.2, 1e-3)
    parameters = [None if t is None else t.data for t in (weight, bias)]
    output, gradient, saved = empty(), empty(), (empty(), empty())
    settings = (train, 0.2, 1e-3)
    call(
        "BatchNormalization_updateOutput", input.data, output, *parameters, mean, variance, *saved, *settings
    )
    close(output, wanted)
    close(mean, running[0])
    close(variance, running[1])
    dims = [d for d in range(input.dim()) if d != 1]
    if train:
        close(saved[0], input.mean(dims))
        close(saved[1], (input.var(dims, correction=0) + 1e-3).rsqrt())
    else:
        assert not saved[0].numel()
    above = values(*output.shape, start=1.1)
    sums = [torch.ones(4).double() if affine else None for _ in range(2)]
    given = (*sums, parameters[0], mean, variance, *saved, train, 0.5, 1e-3)
    call("BatchNormalization_backward", input.data, above, gradient, *given)
    leaves = [t for t in (input, weight, bias) if t is not None]
    found = torch.autograd.grad(wanted, leaves, above)
    close(gradient, found[0])
    for total, derivative in zip(sums, found[1:], strict=False):
        if total is not None:
            close(total, 1 + 0.5 * derivative)
    untouched = gradient.clone()
    call("BatchNormalization_backward", input.data, above, None, *given)
    assert torch.equal(gradient, untouched)
    for total, derivative in zip(sums, found[1:], strict=False):
        if total is not None:
            close(total, 1 + derivative)


# -- pooling by the largest ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "numbers", "function"),
    [
        ("SpatialMaxPooling", (3, 2, 2, 1, 1, 0, False),
         lambda x: F.max_pool2d(x, (2, 3), (1, 2), (0, 1), return_indices=True)),
        ("SpatialMaxPooling", (3, 2, 2, 2, 1, 0, True),
         lambda x: F.max_pool2d(x, (2, 3), 2, (0, 1), ceil_mode=True, return_indices=True)),
        ("SpatialDilatedMaxPooling", (2, 2, 1, 1, 0, 0, 2, 1, False),
         lambda x: F.max_pool2d(x, 2, 1, 0, (1, 2), return_indices=True)),
    ],
)  # fmt: skip
def test_max_pooling(name: str, numbers: tuple[Any, ...], function: Any) -> None:
    input = IMAGES.clone().requires_grad_()
    wanted, places = function(input)
    output, gradient, indices = empty(), empty(), torch.empty(0, dtype=torch.int64)
    call(f"{name}_updateOutput", input.data, output, indices, *numbers)
    close(output, wanted)
    assert torch.equal(indices, places + 1)
    above = values(*output.shape, start=1.1)
    call(f"{name}_updateGradInput", input.data, above, gradient, indices, *numbers)
    close(gradient, torch.autograd.grad(wanted, input, above)[0])


def test_adaptive_and_temporal_pooling() -> None:
    input = values(2, 6, 8).requires_grad_()
    output, gradient, indices = empty(), empty(), torch.empty(0, dtype=torch.int64)
    wanted = F.adaptive_max_pool2d(input, (3, 2))
    call("SpatialAdaptiveMaxPooling_updateOutput", input.data, output, indices, 2, 3)
    close(output, wanted)
    above = values(2, 3, 2, start=1.1)
    call("SpatialAdaptiveMaxPooling_updateGradInput", input.data, above, gradient, indices)
    close(gradient, torch.autograd.grad(wanted, input, above)[0])
    wanted = F.adaptive_avg_pool2d(input, (3, 2))
    call("SpatialAdaptiveAveragePooling_updateOutput", input.data, output, 2, 3)
    close(output, wanted)
    call("SpatialAdaptiveAveragePooling_updateGradInput", input.data, above, gradient)
    close(gradient, torch.autograd.grad(wanted, input, above)[0])
    frames = FRAMES.clone().requires_grad_()
    wanted = frames.unfold(1, 3, 2).amax(3)
    call("TemporalMaxPooling_updateOutput", frames.data, output, indices, 3, 2)
    close(output, wanted)
    above = values(*output.shape, start=1.1)
    call("TemporalMaxPooling_updateGradInput", frames.data, above, gradient, indices, 3, 2)
    close(gradient, torch.autograd.grad(wanted, frames, above)[0])


def test_enlargement() -> None:
    input, output, gradient = IMAGES.clone().requires_grad_(), empty(), empty()
    wanted = F.interpolate(input, (11, 9), mode="bilinear", align_corners=True)
    call("SpatialUpSamplingBilinear_updateOutput", input.data, output, 11, 9)
    close(output, wanted, 1e-4)  # the original's fractions are of single precision
    above = values(*output.shape, start=1.1)
    call("SpatialUpSamplingBilinear_updateGradInput", above, gradient, 2, 4, 7, 6, 11, 9)
    close(gradient, torch.autograd.grad(wanted, input, above)[0], 1e-4)


def dense(weight: torch.Tensor) -> torch.Tensor:
    """The weight of a whole convolution that does what one between PAIRS of planes does."""
    whole = torch.zeros(5, 3, *weight.shape[1:], dtype=weight.dtype)
    rows = PAIRS.long() - 1
    return whole.index_put((rows[:, 1], rows[:, 0]), weight, accumulate=True)


PAIRS = double([[1, 1], [3, 2], [2, 5], [2, 3], [1, 4], [3, 4]])
SUMS: list[tuple[str, torch.Tensor, torch.Tensor, int, tuple[Any, ...], tuple[Any, ...], Function]] = [
    ("SpatialSubSampling", IMAGES, values(4), 4, (3, 2, 2, 1), (),
     lambda x, w, b: F.avg_pool2d(x, (2, 3), (1, 2)) * 6 * w.view(4, 1, 1) + b.view(4, 1, 1)),
    ("TemporalSubSampling", FRAMES[0], values(3), 3, (2, 3), (3,),
     lambda x, w, b: x.unfold(0, 2, 3).sum(2) * w + b),
    ("SpatialConvolutionMap", IMAGES_OF_3, values(6, 2, 3), 5, (PAIRS, 3, 5, 2, 1), (),
     lambda x, w, b: F.conv2d(x, dense(w), b, (1, 2))),
]  # fmt: skip


@pytest.mark.parametrize(("name", "input", "weight", "planes", "numbers", "further", "function"), SUMS)
def test_sums_and_maps(
    name: str,
    input: torch.Tensor,
    weight: torch.Tensor,
    planes: int,
    numbers: tuple[Any, ...],
    further: tuple[Any, ...],
    function: Function,
) -> None:
    input, weight, bias = (t.clone().requires_grad_() for t in (input, weight, values(planes, start=1)))
    wanted, output, gradient = function(input, weight, bias), empty(), empty()
    call(f"{name}_updateOutput", input.data, output, weight.data, bias.data, *numbers, *further)
    close(output, wanted)
    above = values(*output.shape, start=1.1)
    given = (weight.data, bias.data) if name == "SpatialConvolutionMap" else (weight.data,)
    call(f"{name}_updateGradInput", input.data, above, gradient, *given, *numbers)
    found = torch.autograd.grad(wanted, [input, weight, bias], above)
    close(gradient, found[0])
    sums = torch.ones_like(weight.data), torch.ones_like(bias.data)
    call(f"{name}_accGradParameters", input.data, above, *sums, *numbers, 0.5)
    close(sums[0], 1 + 0.5 * found[1])
    close(sums[1], 1 + 0.5 * found[2])


# -- criterions ----------------------------------------------------------------------------------------------

CLASSES = torch.tensor([2, 4, 1])
P = torch.sigmoid(X)
SIGNS = torch.sign(values(3, 4, start=0.9))
WEIGHTS = values(4).abs()


def total(losses: torch.Tensor, reduction: str) -> torch.Tensor:
    return losses.mean() if reduction == "mean" else losses.sum()


LOSSES: list[tuple[str, torch.Tensor, torch.Tensor, tuple[Any, ...], Function]] = [
    ("AbsCriterion", X, P, (), lambda x, t, r: F.l1_loss(x, t, reduction=r)),
    ("MSECriterion", X, P, (), lambda x, t, r: F.mse_loss(x, t, reduction=r)),
    ("SmoothL1Criterion", X, P, (), lambda x, t, r: F.smooth_l1_loss(x, t, reduction=r)),
    ("SoftMarginCriterion", X, SIGNS, (), lambda x, t, r: F.soft_margin_loss(x, t, reduction=r)),
    ("DistKLDivCriterion", X, P, (), lambda x, t, r: total(F.kl_div(x, t, reduction="none"), r)),
    ("BCECriterion", P, P.flip(0), (WEIGHTS.expand(3, 4),),
     lambda x, t, r: F.binary_cross_entropy(x, t, WEIGHTS.expand(3, 4), reduction=r)),
    ("BCECriterion", P, P.flip(0), (None,), lambda x, t, r: F.binary_cross_entropy(x, t, reduction=r)),
    ("MarginCriterion", X, SIGNS, (0.8,),
     lambda x, t, r: total((0.8 - x * t).clamp(min=0), r)),
    ("MultiMarginCriterion", X, CLASSES, (1, None, 0.8),
     lambda x, t, r: F.multi_margin_loss(x, t - 1, 1, 0.8, reduction=r)),
    ("MultiMarginCriterion", X, CLASSES, (2, WEIGHTS, 0.8),
     lambda x, t, r: F.multi_margin_loss(x, t - 1, 2, 0.8, WEIGHTS, reduction=r)),
]  # fmt: skip


@pytest.mark.parametrize("mean", [True, False])
@pytest.mark.parametrize(("name", "input", "target", "further", "function"), LOSSES)
def test_criterions(
    name: str,
    input: torch.Tensor,
    target: torch.Tensor,
    further: tuple[Any, ...],
    function: Function,
    mean: bool,
) -> None:
    input = input.clone().requires_grad_()
    wanted = function(input, target, "mean" if mean else "sum")
    loss, gradient = empty(), empty()
    call(f"{name}_updateOutput", input.data, target, loss, mean, *further)
    tolerance = 1e-10 if name == "BCECriterion" else 1e-12  # to probabilities 1e-12 is added
    close(loss, wanted.view(1), tolerance)
    call(f"{name}_updateGradInput", input.data, target, gradient, mean, *further)
    close(gradient, torch.autograd.grad(wanted, input)[0], tolerance)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("mean", [True, False])
@pytest.mark.parametrize("ignored", [-100, 4])
def test_classes(dtype: torch.dtype, weighted: bool, mean: bool, ignored: int) -> None:
    input = torch.log_softmax(X.to(dtype), 1).requires_grad_()
    weights = WEIGHTS.to(dtype) if weighted else None
    wanted = F.nll_loss(
        input, CLASSES - 1, weights, ignore_index=ignored - 1, reduction="mean" if mean else "sum"
    )
    loss, total, gradient = empty(dtype), empty(dtype), empty(dtype)
    call("ClassNLLCriterion_updateOutput", input.data, CLASSES, loss, mean, weights, total, ignored)
    close(loss, wanted.view(1))
    kept = CLASSES[ignored != CLASSES] - 1
    close(total, (torch.ones(4, dtype=dtype) if weights is None else weights)[kept].sum().view(1))
    arguments = (input.data, CLASSES, gradient, mean, weights, total, ignored)
    call("ClassNLLCriterion_updateGradInput", *arguments)
    close(gradient, torch.autograd.grad(wanted, input)[0])


def test_classes_of_places() -> None:
    input = torch.log_softmax(IMAGES, 1).requires_grad_()
    target = (torch.arange(2 * 7 * 6) % 4 + 1).view(2, 7, 6)
    wanted = F.nll_loss(input, target - 1, WEIGHTS)
    loss, total, gradient = empty(), empty(), empty()
    call("SpatialClassNLLCriterion_updateOutput", input.data, target, loss, True, WEIGHTS, total)
    close(loss, wanted.view(1))
    call("SpatialClassNLLCriterion_updateGradInput", input.data, target, gradient, True, WEIGHTS, total)
    close(gradient, torch.autograd.grad(wanted, input)[0])


def test_other_losses() -> None:
    loss, gradient = empty(), empty()
    call("L1Cost_updateOutput", double([1.0, -2, 0]), loss)
    assert loss.tolist() == [3]
    call("L1Cost_updateGradInput", double([1.0, -2, 0]), None, gradient)
    assert gradient.tolist() == [1, -1, 0]
    target, input = torch.tensor([[2, 3, 0, 0]]), values(1, 4).requires_grad_()
    wanted = F.multilabel_margin_loss(input, torch.tensor([[1, 2, -1, -1]]))
    call("MultiLabelMarginCriterion_updateOutput", input.data, target, loss, empty(), True)
    close(loss, wanted.view(1))
    call("MultiLabelMarginCriterion_updateGradInput", input.data, target, gradient, empty(), True)
    close(gradient, torch.autograd.grad(wanted, input)[0])


# -- the register, and errors --------------------------------------------------------------------------------


def test_lines() -> None:
    """Every line names a layer that there is, a method of it, and fields that it has."""
    for name, kernel in kernels.items():
        cls: Any = layers[kernel.layer]
        assert callable(getattr(cls, kernel.method)), name
        known = {*cls.all_fields(), *cls.parameter_fields, "gradWeight", "gradBias"}
        known |= {"output", "gradInput", *ROLES, *ENLARGED}
        for parameter in kernel.parameters:
            assert parameter.mark == "~" or parameter.name in known, (name, parameter.name)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("Nothing_updateOutput", (X,), "THNN.Nothing_updateOutput is not supported"),
        ("SoftMax_updateOutput", (X,), "argument 2 .output. must be the cdata of a tensor"),
        ("SoftMax_updateOutput", (X, empty(), 1), "takes 2 arguments .input, output., not 3"),
        ("SoftMax_updateOutput", (X, empty(torch.float32)), "argument 2 .* torch.DoubleTensor, not a torch.FloatT"),
        ("ELU_updateOutput", (X, empty(), empty(), False), "argument 3 .alpha. must be a number"),
        ("LookupTable_renorm", (X, X, 1, 2), "argument 1 .* torch.LongTensor, not a torch.DoubleTensor"),
        ("SoftMax_updateGradInput", (X, X[:2], empty(), X), "gradOutput"),
        ("SpatialConvolutionMM_updateOutput",
         (IMAGES, empty(), values(5, 7), None, empty(), empty(), 3, 3, 1, 1, 0, 0), "does not fit the kernel"),
        ("BatchNormalization_updateOutput",
         (X[:1], empty(), None, None, X[0], X[0], empty(), empty(), True, 0.1, 1e-5), "two examples or more"),
        ("SpatialMaxPooling_updateOutput",
         (IMAGES, empty(), torch.tensor([1]), 0, 2, 1, 1, 0, 0, False), "kernel must be at least 1"),
    ],
)  # fmt: skip
def test_errors(name: str, arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(TorchError, match=message):
        call(name, *arguments)
