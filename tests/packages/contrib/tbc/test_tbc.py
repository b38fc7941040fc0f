"""tbc, beside nn's convolution along the time."""

from __future__ import annotations

import pytest

from tests.inner_runtime import lua
from torch7py.bridge.errors import LuaError


def test_tbc_is_a_convolution_with_the_time_first():
    assert (
        lua("""
        require 'tbc'
        local x, worst = torch.randn(6, 2, 4), 0
        local function differ(a, b) worst = math.max(worst, (a - b):abs():max()) end
        for pad = 0, 2 do
           local m, plain = nn.TemporalConvolutionTBC(4, 3, 3, pad), nn.TemporalConvolution(4, 3, 3)
           plain.weight:copy(m.weight:permute(3, 1, 2):contiguous():view(3, 12))
           plain.bias:copy(m.bias)
           local net = nn.Sequential():add(nn.Padding(2, -pad)):add(nn.Padding(2, pad)):add(plain)
           local batch_first = x:transpose(1, 2):contiguous()
           differ(m:forward(x), net:forward(batch_first):transpose(1, 2))
           local g = torch.randn(m.output:size())
           m:zeroGradParameters()
           net:zeroGradParameters()
           differ(m:backward(x, g, 2), net:backward(batch_first, g:transpose(1, 2):contiguous(), 2):transpose(1, 2))
           differ(m.gradWeight, plain.gradWeight:view(3, 3, 4):permute(2, 3, 1))
           differ(m.gradBias, plain.gradBias)
        end
        return worst
    """)
        < 1e-13
    )
    with pytest.raises(LuaError, match="is shorter than the window of 3"):
        lua("require 'tbc' nn.TemporalConvolutionTBC(4, 3, 3):forward(torch.ones(2, 2, 4))")
