"""Models of old versions: each is written as it was then, read, run, and saved again as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

import torch7py
from torch7py import T7Error, T7Object, Table, nn
from torch7py.t7.upgrades import UPGRADES

DOUBLE = torch.float64


def randn(*sizes: int) -> torch.Tensor:
    return torch.randn(sizes, dtype=DOUBLE, generator=torch.Generator().manual_seed(sum(sizes)))


def saved(path: Path, name: str, version: int = 1, **fields: Any) -> Path:
    """An object of a class with these fields, in a file."""
    payload: list[Any] = [
        Table({"_type": "torch.DoubleTensor", "output": torch.empty(0, dtype=DOUBLE), **fields})
    ]
    torch7py.save(T7Object(name, payload, version), path)
    return path


def assert_saved_again(path: Path, layer: Any) -> None:
    torch7py.save(layer, path.with_suffix(".again"))
    assert path.with_suffix(".again").read_bytes() == path.read_bytes()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "old.t7"


@pytest.mark.parametrize("package", ["nn", "cudnn"])
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("BatchNormalization", (5, 3)),
        ("SpatialBatchNormalization", (2, 3, 4, 5)),
        ("VolumetricBatchNormalization", (2, 3, 2, 3, 4)),
    ],
)
def test_running_std_was_one_over_the_root_of_the_variance(
    file: Path, package: str, name: str, shape: tuple[int, ...]
) -> None:
    mean, variance, weight, bias = randn(3), randn(3).square() + 0.1, randn(3) + 1, randn(3) - 1
    saved(
        file,
        f"{package}.{name}",
        1,
        running_mean=mean,
        running_std=(variance + 1e-3).rsqrt(),
        eps=1e-3,
        momentum=0.1,
        affine=True,
        weight=weight,
        bias=bias,
        gradWeight=torch.zeros(3, dtype=DOUBLE),
        gradBias=torch.zeros(3, dtype=DOUBLE),
    )
    layer = torch7py.load(file)
    assert_saved_again(file, layer)
    x = randn(*shape)
    layer.eval()
    assert torch.allclose(layer(x), F.batch_norm(x, mean, variance, weight, bias, eps=1e-3), atol=1e-12)
    layer.train()
    layer.torch7_forward(x)
    assert not torch.equal(layer.running_var, variance)
    torch7py.save(layer, file)
    again = torch7py.load(file)
    assert torch.equal(again.running_var, layer.running_var)
    assert again.get_field("running_std") is None
    # its class in nn states no version
    assert again.saved_version == (1 if name.startswith("Volumetric") and package == "nn" else 2)


def test_gradient_reversal_had_no_factor(file: Path) -> None:
    layer = torch7py.load(saved(file, "nn.GradientReversal"))
    assert_saved_again(file, layer)
    x, gradient = randn(2, 3), randn(2, 3)
    layer.torch7_forward(x)
    assert torch.equal(layer.updateGradInput(x, gradient), -gradient)


def test_volumetric_max_pooling_had_no_ceil_mode(file: Path) -> None:
    path = saved(file, "nn.VolumetricMaxPooling", kT=2, kW=2, kH=2, dT=2, dW=2, dH=2)
    layer = torch7py.load(path)
    assert_saved_again(file, layer)
    x = randn(1, 2, 5, 5, 5)
    assert torch.equal(layer(x), F.max_pool3d(x, 2))


def test_spatial_max_pooling_had_no_padding_and_no_ceil_mode(file: Path) -> None:
    layer = torch7py.load(saved(file, "nn.SpatialMaxPooling", kW=2, kH=3, dW=2, dH=1))
    assert_saved_again(file, layer)
    x = randn(1, 2, 5, 5)
    assert torch.equal(layer(x), F.max_pool2d(x, (3, 2), (1, 2)))


def test_average_pooling_gave_sums_in_nn_and_averages_in_cudnn(file: Path) -> None:
    x = randn(1, 2, 6, 6)
    layer = torch7py.load(saved(file, "nn.SpatialAveragePooling", kW=2, kH=3, dW=2, dH=1))
    assert_saved_again(file, layer)
    assert torch.allclose(layer(x), F.avg_pool2d(x, (3, 2), (1, 2)) * 6)
    layer = torch7py.load(saved(file, "cudnn.SpatialAveragePooling", kW=2, kH=3, dW=2, dH=1))
    assert_saved_again(file, layer)
    assert torch.allclose(layer(x), F.avg_pool2d(x, (3, 2), (1, 2)))


def convolution(name: str, file: Path, dims: int, **fields: Any) -> tuple[Any, torch.Tensor, torch.Tensor]:
    weight, bias = randn(4, 3, 2, 5), randn(4)
    shaped = weight if dims == 4 else weight.view(4, -1)
    saved(
        file,
        name,
        nInputPlane=3,
        nOutputPlane=4,
        kW=5,
        kH=2,
        dW=1,
        dH=1,
        weight=shaped,
        bias=bias,
        gradWeight=torch.zeros_like(shaped),
        gradBias=torch.zeros_like(bias),
        **fields,
    )
    return torch7py.load(file), weight, bias


def test_a_convolution_had_one_padding(file: Path) -> None:
    x = randn(2, 3, 6, 7)
    for name, dims in (("nn.SpatialConvolution", 4), ("nn.SpatialConvolutionMM", 2)):
        layer, weight, bias = convolution(name, file, dims, padding=2)
        assert_saved_again(file, layer)
        assert torch.allclose(layer(x), F.conv2d(x, weight, bias, padding=2))
        assert layer.get_field("padding") is None


def test_a_convolution_without_a_bias_and_one_without_padding(file: Path) -> None:
    x = randn(2, 3, 6, 7)
    layer, weight, bias = convolution("nn.SpatialConvolution", file, 4)
    assert_saved_again(file, layer)
    assert torch.allclose(layer(x), F.conv2d(x, weight, bias))
    saved(file, "nn.SpatialConvolution", nInputPlane=3, nOutputPlane=4, kW=5, kH=2, dW=1, dH=1, weight=weight)
    layer = torch7py.load(file)
    assert_saved_again(file, layer)
    assert torch.allclose(layer(x), F.conv2d(x, weight))


def test_the_weight_of_a_convolution_was_a_matrix(file: Path) -> None:
    x = randn(2, 3, 6, 7)
    layer, weight, bias = convolution("nn.SpatialConvolution", file, 2)
    assert layer.weight.shape == weight.shape
    assert torch.allclose(layer(x), F.conv2d(x, weight, bias))
    assert_saved_again(file, layer)
    # it trains, and the matrix in the file is the one that was trained
    gradient = randn(2, 4, 5, 3)
    layer.zeroGradParameters()
    layer.torch7_forward(x)
    layer.backward(x, gradient)
    layer.updateParameters(0.1)
    torch7py.save(layer, file)
    again = torch7py.load(file)
    assert torch.equal(again.weight, layer.weight)
    assert not torch.equal(again.weight, weight)


def test_a_matrix_that_is_no_window_is_refused(file: Path) -> None:
    saved(
        file,
        "nn.SpatialConvolution",
        nInputPlane=3,
        nOutputPlane=4,
        kW=5,
        kH=3,
        dW=1,
        dH=1,
        weight=randn(4, 30),
    )
    with pytest.raises(T7Error, match=r"nn.SpatialConvolution: a weight of \[4, 30\]"):
        torch7py.load(file)


def test_a_full_volumetric_convolution_had_its_planes_the_other_way_round(file: Path) -> None:
    weight, bias = randn(3, 2, 2, 3, 2), randn(2)  # input planes, output planes, t, h, w
    saved(
        file,
        "nn.VolumetricFullConvolution",
        nInputPlane=3,
        nOutputPlane=2,
        kT=2,
        kH=3,
        kW=2,
        dT=1,
        dH=1,
        dW=1,
        pT=1,
        pH=1,
        pW=0,
        weight=weight.transpose(0, 1).contiguous(),
        bias=bias,
        gradWeight=torch.zeros(2, 3, 2, 3, 2, dtype=DOUBLE),
        gradBias=torch.zeros(2, dtype=DOUBLE),
    )
    layer = torch7py.load(file)
    assert_saved_again(file, layer)
    x = randn(1, 3, 4, 4, 4)
    assert torch.allclose(layer(x), F.conv_transpose3d(x, weight, bias, padding=(1, 1, 0)))


def test_a_full_convolution_had_no_adjustment(file: Path) -> None:
    weight, bias = randn(3, 2, 3, 2), randn(2)
    saved(
        file,
        "nn.SpatialFullConvolution",
        nInputPlane=3,
        nOutputPlane=2,
        kH=3,
        kW=2,
        dH=2,
        dW=2,
        padW=0,
        padH=1,
        weight=weight,
        bias=bias,
    )
    layer = torch7py.load(file)
    assert_saved_again(file, layer)
    x = randn(1, 3, 4, 4)
    assert torch.allclose(layer(x), F.conv_transpose2d(x, weight, bias, stride=2, padding=(1, 0)))


def test_dropout_before_its_second_version_scales_in_evaluation(file: Path) -> None:
    layer = torch7py.load(saved(file, "nn.Dropout", p=0.25, noise=torch.empty(0, dtype=DOUBLE)))
    assert_saved_again(file, layer)
    x = randn(3, 4)
    layer.eval()
    assert torch.equal(layer(x), x * 0.75)


def test_a_mean_was_a_class_of_its_own(file: Path) -> None:
    layer = torch7py.load(saved(file, "nn.Mean", dimension=2))
    assert_saved_again(file, layer)
    x = randn(3, 4)
    assert torch.allclose(layer(x), x.mean(1))


def _long(*values: int) -> Any:
    from torch7py.nn.shape import long_storage

    return long_storage(*values)


def test_views_and_reshapes_of_old(file: Path) -> None:
    x = randn(4, 2, 3)
    layer = torch7py.load(saved(file, "nn.View", size=_long(6), numElements=6))
    assert_saved_again(file, layer)
    assert torch.equal(layer(x), x.view(4, 6))
    layer = torch7py.load(saved(file, "nn.Reshape", size=_long(6), nelement=6, batchsize=_long(0, 6)))
    assert_saved_again(file, layer)
    assert torch.equal(layer(x), x.view(4, 6))
    assert torch.equal(layer(randn(2, 3)), randn(2, 3).view(6))


def test_layers_from_before_their_options(file: Path) -> None:
    x = randn(3, 4)
    cases: dict[str, tuple[dict[str, Any], torch.Tensor]] = {
        "nn.Threshold": (
            {"threshold": 0.1, "val": -2},
            torch.where(x > 0.1, x, torch.tensor(-2.0, dtype=DOUBLE)),
        ),
        "nn.ReLU": ({"threshold": 0, "val": 0}, x.relu()),
        "nn.HardTanh": ({}, x.clamp(-1, 1)),
        "nn.LogSoftMax": ({}, x.log_softmax(1)),
        "nn.SoftMax": ({}, x.softmax(1)),
        "nn.Max": ({"dimension": 2}, x.amax(1)),
        "nn.Sum": ({"dimension": 1}, x.sum(0)),
        "nn.MulConstant": ({"constant_scalar": 3}, x * 3),
        "nn.Linear": ({"weight": randn(2, 4)}, x @ randn(2, 4).T),
        "nn.SoftPlus": ({}, F.softplus(x)),
        "nn.Power": ({"pow": 2}, x.square()),
        "cudnn.ReLU": ({"mode": "CUDNN_ACTIVATION_RELU", "inplace": False}, x.relu()),
        "cudnn.Tanh": ({}, x.tanh()),
    }
    for name, (fields, wanted) in cases.items():
        layer = torch7py.load(saved(file, name, **fields))
        assert_saved_again(file, layer)
        layer.eval()
        assert torch.allclose(layer(x.clone()), wanted), name
    table = torch7py.load(saved(file, "nn.CAddTable", gradInput=Table()))
    assert_saved_again(file, table)
    assert torch.equal(table([x, x]), x + x)
    lookup = torch7py.load(
        saved(file, "nn.LookupTable", weight=randn(5, 2), gradWeight=torch.zeros(5, 2, dtype=DOUBLE))
    )
    assert_saved_again(file, lookup)
    assert torch.equal(lookup(torch.tensor([1, 5])), randn(5, 2)[[0, 4]])


def test_criterions_from_before_their_options(file: Path) -> None:
    x, target = randn(3, 4), torch.tensor([1, 4, 2])
    losses: dict[str, Callable[[], torch.Tensor]] = {
        "nn.MSECriterion": lambda: F.mse_loss(x, x * 2),
        "nn.AbsCriterion": lambda: F.l1_loss(x, x * 2),
        "nn.ClassNLLCriterion": lambda: F.nll_loss(x, target - 1),
        "nn.MultiMarginCriterion": lambda: F.multi_margin_loss(x, target - 1),
    }
    for name, wanted in losses.items():
        criterion = torch7py.load(saved(file, name, sizeAverage=True, output=0))
        assert_saved_again(file, criterion)
        against = target if "Class" in name or "Margin" in name else x * 2
        found = criterion.updateOutput(x, against)
        loss = found[0] if isinstance(found, tuple) else found  # some give their sum as a tensor too
        assert abs(loss - wanted().item()) < 1e-12, name


def gpu(file: Path, **options: Any) -> Any:
    inner = nn.Linear(3, 2)
    fields = Table({"_type": "torch.CudaTensor", "device": 2, "outdevice": 2, "modules": Table.of([inner])})
    header = Table.of(["torch.CudaTensor", 2])
    torch7py.save(T7Object("nn.GPU", [header, fields]), file)
    return inner


def test_a_module_that_was_on_one_of_several_gpus(file: Path) -> None:
    inner = gpu(file)
    layer = torch7py.load(file)
    assert_saved_again(file, layer)
    x = randn(4, 3)
    assert torch.equal(layer(x), inner(x))
    assert [name for name, _ in layer.named_parameters()] == ["0.weight", "0.bias"]


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_model_on_several_gpus(file: Path, version: int) -> None:
    """Version 1 had a copy for each GPU; since then the GPUs stand before the fields."""
    inner = nn.Sequential(nn.Linear(3, 2), nn.Tanh()).float()
    copies = [inner, nn.Sequential(nn.Linear(3, 2), nn.Tanh()).float()] if version == 1 else [inner]
    gpus = Table.of([1, 2])
    fields = Table(
        {
            "_type": "torch.CudaTensor",
            "typeStr": "torch.CudaTensor",
            "dimension": 1,
            "gpuAssignments": gpus,
            "modules": Table.of(copies),
        }
    )
    payload = [gpus, fields] if version > 1 else [fields]
    torch7py.save(T7Object("nn.DataParallelTable", payload, version), file)
    layer = torch7py.load(file)
    assert_saved_again(file, layer)
    assert len(list(layer.parameters())) == 2
    x = randn(5, 3).float()
    assert torch.equal(layer(x), inner(x))
    layer.eval()
    assert torch.equal(layer.torch7_forward(x), inner(x))


def test_layers_of_cudnn_have_fields_of_their_own(file: Path) -> None:
    x, images = randn(3, 4), randn(2, 6, 5, 5)
    sizes = {"kW": 2, "kH": 3, "dW": 1, "dH": 2, "padW": 0, "padH": 1}
    alike = F.avg_pool3d(images.square().unsqueeze(1), (3, 1, 1), 1, (1, 0, 0)).squeeze(1)
    lrn = {"size": 3, "alpha": 0.5, "beta": 0.75, "K": 2}
    accurate = {"algorithm": "CUDNN_SOFTMAX_ACCURATE"}
    cases: list[tuple[str, dict[str, Any], torch.Tensor, torch.Tensor]] = [
        ("ReLU", {"inplace": True, "mode": "CUDNN_ACTIVATION_RELU"}, x, x.relu()),
        ("ReLU", {"inplace": False}, x, x.relu()),
        ("Sigmoid", {"inplace": False}, x, x.sigmoid()),
        ("ClippedReLU", {"ceiling": 0.5, "inplace": False}, x, x.clamp(0, 0.5)),
        (
            "SpatialCrossMapLRN",
            lrn,
            images,
            images / (2 + 0.5 * alike) ** 0.75,
        ),
        ("SpatialMaxPooling", sizes, images, F.max_pool2d(images, (3, 2), (2, 1), (1, 0))),
        ("SpatialAveragePooling", sizes, images, F.avg_pool2d(images, (3, 2), (2, 1), (1, 0))),
        ("SpatialSoftMax", accurate, images, images.softmax(1)),
        (
            "LogSoftMax",
            {"algorithm": "CUDNN_SOFTMAX_ACCURATE", "mode": "CUDNN_SOFTMAX_MODE_INSTANCE"},
            x,
            x.log_softmax(1),
        ),
    ]
    for name, fields, given, wanted in cases:
        layer = torch7py.load(saved(file, f"cudnn.{name}", **fields))
        assert_saved_again(file, layer)
        layer.eval()
        assert torch.allclose(layer(given.clone()), wanted), name


def test_convolutions_of_cudnn(file: Path) -> None:
    images, weight, bias = randn(2, 6, 5, 5), randn(4, 3, 3, 2), randn(4)
    planes = {"nInputPlane": 6, "nOutputPlane": 4, "kW": 2, "kH": 3, "dW": 1, "dH": 2, "padW": 0, "padH": 1}
    saved(file, "cudnn.SpatialConvolution", **planes, groups=2, weight=weight, bias=bias)
    layer = torch7py.load(file)
    assert_saved_again(file, layer)
    assert torch.allclose(layer(images), F.conv2d(images, weight, bias, (2, 1), (1, 0), groups=2))
    # of before there were groups
    weight = randn(4, 6, 3, 2)
    layer = torch7py.load(saved(file, "cudnn.SpatialConvolution", **planes, weight=weight, bias=bias))
    assert_saved_again(file, layer)
    assert torch.allclose(layer(images), F.conv2d(images, weight, bias, (2, 1), (1, 0)))
    # a window of 3 frames of 5 numbers each, in steps of 2
    frames, weight = randn(2, 9, 5), randn(4, 15)
    temporal = {"inputFrameSize": 5, "outputFrameSize": 4, "nInputPlane": 1, "nOutputPlane": 4}
    window = {"kW": 5, "kH": 3, "dW": 1, "dH": 2, "padW": 0, "padH": 1}
    saved(file, "cudnn.TemporalConvolution", **temporal, **window, weight=weight, bias=bias)
    layer = torch7py.load(file)
    assert_saved_again(file, layer)
    port = F.conv1d(frames.transpose(1, 2), weight.view(4, 3, 5).transpose(1, 2), bias, 2, 1).transpose(1, 2)
    assert torch.allclose(layer(frames), port)


@pytest.mark.parametrize("dims", [2, 4])
def test_a_weight_norm_is_saved_without_its_weight(file: Path, dims: int) -> None:
    """The weight is computed when it is read, and left in the gradient of v, in the shape of the weight."""
    sizes = (3, 2, 2, 2)[:dims]
    rows = 8 if dims == 4 else 2
    v, g, bias = randn(3, rows), randn(3, 1), randn(3)
    norm = (v.square().sum(1, keepdim=True) + 1e-4).sqrt()
    weight = (v * (g / norm)).view(sizes)
    inner: dict[str, Any] = {
        "_type": "torch.DoubleTensor",
        "bias": bias,
        "gradBias": torch.zeros(3, dtype=DOUBLE),
    }
    if dims == 4:
        inner |= {
            "nInputPlane": 2,
            "nOutputPlane": 3,
            "kW": 2,
            "kH": 2,
            "dW": 1,
            "dH": 1,
            "padW": 0,
            "padH": 0,
        }
    name = "nn.SpatialConvolution" if dims == 4 else "nn.Linear"
    saved(
        file,
        "nn.WeightNorm",
        modules=Table.of([T7Object(name, [Table(inner)])]),
        outputDim=1,
        otherDims=rows,
        viewIn=_long(3, rows),
        viewOut=_long(*sizes),
        weightSize=_long(*sizes),
        v=v,
        g=g,
        gradV=weight.clone(),
        gradG=torch.zeros(3, 1, dtype=DOUBLE),
        _norm=norm,
        _scale=(g / norm).view(3),
        bias=bias,
        gradBias=inner["gradBias"],
    )
    layer = torch7py.load(file)
    assert_saved_again(file, layer)
    x = randn(2, 2, 4, 4) if dims == 4 else randn(5, 2)

    def port(values: torch.Tensor) -> torch.Tensor:
        return F.conv2d(x, values, bias) if dims == 4 else F.linear(x, values, bias)

    layer.eval()
    assert torch.allclose(layer(x), port(weight), atol=1e-12)
    layer.train()
    layer.zeroGradParameters()
    assert torch.allclose(layer.torch7_forward(x), port(weight), atol=1e-12)
    layer.backward(x, torch.ones_like(layer.output))
    layer.updateParameters(0.1)
    torch7py.save(layer, file)
    again = torch7py.load(file)
    assert torch.allclose(again.torch7_forward(x), layer.torch7_forward(x), atol=1e-12)


def test_a_weight_norm_without_what_it_needs_is_refused(file: Path) -> None:
    inner = T7Object("nn.Linear", [Table({"bias": randn(3)})])
    saved(file, "nn.WeightNorm", modules=Table.of([inner]), v=randn(3, 2), g=randn(3, 1), viewOut=_long(4, 2))
    with pytest.raises(T7Error, match=r"v is \[3, 2\], for a weight of \[4, 2\]"):
        torch7py.load(file)


def test_every_line_names_what_brought_it() -> None:
    for line in UPGRADES:
        assert line.until.split()[0] in ("nn", "nngraph", "cunn", "cudnn", "every")
        assert line.classes
