"""Every golden case of the criterions there are."""

from __future__ import annotations

from typing import Any

import pytest

from tests.golden_cases import Case, identify, supported, to_float, value
from torch7py.bridge.runtime import Runtime


def run(case: Case) -> None:
    """All that is recorded of a case."""
    recorded = case.case
    case.make()
    assert case.get("torch.type(m)") == recorded["type"]
    case.give(input=value(recorded["input"]), target=value(recorded.get("target")))
    case.close(case.get("(m:forward(input, target))"), "output", "loss")
    case.close(case.get("m:backward(input, target)"), "gradInput", "gradInput")
    if "output_float" in recorded:
        case.make()
        case.runtime.execute("m:float()")
        case.give(input=to_float(value(recorded["input"])), target=to_float(value(recorded.get("target"))))
        case.close(case.get("(m:forward(input, target))"), "output_float", "loss in float")
        gradient = case.get("m:backward(input, target)")
        case.close(gradient, "gradInput_float", "gradInput in float")


@pytest.mark.one_runtime
@pytest.mark.parametrize("recorded", supported("nn_criterions"), ids=identify)
def test_criterion(runtime: Runtime, recorded: dict[str, Any]) -> None:
    run(Case(runtime, recorded))
