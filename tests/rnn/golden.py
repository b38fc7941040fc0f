"""What the golden tests of both generations share."""

from __future__ import annotations

from typing import Any

from tests.golden_cases import Case, assert_close, to_float, value
from tests.nn.test_golden_modules import FLOAT, parameters, run_evaluation, run_passes

__all__ = ["WAITING", "run"]

# Cases that need what later work brings, with what that is.
WAITING = {
    expression: reason
    for reason, expressions in {
        "nngraph": [
            (
                "(function() nn.FastLSTM.usenngraph=true; local m=nn.Sequencer(nn.FastLSTM(4,5)); "
                "nn.FastLSTM.usenngraph=false; return m end)()"
            ),
            (
                "(function() nn.FastLSTM.usenngraph=true; nn.FastLSTM.bn=true; "
                "local m=nn.Sequencer(nn.FastLSTM(4,5)); "
                "nn.FastLSTM.usenngraph=false; nn.FastLSTM.bn=false; return m end)()"
            ),
        ],
        "MaskZero": ["nn.Sequencer(nn.FastLSTM(4,5):maskZero(1))"],
    }.items()
    for expression in expressions
}

# One output of this case is 1e-4 of the largest, the rest of a cancellation: in float it is known to 5e-5 of the
# 1e-3 that elements are measured against, half a unit in the last place of the largest.
CANCELLING = {
    "nn.Sequential():add(nn.SplitTable(1)):add(nn.Sequencer(nn.LSTM(4,5))):add(nn.JoinTable(1))": 5e-5
}


def run(case: Case) -> None:
    """All that is recorded of a case."""
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
