"""Every golden case of the layers there are: values, gradients and texts as the original gave them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.golden_cases import Case, assert_close, identify, supported, to_float, value
from torch7py.bridge.runtime import Runtime


def parameters(case: Case, which: int) -> list[Any]:
    found = case.get(f"(select({which}, m:parameters()))")
    if not isinstance(found, list):
        return []
    if which == 2 and case.vanishing is not None:
        assert found[case.vanishing].abs().max() < 1e-14
        found[case.vanishing] = torch.zeros_like(found[case.vanishing])
    return found


def run_passes(case: Case) -> None:
    recorded = case.case
    case.make()
    assert case.get("torch.type(m)") == recorded["type"]
    if "tostring" in recorded:  # the original's FeatureLPPooling has none
        assert case.get("tostring(m)") == recorded["tostring"]
    if "initParams" in recorded:
        assert_close(parameters(case, 1), recorded["initParams"], 0, "initial parameters")
    case.give(input=value(recorded["input"]))
    case.seed(2000)
    case.runtime.execute("m:zeroGradParameters()")
    case.close(case.get("m:forward(input)"), "output", "output")
    if "gradOutput" not in recorded:  # a backward was an error, for want of a reward, say
        return
    case.give(g1=value(recorded["gradOutput"]), g2=value(recorded["gradOutput2"]))
    if "gradInput" in recorded:
        case.close(case.get("m:backward(input, g1)"), "gradInput", "gradInput")
    else:
        case.runtime.execute("m:backward(input, g1)")
    if "gradParams" in recorded:
        case.close(parameters(case, 2), "gradParams", "gradParams")

    case.runtime.execute("if m.forget then m:forget() end")
    case.give(input=value(recorded["input"]))  # an in-place layer has written into the first one
    case.seed(4000)
    case.close(case.get("m:forward(input)"), "output2", "second output")
    case.runtime.execute(f"gi = m:backward(input, g2, {recorded['scale2']})")
    if "gradInput2" in recorded:
        case.close(case.get("gi"), "gradInput2", "second gradInput")
    if "gradParams2" in recorded:
        case.close(parameters(case, 2), "gradParams2", "accumulated gradParams")
    for name, recorded_buffer in recorded.get("buffers", {}).get("dict", {}).items():
        assert_close(case.get(f"m.{name}"), recorded_buffer, case.double, name)


def run_evaluation(case: Case) -> None:
    case.give(input=value(case.case["input"]))
    if (
        "FractionalMaxPooling" in case.case["expr"]
    ):  # it draws in evaluation too, then after the second gradOutput
        case.seed(5000)
        drawn = case.get("torch.randn(m.output:size())")
        assert_close(drawn, case.case["gradOutput2"], 0, "the second gradOutput")
    case.runtime.execute("m:evaluate()")
    case.close(case.get("m:forward(input)"), "output_eval", "output in evaluation")


def run_float(case: Case) -> None:
    recorded = case.case
    case.make()
    case.runtime.execute("m:float()")
    case.give(input=to_float(value(recorded["input"])))
    case.seed(2000)
    case.runtime.execute("m:zeroGradParameters()")
    case.close(case.get("m:forward(input)"), "output_float", "output in float")
    if "gradOutput" not in recorded:
        return
    case.give(g1=to_float(value(recorded["gradOutput"])))
    case.runtime.execute("gi = m:backward(input, g1)")
    if "gradInput_float" in recorded:
        case.close(case.get("gi"), "gradInput_float", "gradInput in float")
    if "gradParams_float" in recorded:
        case.close(parameters(case, 2), "gradParams_float", "gradParams in float")


def run(case: Case) -> None:
    """All that is recorded of a case."""
    run_passes(case)
    if "output_eval" in case.case:
        run_evaluation(case)
    if "output_float" in case.case:
        run_float(case)


# The gradOutput of this case was recorded after the in-place backward had written into it; tests/nn/test_rectifier.py
# draws it anew.
SPOILT = {"nn.ELU(0.3,true)": "its recorded gradOutput is not the one that was used"}


@pytest.mark.one_runtime
@pytest.mark.parametrize("recorded", supported("nn_modules", SPOILT), ids=identify)
def test_module(runtime: Runtime, recorded: dict[str, Any]) -> None:
    run(Case(runtime, recorded))


IN_ONE_PIECE = [
    case
    for case in supported("nn_modules")
    if "Convolution" in case["expr"] and "RowConv" not in case["expr"]
]


@pytest.mark.one_runtime
@pytest.mark.parametrize("recorded", IN_ONE_PIECE, ids=identify)
def test_convolutions_give_tensors_that_view_takes(runtime: Runtime, recorded: dict[str, Any]) -> None:
    """Scripts look at an output or a gradInput as a vector, as in ``gradInput:view(-1)``."""
    case = Case(runtime, recorded)
    case.make()
    case.give(input=value(recorded["input"]), g1=value(recorded["gradOutput"]))
    assert case.get("m:forward(input):isContiguous()")
    if "gradInput" in recorded:
        assert case.get("m:updateGradInput(input, g1):isContiguous()")
