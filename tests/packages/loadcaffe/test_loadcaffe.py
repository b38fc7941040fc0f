"""loadcaffe: models are written here byte by byte, as Caffe's description of the format says."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError


def varint(n: int) -> bytes:
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number: int, value: int | float | str | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def numbers(tensor: torch.Tensor) -> bytes:
    return field(5, tensor.float().numpy().tobytes())


def old_blob(tensor: torch.Tensor) -> bytes:
    """A blob of four sizes; fewer are the last."""
    sizes = [1] * (4 - tensor.dim()) + list(tensor.shape)
    return b"".join(field(i, n) for i, n in enumerate(sizes, 1)) + numbers(tensor)


def new_blob(tensor: torch.Tensor) -> bytes:
    return field(7, field(1, b"".join(varint(n) for n in tensor.shape))) + numbers(tensor)


def old_layer(name: str, kind: int, rest: bytes = b"", *blobs: torch.Tensor) -> bytes:
    return field(2, field(4, name) + field(5, kind) + b"".join(field(6, old_blob(b)) for b in blobs) + rest)


def new_layer(name: str, kind: str, rest: bytes = b"", *blobs: torch.Tensor) -> bytes:
    return field(100, field(1, name) + field(2, kind) + b"".join(field(7, new_blob(b)) for b in blobs) + rest)


class Weights:
    def __init__(self) -> None:
        random = torch.Generator().manual_seed(1)
        self.conv = torch.randn(4, 2, 3, 3, generator=random)
        self.conv_bias = torch.randn(4, generator=random)
        self.full = torch.randn(5, 36, generator=random)
        self.full_bias = torch.randn(5, generator=random)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The network of both forms, up to its softmax."""
        x = F.relu(F.conv2d(x, self.conv.double(), self.conv_bias.double(), padding=1))
        x = F.local_response_norm(x, 5, alpha=0.002, beta=0.75, k=2.0)
        x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        return F.linear(x.flatten(1), self.full.double(), self.full_bias.double())


def older(w: Weights) -> bytes:
    return (
        field(1, "net")
        + b"".join(field(4, n) for n in (1, 2, 7, 7))
        + old_layer("conv1", 4, field(10, field(1, 4) + field(3, 1) + field(4, 3)), w.conv, w.conv_bias)
        + old_layer("relu1", 18)
        + old_layer("norm1", 15, field(18, field(1, 5) + field(2, 0.002) + field(3, 0.75) + field(5, 2.0)))
        + old_layer("pool1", 17, field(19, field(1, 0) + field(2, 3) + field(3, 2)))
        + old_layer("fc2", 14, field(17, field(1, 5)), w.full, w.full_bias)
        + old_layer("drop2", 6, field(12, field(1, 0.25)))
        + old_layer("prob", 20)
    )


def later(w: Weights) -> bytes:
    return (
        new_layer("data", "Input")
        + new_layer(
            "conv1",
            "Convolution",
            # of several values the last counts
            field(106, field(1, 4) + field(9, 9) + field(9, 1) + field(10, 1) + field(11, 3) + field(12, 3)),
            w.conv,
            w.conv_bias,
        )
        + new_layer("relu1", "ReLU")
        + new_layer("norm1", "LRN", field(118, field(2, 0.002) + field(5, 2.0)))
        + new_layer("pool1", "Pooling", field(121, field(2, 3) + field(3, 2)))
        + new_layer("fc2", "InnerProduct", field(117, field(1, 5)), w.full, w.full_bias)
        + new_layer("drop2", "Dropout", field(108, field(1, 0.25)))
        + new_layer("prob", "Softmax")
    )


def load(runtime: Runtime, path: Path, backend: str = "nn") -> None:
    runtime.execute(f"require 'loadcaffe' net = loadcaffe.load('none.prototxt', '{path}', '{backend}')")


NAMES = "names = {} for i, m in ipairs(net.modules) do names[i] = m.name end return table.concat(names, ' ')"


