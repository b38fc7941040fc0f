"""Half precision on the CPU: the numbers of single precision, rounded once; and layers that draw."""

from __future__ import annotations

import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError

LAYERS = """
nn.SpatialConvolution(3, 4, 3, 3, 2, 1, 1) | 2, 3, 6, 5
nn.SpatialFullConvolution(3, 2, 3, 3, 2, 2) | 2, 3, 4, 3
nn.VolumetricConvolution(2, 3, 2, 2, 2) | 2, 2, 3, 4, 3
nn.SpatialConvolutionMap(nn.tables.full(2, 3), 2, 2) | 2, 4, 5
nn.VolumetricAveragePooling(2, 2, 2) | 1, 2, 4, 4, 4
nn.UpSampling(2) | 1, 2, 2, 3, 2
""".strip().splitlines()


def test_convolutions_and_pooling_round_once() -> None:
    """The layer in float, on the same numbers, gives what is to be rounded."""
    with Runtime(cuda_as="cpu", seed=1) as runtime:
        runtime.execute("require 'cunn'")
        for line in LAYERS:
            made, sizes = line.split(" | ")
            found = runtime.execute(
                f"""
                local half = {made}:cudaHalf()
                local whole = half:clone():cuda()
                local x = torch.randn({sizes}):cudaHalf()
                local y = whole:forward(x:cuda())
                local g = torch.randn(y:size()):cudaHalf()
                local found, type = {{}}, nil
                for i, m in ipairs{{half, whole}} do
                   local type = m == half and 'torch.CudaHalfTensor' or 'torch.CudaTensor'
                   m:zeroGradParameters()
                   found[i] = {{m:forward(x:type(type)), m:backward(x:type(type), g:type(type)), m.gradWeight}}
                end
                return found
                """
            )
            for ours, single in zip(*found, strict=True):
                assert ours.dtype == torch.float16, line
                assert torch.equal(ours, single.half()), line


def test_layers_that_draw() -> None:
    with Runtime(cuda_as="cpu", seed=1) as runtime:
        kept, slopes, noise = runtime.execute(
            """
            require 'cunn'
            local x = torch.CudaHalfTensor(1000):fill(1)
            local r = nn.RReLU():cudaHalf()
            r:forward(x * -1)
            return nn.Dropout(0.25):cudaHalf():forward(x), r.noise, nn.WhiteNoise(0, 1):cudaHalf():forward(x * 0)
            """
        )
    assert set(kept.tolist()) == {0, torch.tensor(1 / 0.75).half().item()}
    assert 700 < (kept != 0).sum() < 800
    assert 1 / 8 <= slopes.min() < 0.15
    assert 0.3 < slopes.max() <= 1 / 3
    assert abs(noise.float().mean()) < 0.15
    assert 0.9 < noise.float().std() < 1.1


def test_half_tensors_of_torch7_draw_nothing() -> None:
    with Runtime() as runtime:
        for call in ("uniform()", "normal()", "bernoulli()", "random(3)", "geometric(0.5)"):
            with pytest.raises(LuaError, match=rf"torch\.HalfTensor has no {call.partition('(')[0]}"):
                runtime.execute(f"torch.HalfTensor(2):{call}")
