"""What a Torch7 module's output is overwritten with before gradients are taken at it: refused, or right."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch7py.translate.native.program import Native, translate_script
from torch7py.translate.verify_script import ScriptComparison, verify_script


def translated(source: str, folder: Path) -> tuple[Native, Path]:
    script = folder / "program.lua"
    script.write_text(source)
    return translate_script(source.encode(), str(script)), script


def equal(source: str, folder: Path) -> ScriptComparison:
    page, script = translated(source, folder)
    assert [f"{p.line}: {p}" for p in page.problems] == []
    return verify_script(page, script)


# A recurrent layer inside a recurrent one

NESTED = """require 'rnn'
torch.manualSeed(1)
local step = nn.Sequential()
   :add(nn.ParallelTable():add(nn.LookupTable(4, 3)):add(nn.Linear(3, 3)))
   :add(nn.CAddTable())
   :add(nn.Sigmoid())
{layers}
local model = nn.Sequencer(nn.Sequential():add({cell}):add(nn.Linear(3, 4)):add(nn.LogSoftMax()))
local criterion = nn.SequencerCriterion(nn.ClassNLLCriterion())
local inputs, targets = {{}}, {{}}
for t = 1, 3 do
   inputs[t] = torch.LongTensor{{1, 2}}
   targets[t] = torch.LongTensor{{t, 4}}
end
for turn = 1, 4 do
   model:zeroGradParameters()
   local outputs = model:forward(inputs)
   print(criterion:forward(outputs, targets))
   model:backward(inputs, criterion:backward(outputs, targets))
   model:updateParameters(0.5)
end
"""
RECURRENCE = "nn.Recurrence(step, 3, 0)"


@pytest.mark.parametrize("cell", ["nn.FastLSTM(3, 3)", "nn.GRU(3, 3)"])
def test_the_last_layer_of_a_recurrence_may_be_recurrent(cell, tmp_path):
    found = equal(NESTED.format(layers=f"step:add({cell})", cell=RECURRENCE), tmp_path)
    assert found.numbers == 4
    assert found.layers >= 8
    assert found.largest < 1e-12


@pytest.mark.parametrize("behind", ["nn.Linear(3, 3)", "nn.FastLSTM(3, 3)", "nn.Square()"])
def test_one_with_a_layer_behind_it_is_refused(behind, tmp_path):
    page, _ = translated(
        NESTED.format(layers=f"step:add(nn.FastLSTM(3, 3)):add({behind})", cell=RECURRENCE), tmp_path
    )
    assert {p.code for p in page.problems} == {"T7-229"}


@pytest.mark.parametrize("places", ["nn.FastLSTM(3, 3), nn.Linear(3, 3)", "nn.Identity(), nn.FastLSTM(3, 3)"])
def test_one_inside_recurrent_is_refused(places, tmp_path):
    program = NESTED.format(layers="", cell=f"nn.LookupTable(4, 3)):add(nn.Recurrent(3, {places})")
    page, _ = translated(program, tmp_path)
    assert "T7-229" in {p.code for p in page.problems}


# What is drawn while the packages are loaded is no program's


def test_a_program_that_seeds_before_its_packages(tmp_path):
    program = """torch.manualSeed(1)
require 'rnn'
print(torch.LongTensor(5):random(7):sum(), torch.random(3))
"""
    assert equal(program, tmp_path).numbers == 2
