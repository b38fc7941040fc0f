"""Old models that a script reads with ``torch.load``: brought up to date as those are that Python reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import torch7py
from tests.inner_runtime import InnerRuntime as Runtime
from torch7py import T7Object, Table, nn
from torch7py.nn.shape import long_storage

DOUBLE = torch.float64


def randn(*sizes: int) -> torch.Tensor:
    return torch.randn(sizes, dtype=DOUBLE, generator=torch.Generator().manual_seed(sum(sizes)))


@pytest.fixture(scope="module")
def scripts() -> Iterator[Runtime]:
    with Runtime(cuda_as="cpu") as runtime:
        runtime.execute("require 'nn' require 'cunn' require 'cudnn'")
        yield runtime


def convolution(dims: int = 4, **more: Any) -> dict[str, Any]:
    weight = randn(4, 3, 2, 5)
    return {
        "nInputPlane": 3,
        "nOutputPlane": 4,
        "kW": 5,
        "kH": 2,
        "dW": 1,
        "dH": 1,
        "weight": weight if dims == 4 else weight.view(4, -1),
        "bias": randn(4),
        **more,
    }


def normalization() -> dict[str, Any]:
    return {
        "running_mean": randn(3),
        "running_std": randn(3).square() + 0.5,
        "eps": 1e-3,
        "momentum": 0.1,
        "affine": True,
        "weight": randn(3),
        "bias": randn(3),
    }


def volumetric() -> dict[str, Any]:
    sizes = {"kT": 2, "kH": 3, "kW": 2, "dT": 1, "dH": 1, "dW": 1, "pT": 1, "pH": 1, "pW": 0}
    weight = randn(2, 3, 2, 3, 2)
    return {"nInputPlane": 3, "nOutputPlane": 2, **sizes, "weight": weight, "bias": randn(2)}


POOLING = {"kW": 2, "kH": 3, "dW": 2, "dH": 1, "padW": 0, "padH": 0}
NORM = {
    "modules": Table.of([T7Object("nn.Linear", [Table({"bias": randn(3), "gradBias": randn(3)})])]),
    "outputDim": 1,
    "viewIn": long_storage(3, 2),
    "viewOut": long_storage(3, 2),
    "weightSize": long_storage(3, 2),
    "v": randn(3, 2),
    "g": randn(3, 1),
    "gradV": randn(3, 2),
    "gradG": randn(3, 1),
}

CASES: dict[str, tuple[str, dict[str, Any], torch.Tensor]] = {
    "running_std": ("nn.BatchNormalization", normalization(), randn(5, 3)),
    "running_std of images": ("nn.SpatialBatchNormalization", normalization(), randn(2, 3, 4, 4)),
    "running_std of cudnn": ("cudnn.SpatialBatchNormalization", normalization(), randn(2, 3, 4, 4)),
    "one padding": ("nn.SpatialConvolution", convolution(padding=2), randn(2, 3, 6, 7)),
    "one padding, a matrix": ("nn.SpatialConvolutionMM", convolution(2, padding=1), randn(2, 3, 6, 7)),
    "a matrix": ("nn.SpatialConvolution", convolution(2), randn(2, 3, 6, 7)),
    "no bias": ("nn.Linear", {"weight": randn(2, 4)}, randn(3, 4)),
    "planes the other way round": ("nn.VolumetricFullConvolution", volumetric(), randn(1, 3, 4, 4, 4)),
    "sums": ("nn.SpatialAveragePooling", POOLING, randn(1, 2, 6, 6)),
    "averages": ("cudnn.SpatialAveragePooling", POOLING, randn(1, 2, 6, 6)),
    "no threshold": ("cudnn.ReLU", {"inplace": False}, randn(3, 4)),
    "a ceiling": ("cudnn.ClippedReLU", {"ceiling": 0.5, "inplace": False}, randn(3, 4)),
    "a capital": (
        "cudnn.SpatialCrossMapLRN",
        {"size": 3, "alpha": 0.5, "beta": 0.75, "K": 2},
        randn(2, 6, 4, 4),
    ),
    "an old view": ("nn.View", {"size": long_storage(6), "numElements": 6}, randn(4, 2, 3)),
    "an old reshape": (
        "nn.Reshape",
        {"size": long_storage(6), "nelement": 6, "batchsize": long_storage(0, 6)},
        randn(4, 2, 3),
    ),
    "an old dropout": ("nn.Dropout", {"p": 0.25, "noise": torch.empty(0, dtype=DOUBLE)}, randn(3, 4)),
    "a norm without weight": ("nn.WeightNorm", NORM, randn(5, 2)),
}


@pytest.mark.parametrize("what", CASES)
def test_a_script_gets_the_same_layer_as_python(scripts: Runtime, tmp_path: Path, what: str) -> None:
    name, fields, x = CASES[what]
    path = tmp_path / "old.t7"
    payload = Table({"_type": "torch.DoubleTensor", "output": torch.empty(0, dtype=DOUBLE), **fields})
    torch7py.save(T7Object(name, [payload]), path)
    scripts.globals["x"] = x.clone()
    scripts.execute(f"m = torch.load('{path}') m:evaluate() y = m:forward(x)")
    layer = torch7py.load(path)
    layer.eval()
    assert torch.equal(scripts.globals["y"], layer.torch7_forward(x))


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_model_on_several_gpus(scripts: Runtime, tmp_path: Path, version: int) -> None:
    """Version 1 had a copy for each GPU; since then the GPUs stand before the fields."""
    path = tmp_path / "old.t7"
    copies = [nn.Sequential(nn.Linear(3, 2), nn.Tanh()).float() for _ in range(2 if version == 1 else 1)]
    gpus = Table.of([1, 2])
    fields = {
        "_type": "torch.CudaTensor",
        "typeStr": "torch.CudaTensor",
        "dimension": 1,
        "gpuAssignments": gpus,
        "modules": Table.of(copies),
    }
    payload = [gpus, Table(fields)] if version > 1 else [Table(fields)]
    torch7py.save(T7Object("nn.DataParallelTable", payload, version), path)
    scripts.globals["x"] = randn(5, 3).float()
    scripts.execute(f"""
        m = torch.load('{path}')
        y = m:forward(x)
        count, inside = #m:parameters(), #m.modules
        torch.save('{path}', m)
    """)
    assert (scripts.globals["count"], scripts.globals["inside"]) == (2, 1)
    # with and without a graph tanh is another library's (ops/hyperbolic.py)
    expected = copies[0](randn(5, 3).float())
    torch.testing.assert_close(scripts.globals["y"], expected, rtol=1e-6, atol=1e-7, check_device=False)
    again = torch7py.load(path)
    torch.testing.assert_close(again(randn(5, 3).float()), expected, rtol=1e-6, atol=1e-7)
