"""Every golden case of the recurrent layers there are."""

from __future__ import annotations

from typing import Any

import pytest

from tests.golden_cases import Case, identify, load, supported
from tests.nn.test_golden_modules import run_evaluation, run_float, run_passes
from torch7py.bridge.runtime import Runtime

# Cases that need what later work brings, with what that is.
WAITING = {
    case["expr"]: reason
    for reason, sign in {"nngraph": "usenngraph", "MaskZero": "maskZero("}.items()
    for case in load("rnn_modules")
    if sign in case["expr"]
}


@pytest.mark.parametrize("recorded", supported("rnn_modules", WAITING), ids=identify)
def test_module(runtime: Runtime, recorded: dict[str, Any]) -> None:
    case = Case(runtime, recorded)
    run_passes(case)
    if "output_eval" in recorded:
        run_evaluation(case)
    if "output_float" in recorded:
        run_float(case)
