"""Every golden case of the criterions there are."""

from __future__ import annotations

from typing import Any

import pytest

from tests.golden_cases import Case, assert_close, identify, supported, to_float, value
from torch7py.bridge.runtime import Runtime

DOUBLE, FLOAT = 1e-11, 1e-5


@pytest.mark.parametrize("recorded", supported("nn_criterions"), ids=identify)
def test_criterion(runtime: Runtime, recorded: dict[str, Any]) -> None:
    case = Case(runtime, recorded)
    case.make()
    assert case.get("torch.type(m)") == recorded["type"]
    case.give(input=value(recorded["input"]), target=value(recorded.get("target")))
    assert_close(case.get("(m:forward(input, target))"), recorded["output"], DOUBLE, "loss")
    assert_close(case.get("m:backward(input, target)"), recorded["gradInput"], DOUBLE, "gradInput")
    if "output_float" in recorded:
        case.make()
        case.runtime.execute("m:float()")
        case.give(input=to_float(value(recorded["input"])), target=to_float(value(recorded.get("target"))))
        assert_close(case.get("(m:forward(input, target))"), recorded["output_float"], FLOAT, "loss in float")
        gradient = case.get("m:backward(input, target)")
        assert_close(gradient, recorded["gradInput_float"], FLOAT, "gradInput in float")
