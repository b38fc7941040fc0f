"""Every golden case of the recurrent layers there are."""

from __future__ import annotations

from typing import Any

import pytest

from tests.golden_cases import Case, identify, supported
from tests.nn.test_golden_modules import run_evaluation, run_float, run_passes
from torch7py.bridge.runtime import Runtime

# Cases that need what later work brings, with what that is.
WAITING = {
    expression: reason
    for reason, expressions in {
        "nngraph": [
            "(function() nn.FastLSTM.usenngraph=true; local m=nn.Sequencer(nn.FastLSTM(4,5)); "
            "nn.FastLSTM.usenngraph=false; return m end)()",
            "(function() nn.FastLSTM.usenngraph=true; nn.FastLSTM.bn=true; local m=nn.Sequencer(nn.FastLSTM(4,5)); "
            "nn.FastLSTM.usenngraph=false; nn.FastLSTM.bn=false; return m end)()",
        ],
        "MaskZero": ["nn.Sequencer(nn.FastLSTM(4,5):maskZero(1))"],
    }.items()
    for expression in expressions
}


@pytest.mark.parametrize("recorded", supported("rnn_modules", WAITING), ids=identify)
def test_module(runtime: Runtime, recorded: dict[str, Any]) -> None:
    case = Case(runtime, recorded)
    run_passes(case)
    if "output_eval" in recorded:
        run_evaluation(case)
    if "output_float" in recorded:
        run_float(case)
