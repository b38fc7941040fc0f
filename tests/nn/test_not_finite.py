"""What every module makes of NaNs, infinities and numbers at the end of the range, in inputs and gradients.

``programs/not_finite.lua`` puts them there; what the original made of them stands in a golden file. Functions of each
element, wherever they are computed, are in ``test_not_a_number.py``.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.nn.program_on_every_class import compare, unexplained
from torch7py.bridge.runtime import Runtime

PARTS = re.compile(r":(-?[\d.e+-]+)\*([\d.e+-]+)")

# Where it is not the original's: why, and the modules with what stands there.
NOT_THE_SAME = {
    # The original adds up in another order, or multiplies by zeros: a NaN is an infinity, or the other way round.
    "Bilinear": "inf minf gradient_inf",
    "GRU MuFuRu SeqGRU": "gradient_inf",
    "WeightedEuclidean": "large",
    # The original makes a NaN of the limit.
    "LogSigmoid": "minf",
    # It multiplies rows of zeros where it here sets them to zero.
    "SeqLSTM": "gradient_nan gradient_inf",
    # Two numbers are so large that the logarithm of two is lost beside them.
    "LogSoftMax": "large",
}
SHORT = 30


def same(ours: str, theirs: str) -> bool:
    if PARTS.sub("#", ours) != PARTS.sub("#", theirs):
        return False
    pairs = zip(PARTS.findall(ours), PARTS.findall(theirs), strict=True)
    return all(
        float(a[0]) == pytest.approx(float(b[0]), rel=2e-3, abs=2e-3)
        and float(a[1]) == pytest.approx(float(b[1]), rel=5e-3)
        for a, b in pairs
    )


@pytest.mark.one_lua
@pytest.mark.parametrize("step", [SHORT, pytest.param(1, marks=pytest.mark.slow)])
def test_what_is_made_of_no_number(tmp_path: Path, capfd: pytest.CaptureFixture[str], step: int) -> None:
    compared = compare("not_finite", tmp_path, capfd, step=step, further=True)
    assert len(compared) > 2500 / step
    assert unexplained(compared, NOT_THE_SAME, same) == []


@pytest.mark.one_runtime
def test_a_window_of_nothing_else_has_no_place(runtime: Runtime) -> None:
    found = runtime.execute("""
        require 'nn'
        local planes, frames = torch.ones(1, 2, 4), torch.Tensor{{0 / 0}, {-1 / 0}, {1}, {2}}
        planes[1]:narrow(2, 1, 2):fill(0 / 0)
        local found = {}
        for i, case in ipairs{{nn.SpatialMaxPooling(2, 2), planes, torch.ones(1, 1, 2)},
                              {nn.TemporalMaxPooling(2), frames, torch.ones(2, 1)}} do
           local m, x, g = unpack(case)
           m:forward(x)
           found[i] = {m.output:view(-1):totable(), m.indices:view(-1):totable(), m:backward(x, g):view(-1):totable()}
        end
        return found
    """)
    # What nn 8726825 gave.
    least = -sys.float_info.max
    assert found == [[[least, 1], [0, 3], [0, 0, 1, 0, 0, 0, 0, 0]], [[least, 2], [-1, 1], [0, 0, 0, 1]]]


@pytest.mark.one_runtime
@pytest.mark.parametrize("layer", ["SpatialConvolutionMap", "SpatialFullConvolutionMap"])
def test_planes_that_are_not_connected_know_nothing_of_each_other(runtime: Runtime, layer: str) -> None:
    """A weight of 0 between two planes would make a NaN of what one of them has."""
    found = runtime.execute(f"""
        require 'nn'
        local m = nn.{layer}(torch.Tensor{{{{1, 2}}, {{2, 1}}, {{1, 2}}, {{3, 3}}}}, 2, 2)
        local x = torch.ones(3, 3, 3)
        x[1]:fill(0 / 0)
        local output = m:forward(x):clone()
        local g = output:clone():fill(1)
        g[1]:fill(1 / 0)
        m:zeroGradParameters()
        local found = {{}}
        for i, t in ipairs{{output, m:backward(x, g), m.gradWeight, m.gradBias}} do
           local sums = {{}}
           for j = 1, t:size(1) do sums[j] = math.abs(torch.sum(t:narrow(1, j, 1))) < math.huge end
           found[i] = sums
        end
        return found
    """)
    assert found == [
        [True, False, True],
        [True, False, True],
        [False, False, False, True],
        [False, True, True],
    ]
