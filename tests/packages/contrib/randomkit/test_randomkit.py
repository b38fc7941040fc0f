"""randomkit, beside NumPy's streams."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError


def lua(text: str) -> Any:
    with Runtime() as runtime:
        return runtime.execute("randomkit = require 'randomkit'\n" + text)


def test_the_streams_are_numpys():
    found = lua("""
        torch.manualSeed(11)
        local r = torch.FloatTensor(2, 2)
        local out = {randomkit.gauss(), randomkit.gamma(2, 3), randomkit.binomial(10, 0.3),
                     randomkit.chisquare(torch.Tensor {3, 4})[2]}
        out[#out + 1] = randomkit.uniform(r, -1, 1)[2][1]
        out[#out + 1] = randomkit.poisson(torch.Tensor(3), 5)[3]
        out[#out + 1] = randomkit.interval(9)
        return table.concat(out, ' ')
    """)
    stream = np.random.RandomState(11)
    wanted = [stream.standard_normal(), stream.gamma(2, 3), stream.binomial(10, 0.3)]
    wanted += [stream.chisquare([3, 4])[1], stream.uniform(-1, 1, (2, 2))[1, 0], stream.poisson(5, 3)[2]]
    assert [float(x) for x in found.split()[:-1]] == pytest.approx(wanted, rel=1e-6)
    assert found.split()[-1] == str(stream.randint(0, 10))


def test_the_stream_goes_with_torchs_state():
    assert lua("""
        torch.manualSeed(5)
        local plain = torch.getRNGState()
        randomkit.gauss()
        local state = torch.getRNGState()
        local a, b = randomkit.gauss(), torch.random()
        torch.setRNGState(state)
        local again = randomkit.gauss() == a and torch.random() == b
        local g = torch.Generator()
        torch.manualSeed(g, 3)
        torch.setRNGState(g, torch.getRNGState(g))
        torch.seed()
        return again and plain:nElement() == state:nElement()
    """)


def test_errors_of_draws():
    with pytest.raises(LuaError, match=r"randomkit\.gamma: shape < 0"):
        lua("randomkit.gamma(-1, 2)")
    with pytest.raises(LuaError, match=r"randomkit\.normal: expected .* 2 numbers"):
        lua("randomkit.normal(1)")
    assert math.isfinite(lua("return randomkit.normal(1, 2)"))
