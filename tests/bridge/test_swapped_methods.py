"""Methods that a script puts in the place of built-in ones for a while are called as often as in the original."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.golden_cases import GOLDEN
from torch7py.bridge.runtime import Runtime

SEEDS = 400
PROGRAM = Path(__file__).with_name("swapped_methods.lua")


@pytest.mark.parametrize(
    ("first", "last"), [(1, 40), pytest.param(41, SEEDS, marks=pytest.mark.slow)], ids=["some", "all"]
)
def test_what_is_called_and_computed_is_the_originals(
    first: int, last: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with Runtime() as runtime:
        runtime.run(PROGRAM, [str(first), str(last)])
    printed = [line.rstrip() for line in capfd.readouterr().out.splitlines()]
    recorded = gzip.decompress((GOLDEN / "swapped_methods.txt.gz").read_bytes()).decode().splitlines()
    assert printed == [line for line in recorded if first <= int(line.split("\t")[0]) <= last]


def test_a_layer_in_two_models_is_called_by_either(runtime: Runtime) -> None:
    """Which methods a layer's peer was told of by one model's call is no longer so after the other's."""
    counted = runtime.execute("""
        require 'nn'
        local layer, x, n = nn.Linear(2, 2), torch.ones(2), 0
        local inner = nn.Sequential():add(layer):add(nn.Abs())
        local outer = nn.Sequential():add(nn.Sequential():add(layer)):add(nn.Abs())
        local plain, counts = nn.Linear.updateOutput, {}
        local function call(model, is_swapped)
           n = 0
           if is_swapped then nn.Linear.updateOutput = function(...) n = n + 1 return plain(...) end end
           model:forward(x)
           nn.Linear.updateOutput = plain
           counts[#counts + 1] = n
        end
        call(outer, true) call(inner, true) call(outer, false) call(inner, true) call(inner, false) call(outer, true)
        return table.concat(counts, ' ')""")
    assert counted == "1 1 0 1 0 1"
