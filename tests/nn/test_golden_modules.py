"""Every golden case of the layers there are: values, gradients and texts as the original gave them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.golden_cases import Case, assert_close, identify, supported, to_float, value
from torch7py.bridge.runtime import Runtime

DOUBLE, FLOAT = 1e-11, 1e-5


def parameters(case: Case, which: int) -> list[Any]:
    found = case.get(f"(select({which}, m:parameters()))")
    return found if isinstance(found, list) else []


def run_passes(case: Case) -> None:
    recorded = case.case
    case.make()
    assert case.get("torch.type(m)") == recorded["type"]
    if "tostring" in recorded:  # the original's FeatureLPPooling has none
        assert case.get("tostring(m)") == recorded["tostring"]
    if "initParams" in recorded:
        assert_close(parameters(case, 1), recorded["initParams"], 0, "initial parameters")
    case.give(
        input=value(recorded["input"]), g1=value(recorded["gradOutput"]), g2=value(recorded["gradOutput2"])
    )

    case.seed(2000)
    case.runtime.execute("m:zeroGradParameters()")
    assert_close(case.get("m:forward(input)"), recorded["output"], DOUBLE, "output")
    if "gradInput" in recorded:
        assert_close(case.get("m:backward(input, g1)"), recorded["gradInput"], DOUBLE, "gradInput")
    else:
        case.runtime.execute("m:backward(input, g1)")
    if "gradParams" in recorded:
        assert_close(parameters(case, 2), recorded["gradParams"], DOUBLE, "gradParams")

    case.runtime.execute("if m.forget then m:forget() end")
    case.give(input=value(recorded["input"]))  # an in-place layer has written into the first one
    case.seed(4000)
    assert_close(case.get("m:forward(input)"), recorded["output2"], DOUBLE, "second output")
    case.runtime.execute(f"gi = m:backward(input, g2, {recorded['scale2']})")
    if "gradInput2" in recorded:
        assert_close(case.get("gi"), recorded["gradInput2"], DOUBLE, "second gradInput")
    if "gradParams2" in recorded:
        assert_close(parameters(case, 2), recorded["gradParams2"], DOUBLE, "accumulated gradParams")


def run_evaluation(case: Case) -> None:
    case.give(input=value(case.case["input"]))
    if (
        "FractionalMaxPooling" in case.case["expr"]
    ):  # it draws in evaluation too, then after the second gradOutput
        case.seed(5000)
        drawn = case.get("torch.randn(m.output:size())")
        assert_close(drawn, case.case["gradOutput2"], 0, "the second gradOutput")
    case.runtime.execute("m:evaluate()")
    assert_close(case.get("m:forward(input)"), case.case["output_eval"], DOUBLE, "output in evaluation")


def run_float(case: Case) -> None:
    recorded = case.case
    case.make()
    case.runtime.execute("m:float()")
    case.give(input=to_float(value(recorded["input"])), g1=to_float(value(recorded["gradOutput"])))
    case.seed(2000)
    case.runtime.execute("m:zeroGradParameters()")
    assert_close(case.get("m:forward(input)"), recorded["output_float"], FLOAT, "output in float")
    case.runtime.execute("gi = m:backward(input, g1)")
    if "gradInput_float" in recorded:
        assert_close(case.get("gi"), recorded["gradInput_float"], FLOAT, "gradInput in float")
    if "gradParams_float" in recorded:
        assert_close(parameters(case, 2), recorded["gradParams_float"], FLOAT, "gradParams in float")


# The gradOutput of this case was recorded after the in-place backward had written into it; tests/nn/test_rectifier.py
# draws it anew.
SPOILT = {"nn.ELU(0.3,true)": "its recorded gradOutput is not the one that was used"}


@pytest.mark.parametrize("recorded", supported("nn_modules", SPOILT), ids=identify)
def test_module(runtime: Runtime, recorded: dict[str, Any]) -> None:
    case = Case(runtime, recorded)
    run_passes(case)
    if "output_eval" in recorded:
        run_evaluation(case)
    if "output_float" in recorded:
        run_float(case)
