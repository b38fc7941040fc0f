"""The generation of rnn that a program was written for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.generation import LATER, OLDER, generation_of


@pytest.mark.parametrize(
    ("source", "generation"),
    [
        ("rnn:backwardThroughTime()", OLDER),
        ("model:get(1):backwardThroughTime(3)", OLDER),
        ("rnn:backward(x, g)", LATER),
        ("-- rnn:backwardThroughTime()", LATER),
        ("print('rnn:backwardThroughTime()')", LATER),
        ("function M:backwardThroughTime() end rnn:backwardThroughTime()", LATER),
        ("M.backwardThroughTime = function() end rnn:backwardThroughTime()", LATER),
        ("rnn:updateParameters(0.1)", LATER),
    ],
)
def test_one_file(tmp_path: Path, source: str, generation: int) -> None:
    script = tmp_path / "main.lua"
    script.write_text(source)
    assert generation_of(script) == generation


@pytest.mark.parametrize(
    "load", ["require 'train.step'", "dofile('train/step.lua')", "require('./train/step')"]
)
def test_a_file_that_is_named(tmp_path: Path, load: str) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "step.lua").write_text("rnn:backwardThroughTime()")
    script = tmp_path / "main.lua"
    script.write_text(load)
    assert generation_of(script) == OLDER


def test_the_runtime_chooses_once_and_says_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "main.lua"
    script.write_text("require 'rnn'\nlocal function later(r) r:backwardThroughTime() end\nrequire 'rnn'")
    with Runtime() as runtime:
        runtime.run(script)
        assert runtime.state.generation == OLDER
    assert capfd.readouterr().err.count("rnn as of 2015") == 1
    with Runtime(rnn_api=2016) as runtime:
        runtime.run(script)
        assert runtime.state.generation == LATER
    assert capfd.readouterr().err == ""
