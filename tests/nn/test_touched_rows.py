"""What is known of a LookupTable's gradient changes no number: beside it runs a table of which nothing is known."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch

from torch7py.bridge.runtime import Runtime
from torch7py.nn import touched_rows

ROWS, COLUMNS = 200, 3


@pytest.fixture(autouse=True)
def of_small_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Book is kept of these small tables too."""
    monkeypatch.setattr(touched_rows, "WORTH", 0)


# What a program may do with the table `m`. `x` and `g` are an input and a gradient of its output, `keep` holds tensors.
STATEMENTS = [
    *["m:forward(x) m:backward(x, g)"] * 6,
    "m:forward(x) m:accGradParameters(x, g, -0.5)",
    "m:forward(x) m:accGradParameters(x, g, 0)",
    *["m:zeroGradParameters()"] * 5,
    *["m:updateParameters(0.1)"] * 5,
    "m:updateParameters(0)",
    "m:updateParameters(-0.1)",
    "m:updateParameters(math.huge)",
    "m.weight:mul(-1)",
    "m.weight[3]:zero():mul(-1)",
    "m:forward(x) m:accUpdateGradParameters(x, g, 0.1)",
    "m:double()",
    "m:float()",
    "m:clone():updateParameters(1)",
    "m = m:clone()",
    "outside()",
]
# The same for those that let somebody have the gradient: as often as all others together, the row would never be known.
SEEN = [
    "m.gradWeight:fill(2)",
    "m.gradWeight[5][1] = 7",
    "keep = m.gradWeight:narrow(1, 2, 5)",
    "keep = m.gradWeight:select(2, 1)",
    "keep = m.gradWeight:storage()",
    "local at = m.gradWeight keep = jit and {fill = function(_, value) at:data()[4] = value end}",
    "_, keep = m:getParameters()",
    "local _, found = m:parameters() keep = found[1]",
    "keep = torch.Tensor():type(m.gradWeight:type()):set(m.gradWeight)",
    "local other = m:clone() other:share(m, 'gradWeight') other:forward(x) other:accGradParameters(x, g)",
    "m.gradWeight = m.gradWeight:clone():fill(1)",
    "m:weightDecay(0.1)",
    "m:gradParamClip(0.01)",
]


def draw(number: int) -> list[str]:
    draws = random.Random(number)
    lines = []
    for _ in range(draws.randint(6, 30)):
        if draws.random() < 0.04:
            lines.append(draws.choice(SEEN))
        elif draws.random() < 0.1:
            lines.append("if keep then keep:fill(3) end")
        else:
            rows = [draws.randint(1, ROWS) for _ in range(draws.choice((1, 2, 5, 40)))]
            lines.append(
                f"x, g = torch.LongTensor{{{', '.join(map(str, rows))}}}, torch.randn({len(rows)}, {COLUMNS})"
            )
            lines.append("g = g:type(m.weight:type())")
            lines.append(draws.choice(STATEMENTS))
    return lines


def bits(tensor: torch.Tensor) -> list[int]:
    return (
        tensor.detach().view(torch.int64 if tensor.dtype == torch.float64 else torch.int32).flatten().tolist()
    )


def run(runtime: Runtime, lines: list[str], known: bool) -> list[list[int]]:
    """The weight and its gradient at the end, as bits."""
    program = [
        "require 'dpnn'",
        "torch.manualSeed(1)",
        "keep = nil",
        "x, g = torch.LongTensor{1, 4, 1}, torch.randn(3, 3)",
        f"m = nn.LookupTable({ROWS}, {COLUMNS})",
        "" if known else "m.gradWeight = m.gradWeight:clone()",
        *(f"do {line} end" for line in lines),
        "return m.weight, m.gradWeight",
    ]
    weight, gradient = runtime.execute("\n".join(program))
    return [bits(weight), bits(gradient)]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("first", range(0, 300, 100))
def test_numbers_are_those_of_the_whole_passes(first: int, monkeypatch: Any) -> None:
    counts = {True: 0, False: 0}
    is_known = touched_rows.TouchedRows.known

    def known(self: touched_rows.TouchedRows, buffer: torch.Tensor) -> bool:
        counts[is_known(self, buffer)] += 1
        return is_known(self, buffer)

    monkeypatch.setattr(touched_rows.TouchedRows, "known", known)

    def outside() -> None:
        """Code of a user's that writes past PyTorch's version counter."""
        module = runtime.globals["m"]
        module.weight.grad.data[11] = 4
        module.weight.grad.numpy()[12] = 5

    with Runtime() as runtime:
        runtime.globals["outside"] = outside
        for number in range(first, first + 100):
            lines = draw(number)
            assert run(runtime, lines, True) == run(runtime, lines, False), lines
    assert counts[True] > 50  # or little was tried


def test_whoever_gets_the_gradient_may_write_to_it() -> None:
    write = "if keep then keep:fill(3) end"
    before = ["m:zeroGradParameters()", "m:forward(x) m:backward(x, g)"]
    after = ["m:updateParameters(0.1)", "m:zeroGradParameters()"]
    with Runtime() as runtime:
        for seen in SEEN:
            for lines in ([*before, seen, write, *after], [seen, *before, write, *after]):
                assert run(runtime, lines, True) == run(runtime, lines, False), lines


TRAINING = """
require 'rnn'
local function train(m, criterion, x, y)
   for _ = 1, 6 do
      m:zeroGradParameters()
      criterion:forward(m:forward(x), y)
      m:backward(x, criterion:backward(m.output, y))
      m:updateParameters(0.1)
   end
end
local words, class = torch.LongTensor{{4, 9}, {9, 180}}, torch.Tensor{1, 2}
plain = nn.Sequential():add(nn.LookupTable(200, 3)):add(nn.Dropout())   -- no list of instructions has dropout
plain:add(nn.View(-1, 6)):add(nn.Linear(6, 2)):add(nn.LogSoftMax())
train(plain, nn.ClassNLLCriterion(), words, class)
recurrent = nn.Sequential():add(nn.LookupTable(200, 3)):add(nn.SplitTable(1))
recurrent:add(nn.Sequencer(nn.FastLSTM(3, 4))):add(nn.SelectTable(-1)):add(nn.Dropout()):add(nn.Linear(4, 2))
recurrent:add(nn.LogSoftMax())
train(recurrent, nn.ClassNLLCriterion(), words, class)
"""


def test_rows_are_known_in_a_training_that_does_not_look_at_gradients() -> None:
    with Runtime() as runtime:
        runtime.execute(TRAINING)
        for name in ("plain", "recurrent"):
            table = next(m for m in runtime.globals[name].modules() if m.torch7_name == "nn.LookupTable")
            (rows,) = table._gradients["weight"].torch7_rows.parts
            assert set(rows.tolist()) == {3, 8, 179}
