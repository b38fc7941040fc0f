"""What is kept of the steps of sequences: as much as in the original, and not more with every batch."""

from __future__ import annotations

import gc
import re
from pathlib import Path
from typing import Any

import pytest

from tests.alive import alive
from tests.golden_cases import load
from torch7py.bridge.runtime import Runtime

pytestmark = pytest.mark.one_lua

PROGRAM = (Path(__file__).parent / "programs" / "calls.lua").read_text()
CALLS: Any = load("calls_of_sequences")
NUMBER = re.compile(r"-?\d+\.\d+")
AT_ONCE = 20
TURNS = 6  # memory that Lua holds takes some time

RECURRENT_2015 = {
    "LSTM": "nn.Sequencer(nn.LSTM(3, 3))",
    "FastLSTM": "nn.Sequencer(nn.FastLSTM(3, 3))",
    "Recurrent": "nn.Sequencer(nn.Recurrent(3, nn.Linear(3, 3), nn.Linear(3, 3)))",
    "BiSequencer": "nn.BiSequencer(nn.FastLSTM(3, 3), nn.LSTM(3, 3), nn.CAddTable())",
    "BiSequencerLM": "nn.BiSequencerLM(nn.FastLSTM(3, 3), nn.LSTM(3, 3), nn.CAddTable())",
}
RECURRENT = RECURRENT_2015 | {
    "GRU": "nn.Sequencer(nn.GRU(3, 3))",
    "masked GRU": "nn.Sequencer(nn.GRU(3, 3):maskZero(1))",
    "trimmed LSTM": "nn.Sequencer(nn.LSTM(3, 3):trimZero(1))",
    "LSTM with dropout": "nn.Sequencer(nn.LSTM(3, 3, nil, nil, 0.3))",
    "FastLSTM as a graph": """(function() nn.FastLSTM.usenngraph = true local made = nn.Sequencer(nn.FastLSTM(3, 3))
        nn.FastLSTM.usenngraph = false return made end)()""",
    "MuFuRu": "nn.Sequencer(nn.MuFuRu(3, 3))",
    "Recursor": "nn.Sequencer(nn.Sequential():add(nn.Linear(3, 3)):add(nn.Tanh()))",
    "a stack": "nn.Sequencer(nn.Sequential():add(nn.LSTM(3, 3)):add(nn.GRU(3, 3)):add(nn.Linear(3, 3)))",
    "NormStabilizer": "nn.Sequencer(nn.Sequential():add(nn.GRU(3, 3)):add(nn.NormStabilizer()))",
    "Recurrence": """nn.Sequencer(nn.Recurrence(nn.Sequential():add(nn.ParallelTable():add(nn.Linear(3, 3))
        :add(nn.Linear(3, 3))):add(nn.CAddTable()):add(nn.Tanh()), 3, 1))""",
    "step by step": "nn.Sequencer(nn.Sequential():add(nn.Linear(3, 3)):add(nn.Add(3)):add(nn.Sampled()))",
    "Repeater": "nn.Repeater(nn.FastLSTM(3, 3), 3)",
    "RecurrentAttention": """nn.RecurrentAttention(
        nn.Recurrent(3, nn.Sequential():add(nn.ParallelTable():add(nn.Linear(3, 3)):add(nn.Linear(2, 3)))
            :add(nn.CAddTable()), nn.Linear(3, 3)),
        nn.Sequential():add(nn.Linear(3, 2)):add(nn.Tanh()), 3, {3})""",
    "SeqLSTM": "nn.SeqLSTM(3, 3)",
    "SeqLSTMP": "nn.SeqLSTMP(3, 4, 3)",
    "SeqGRU": "nn.SeqGRU(3, 3)",
}
CASES = [
    pytest.param(year, name) for year, names in ((2016, RECURRENT), (2015, RECURRENT_2015)) for name in names
]

SETUP = """
require 'rnn'
torch.manualSeed(1)
-- a layer of the program's own, which has each step done by itself
local Sampled = nn.Sampled and {} or torch.class('nn.Sampled', 'nn.Module')
function Sampled:updateOutput(input) self.output:resizeAs(input):copy(input) return self.output end
function Sampled:updateGradInput(input, gradOutput)
   self.gradInput:resizeAs(gradOutput):copy(gradOutput)
   return self.gradInput
end
m = EXPRESSION
m:zeroGradParameters()
local tensor, single = torch.type(m):find('Seq[LG]') ~= nil, torch.type(m):find('Rec') or torch.type(m):find('Repeater')
local one = torch.isTypeOf(m, 'nn.BiSequencerLM') and 2 or 1
local function sequence(steps)
   if tensor then return torch.randn(steps, 2, 3) end
   local made = {}
   for t = 1, steps do made[t] = torch.randn(2, 3) end
   return made
end
if m.remember then m:remember(MODE) end
local names = {'outputs', 'gradInputs', 'gradOutputs', '_gradOutputs', 'cells', 'gradCells', 'sharedClones', 'inputs'}
local function look()
   local found = {}
   for _, part in ipairs(m:listModules()) do
      if torch.isTypeOf(part, 'nn.AbstractRecurrent') then
         for _, name in ipairs(names) do
            local n = 0
            for step, value in pairs(part[name] or {}) do
               n = n + 1
               if name == 'sharedClones' then local _ = value.output, value.gradInput end
            end
            found[#found + 1] = part[name] and name .. ' ' .. n or nil
         end
      end
   end
   return table.concat(found, ', ')
end
function batch(number)
   local x = single and torch.randn(2, 3) or sequence(CHANGING and number % 3 + one or 3)
   m:forward(x)
   if m.train ~= false and number % 4 ~= 3 then
      m:backward(x, sequence(single and 3 or tensor and x:size(1) or #x))
      if UPDATED then m:updateParameters(0.001) m:zeroGradParameters() end
   end
   if LOOKED and number % 2 == 0 then look() end
   if FORGOTTEN and number % 6 == 5 then m:forget() end
   if EVALUATED and number % 12 == 5 then m:evaluate() end
   if EVALUATED and number % 12 == 11 then m:training() end
end
function batches(first, last)
   for number = first, last do batch(number) end
   collectgarbage()
   collectgarbage()
   return look()
end
"""

