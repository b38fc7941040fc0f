"""What the golden tests of both generations share."""

from __future__ import annotations

import copy
from typing import Any

from tests.golden_cases import Case
from tests.nn.test_golden_modules import run as run_case
from torch7py.bridge.runtime import Runtime

__all__ = ["run"]

FLOAT = 1e-5

# One element of these cases is 1e-4 to 4e-3 of the largest, the rest of a cancellation: in float it is known to 5e-5
# of what it is measured against, half a unit in the last place of the largest. (The recorded elements in float are up
# to 5e-5 away from those in double.)
CANCELLING = {
    "nn.Sequential():add(nn.SplitTable(1)):add(nn.Sequencer(nn.LSTM(4,5))):add(nn.JoinTable(1))": 5e-5,
    "nn.SeqLSTM(4,5)": 5e-5,
    "nn.SeqLSTMP(4,6,3)": 5e-5,
    "(function() local m=nn.SeqLSTM(4,5); m.maskzero=true; return m end)()": 5e-5,
    "nn.Inception{inputSize=2,kernelSize={3,5},kernelStride={1,1},outputSize={2,3},reduceSize={2,2,2,2},"
    "pool=nn.SpatialMaxPooling(3,3,1,1,1,1),batchNorm=false}": 5e-5,
}


# The gradient of this parameter, counted from 0, is 0 but for rounding: a bias before a batch normalization.
VANISHING = {
    "(function() nn.FastLSTM.usenngraph=true; nn.FastLSTM.bn=true; local m=nn.Sequencer(nn.FastLSTM(4,5)); "
    "nn.FastLSTM.usenngraph=false; nn.FastLSTM.bn=false; return m end)()": 1
}


def without_rounding(case: Case, number: int) -> None:
    """Let a gradient that is 0 but for rounding be 0: the recorded one, and ours if it is as small."""
    recorded = case.case = copy.deepcopy(case.case)
    for name in ("gradParams", "gradParams2"):
        entry = recorded[name]["list"][number]
        assert max(map(abs, entry["data"])) < 1e-14
        entry["data"] = [0.0] * len(entry["data"])
    case.vanishing = number


def run(runtime: Runtime, recorded: dict[str, Any]) -> None:
    """All that is recorded of a case."""
    expression = recorded["expr"]
    case = Case(runtime, recorded, single=CANCELLING.get(expression, FLOAT))
    if expression in VANISHING and runtime.state.generation != 2015:
        without_rounding(case, VANISHING[expression])
    run_case(case)
