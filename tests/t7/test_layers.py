"""Layers that were saved and read again: they give what the original's layer gave, and go on training.

Every golden case runs on a layer that has gone through a file, written and read by a script or by Python.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import torch7py
from tests.golden_cases import Case, assert_close, identify, supported, value
from tests.nn.test_golden_modules import SPOILT, run_evaluation, run_passes
from tests.rnn.golden import VANISHING, without_rounding
from torch7py.bridge.runtime import Runtime


class SavedCase(Case):
    """A golden case of a layer that a script has saved and read again."""

    def make(self) -> None:
        super().make()
        self.runtime.execute("m = torch.deserialize(torch.serialize(m))")


class SavedByPython(Case):
    """A golden case of a layer that Python has saved and read again."""

    def __init__(self, runtime: Runtime, case: dict[str, Any], path: Path) -> None:
        super().__init__(runtime, case)
        self.path = path

    def make(self) -> None:
        super().make()
        torch7py.save(self.runtime.globals["m"], self.path)
        self.runtime.execute("m = nil collectgarbage()")
        self.runtime.globals["m"] = torch7py.load(self.path)


MODULES = supported("nn_modules", SPOILT) + supported("rnn_modules")


def run(case: Case) -> None:
    if case.case["expr"] in VANISHING:
        without_rounding(case, VANISHING[case.case["expr"]])
    run_passes(case)
    if "output_eval" in case.case:
        run_evaluation(case)


@pytest.mark.one_runtime
@pytest.mark.sampled(4)
@pytest.mark.parametrize("recorded", MODULES, ids=identify)
def test_a_module_saved_by_a_script(runtime: Runtime, recorded: dict[str, Any]) -> None:
    run(SavedCase(runtime, recorded))


@pytest.mark.one_runtime
@pytest.mark.parametrize(
    "recorded",
    [case if i % 3 == 0 else pytest.param(case, marks=pytest.mark.slow) for i, case in enumerate(MODULES)],
    ids=identify,
)
def test_a_module_saved_by_python(runtime: Runtime, recorded: dict[str, Any], tmp_path: Path) -> None:
    run(SavedByPython(runtime, recorded, tmp_path / "m.t7"))


@pytest.mark.one_runtime
@pytest.mark.parametrize("recorded", supported("nn_criterions"), ids=identify)
@pytest.mark.parametrize("by_python", [False, True], ids=["script", "python"])
def test_a_criterion(runtime: Runtime, recorded: dict[str, Any], by_python: bool, tmp_path: Path) -> None:
    case = SavedByPython(runtime, recorded, tmp_path / "m.t7") if by_python else SavedCase(runtime, recorded)
    case.make()
    assert case.get("torch.type(m)") == recorded["type"]
    case.give(input=value(recorded["input"]), target=value(recorded.get("target")))
    assert_close(case.get("(m:forward(input, target))"), recorded["output"], 1e-11, "loss")
    assert_close(case.get("m:backward(input, target)"), recorded["gradInput"], 1e-11, "gradInput")