@pytest.mark.parametrize("form", ["older", "later"])
def test_a_network(form: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    w = Weights()
    path = tmp_path / "net.caffemodel"
    path.write_bytes(older(w) if form == "older" else later(w))
    with Runtime() as runtime:
        load(runtime, path)
        # a softmax of the later form is left out, with what follows
        softmax = " prob" if form == "older" else ""
        assert runtime.execute(NAMES) == f"conv1 relu1 norm1 pool1 torch_view fc2 drop2{softmax}"
        x = torch.randn(3, 2, 7, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
        runtime.globals["x"] = x
        runtime.execute("net:evaluate() y = net:forward(x)")
        expected = w.forward(x)
        if form == "older":
            expected = expected.softmax(1)
        torch.testing.assert_close(runtime.globals["y"], expected, rtol=1e-11, atol=1e-12)
        assert runtime.execute("return net.modules[7].p, net.modules[2].inplace") == (0.25, True)
    lines = capfd.readouterr().out.splitlines()
    warning = ["warning: module 'data [type Input]' not found"] if form == "later" else []
    assert lines == [f"Successfully loaded {path}", *warning, "conv1: 4 2 3 3", "fc2: 1 1 36 5"]


def test_groups_and_cudnn(tmp_path: Path) -> None:
    w = torch.randn(4, 1, 1, 1, generator=torch.Generator().manual_seed(3))
    settings = field(106, field(1, 4) + field(4, 1) + field(5, 2))
    path = tmp_path / "net.caffemodel"
    path.write_bytes(new_layer("conv", "Convolution", settings, w, torch.zeros(4)))
    with Runtime() as runtime, pytest.raises(LuaError, match="layer 'conv' has groups, which nn has not"):
        load(runtime, path)
    with Runtime(cuda_as="cpu") as runtime:
        load(runtime, path, "cudnn")
        assert runtime.execute(
            "return torch.type(net.modules[1]), net:type(), net.modules[1].nInputPlane"
        ) == (
            "cudnn.SpatialConvolution",
            "torch.CudaTensor",
            2,
        )
        runtime.execute("y = net:forward(torch.CudaTensor(1, 2, 1, 1):fill(1)):double():view(4)")
        torch.testing.assert_close(runtime.globals["y"], w.double().view(4), rtol=1e-6, atol=0)


def test_what_cannot_be_read(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.caffemodel"
    with Runtime() as runtime:
        load(runtime, path)
        assert runtime.execute("return net") is None
        assert capfd.readouterr().out == f"Couldn't load {path}\n"
        path.write_bytes(b"")
        with pytest.raises(LuaError, match=r"python:1: loadcaffe: .*net.caffemodel is empty"):
            load(runtime, path)
        whole = older(Weights())
        path.write_bytes(whole[:400])
        with pytest.raises(LuaError, match="loadcaffe: the Caffe model is cut off"):
            load(runtime, path)
        path.write_bytes(b"\xff" * 100)
        with pytest.raises(LuaError, match="loadcaffe: not a Caffe model"):
            load(runtime, path)
        path.write_bytes(old_layer("conv", 4, field(10, field(4, 1)), torch.ones(1, 1, 1, 1)))
        with pytest.raises(LuaError, match="layer 'conv' has no bias"):
            load(runtime, path)
        path.write_bytes(old_layer("conv", 4, field(10, field(4, 2)), torch.ones(1, 1, 1, 1), torch.ones(1)))
        with pytest.raises(LuaError, match="layer 'conv' has 1 weights where 4 are expected"):
            load(runtime, path)
        path.write_bytes(old_layer("pool", 17, field(19, field(12, 1))))
        with pytest.raises(LuaError, match="layer 'pool' pools over all of an image"):
            load(runtime, path)
        with pytest.raises(LuaError, match="there is no package ccn2"):
            load(runtime, path, "ccn2")
