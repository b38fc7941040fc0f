"""Every golden case of the recurrent layers there are, in the interface of 2015."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.golden_cases import Case, assert_close, identify, supported, value
from tests.inner_runtime import InnerRuntime as Runtime
from tests.nn.test_golden_modules import parameters
from tests.rnn.golden import run

# nn's LogSoftMax of 2015 had a polynomial for exp, right to about 1e-6; a gradient may be a thousandth of the
# largest, which that error belongs to.
LOG_SOFT_MAX, ITS_GRADIENTS = 1e-5, 1e-4


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    fresh = Runtime(rnn_api=2015)
    yield fresh
    fresh.close()


@pytest.mark.parametrize("recorded", supported("rnn_modules_2015"), ids=identify)
def test_module(runtime: Runtime, recorded: dict[str, Any]) -> None:
    if "LogSoftMax" in recorded["expr"]:
        run_with_log_soft_max(Case(runtime, recorded))
        return
    run(runtime, recorded)


def run_with_log_soft_max(case: Case) -> None:
    recorded = case.case
    case.make()
    assert case.get("tostring(m)") == recorded["tostring"]
    assert_close(parameters(case, 1), recorded["initParams"], 0, "initial parameters")
    case.give(
        input=value(recorded["input"]), g1=value(recorded["gradOutput"]), g2=value(recorded["gradOutput2"])
    )
    case.runtime.execute("m:zeroGradParameters()")
    assert_close(case.get("m:forward(input)"), recorded["output"], LOG_SOFT_MAX, "output")
    case.runtime.execute("m:backward(input, g1)")
    assert_close(parameters(case, 2), recorded["gradParams"], ITS_GRADIENTS, "gradParams")
    case.runtime.execute("m:forget()")
    assert_close(case.get("m:forward(input)"), recorded["output2"], LOG_SOFT_MAX, "second output")
    case.runtime.execute(f"m:backward(input, g2, {recorded['scale2']})")
    assert_close(parameters(case, 2), recorded["gradParams2"], ITS_GRADIENTS, "accumulated gradParams")
    case.runtime.execute("m:evaluate()")
    assert_close(case.get("m:forward(input)"), recorded["output_eval"], LOG_SOFT_MAX, "output in evaluation")
