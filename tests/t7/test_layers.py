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
from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.ops.errors import TorchError


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


ALL = supported("nn_modules", SPOILT) + supported("rnn_modules")
# Their graph is made by the layer itself and has no nodes of a script's, which is what a file holds.
UNSAVABLE = [case for case in ALL if "usenngraph=true" in case["expr"]]
MODULES = [case for case in ALL if case not in UNSAVABLE]


def run(case: Case) -> None:
    run_passes(case)
    if "output_eval" in case.case:
        run_evaluation(case)


@pytest.mark.parametrize("recorded", MODULES, ids=identify)
def test_a_module_saved_by_a_script(runtime: Runtime, recorded: dict[str, Any]) -> None:
    run(SavedCase(runtime, recorded))


@pytest.mark.parametrize("recorded", MODULES, ids=identify)
def test_a_module_saved_by_python(runtime: Runtime, recorded: dict[str, Any], tmp_path: Path) -> None:
    run(SavedByPython(runtime, recorded, tmp_path / "m.t7"))


@pytest.mark.parametrize("recorded", UNSAVABLE, ids=identify)
def test_a_graph_of_a_layers_own_is_not_saved_by_halves(
    runtime: Runtime, recorded: dict[str, Any], tmp_path: Path
) -> None:
    Case(runtime, recorded).make()
    with pytest.raises(LuaError, match=r"a graph that no script made .* cannot be saved yet"):
        runtime.execute("torch.serialize(m)")
    with pytest.raises(TorchError, match="cannot be saved yet"):
        torch7py.save(runtime.globals["m"], tmp_path / "m.t7")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("recorded", supported("nn_criterions"), ids=identify)
@pytest.mark.parametrize("by_python", [False, True], ids=["script", "python"])
def test_a_criterion(runtime: Runtime, recorded: dict[str, Any], by_python: bool, tmp_path: Path) -> None:
    case = SavedByPython(runtime, recorded, tmp_path / "m.t7") if by_python else SavedCase(runtime, recorded)
    case.make()
    assert case.get("torch.type(m)") == recorded["type"]
    case.give(input=value(recorded["input"]), target=value(recorded.get("target")))
    assert_close(case.get("(m:forward(input, target))"), recorded["output"], 1e-11, "loss")
    assert_close(case.get("m:backward(input, target)"), recorded["gradInput"], 1e-11, "gradInput")