WAYS = {
    "remembered": {"MODE": "'both'"},
    "remembered and looked at": {"MODE": "'both'", "LOOKED": "true", "UPDATED": "true"},
    "not remembered, looked at": {"MODE": "'neither'", "LOOKED": "true"},
    "in training, evaluated": {"MODE": "'train'", "EVALUATED": "true", "UPDATED": "true"},
    "of changing lengths, forgotten": {"MODE": "'both'", "CHANGING": "true", "FORGOTTEN": "true"},
}
FLAGS = ("UPDATED", "LOOKED", "EVALUATED", "CHANGING", "FORGOTTEN")


def start(runtime: Runtime, name: str, way: str) -> None:
    text = SETUP.replace("EXPRESSION", RECURRENT[name])
    for word, value in (dict.fromkeys(FLAGS, "false") | WAYS[way]).items():
        text = re.sub(rf"\b{word}\b", value, text)
    runtime.execute(text)


def check(runtime: Runtime, name: str, way: str, batches: int) -> None:
    """Soon a number of batches, in which all that happens does so, leaves as many entries, tensors and modules.

    An nn.Recurrent of 2015 has more clones after its second evaluation than after its first.
    """
    gc.freeze()
    start(runtime, name, way)
    entries = runtime.execute(f"return batches(0, {batches - 1})")
    before = alive()
    for turn in range(1, TURNS):
        entries_before, entries = (
            entries,
            runtime.execute(f"return batches({turn * batches}, {(turn + 1) * batches - 1})"),
        )
        now = alive()
        grown, before = [b - a for a, b in zip(before, now, strict=True)], now
        if entries == entries_before and max(grown) <= 0:
            return
    raise AssertionError(
        f"{way}: with {batches} batches {entries_before} became {entries}, {grown} objects more"
    )


@pytest.fixture
def runtime(request: pytest.FixtureRequest) -> Any:
    fresh = Runtime(rnn_api=request.param)
    yield fresh
    fresh.close()
    gc.unfreeze()


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("runtime", "name"), CASES, indirect=["runtime"])
def test_nothing_grows(runtime: Runtime, name: str) -> None:
    """One of the ways for each module, by turns; the slow test has all."""
    check(runtime, name, list(WAYS)[list(RECURRENT).index(name) % len(WAYS)], 12)


@pytest.mark.slow
@pytest.mark.parametrize(("runtime", "name"), CASES, indirect=["runtime"])
def test_nothing_grows_in_a_thousand_batches(runtime: Runtime, name: str) -> None:
    for way in WAYS:
        check(runtime, name, way, 504)


def groups() -> list[tuple[int, list[str]]]:
    found = []
    for year, cases in CALLS.items():
        numbers = list(cases)
        found += [(int(year), numbers[i : i + AT_ONCE]) for i in range(0, len(numbers), AT_ONCE)]
    return found


@pytest.mark.parametrize(
    ("runtime", "numbers"),
    [
        pytest.param(year, numbers, id=f"{year} from {numbers[0]}", marks=[pytest.mark.slow] * bool(i % 8))
        for i, (year, numbers) in enumerate(groups())
    ],
    indirect=["runtime"],
)
def test_any_calls_give_what_they_gave(
    runtime: Runtime, numbers: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    year = "2015" if runtime.state.generation == 2015 else "2016"
    arguments = ", ".join(f"'{argument}'" for argument in (year, *numbers))
    runtime.execute(f"arg = {{{arguments}}}\n" + PROGRAM)
    ours: dict[str, list[str]] = {}
    for line in capfd.readouterr().out.splitlines():
        number, _, rest = line.rstrip().partition(" ")
        ours.setdefault(number, []).append(rest)
    for number in numbers:
        reference = CALLS[year][number]
        assert [NUMBER.sub("#", line) for line in ours[number]] == [
            NUMBER.sub("#", line) for line in reference
        ], number
        for found, recorded in zip(ours[number], reference, strict=True):
            for a, b in zip(NUMBER.findall(found), NUMBER.findall(recorded), strict=True):
                assert float(a) == pytest.approx(float(b), rel=2e-5, abs=2e-5), (number, found, recorded)
