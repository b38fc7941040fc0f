"""What the golden tests of both generations share."""

from __future__ import annotations

import copy
from typing import Any

from tests.golden_cases import Case, assert_close, to_float, value
from tests.nn.test_golden_modules import FLOAT, parameters, run_evaluation, run_passes

__all__ = ["WAITING", "run"]

# Cases that need what later work brings, with what that is.
WAITING = {
    expression: reason
    for reason, expressions in {
        "MaskZero": ["nn.Sequencer(nn.FastLSTM(4,5):maskZero(1))"],
    }.items()
    for expression in expressions
}

# One output of this case is 1e-4 of the largest, the rest of a cancellation: in float it is known to 5e-5 of the
# 1e-3 that elements are measured against, half a unit in the last place of the largest.
CANCELLING = {
    "nn.Sequential():add(nn.SplitTable(1)):add(nn.Sequencer(nn.LSTM(4,5))):add(nn.JoinTable(1))": 5e-5
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


def run(case: Case) -> None:
    """All that is recorded of a case."""
    expression = case.case["expr"]
    if expression in VANISHING and case.runtime.state.rnn_generation != 2015:
        without_rounding(case, VANISHING[expression])
    run_passes(case)
    if "output_eval" in case.case:
        run_evaluation(case)
    if "output_float" in case.case:
        run_float(case)


def run_float(case: Case) -> None:
    recorded: dict[str, Any] = case.case
    tolerance = CANCELLING.get(recorded["expr"], FLOAT)
    case.make()
    case.runtime.execute("m:float()")
    case.give(input=to_float(value(recorded["input"])), g1=to_float(value(recorded["gradOutput"])))
    case.seed(2000)
    case.runtime.execute("m:zeroGradParameters()")
    assert_close(case.get("m:forward(input)"), recorded["output_float"], tolerance, "output in float")
    case.runtime.execute("gi = m:backward(input, g1)")
    if "gradInput_float" in recorded:
        assert_close(case.get("gi"), recorded["gradInput_float"], tolerance, "gradInput in float")
    if "gradParams_float" in recorded:
        assert_close(parameters(case, 2), recorded["gradParams_float"], tolerance, "gradParams in float")
