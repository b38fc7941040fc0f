"""What scripts find that look into recurrent modules: the outputs of gates and layers in the clones for steps.

``programs/inside_steps.lua`` looks; what it found in the original stands in a golden file.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.golden_cases import GOLDEN
from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime

pytestmark = pytest.mark.one_lua

PROGRAM = Path(__file__).parent / "programs" / "inside_steps.lua"


@pytest.mark.parametrize("names", [["GRU"], pytest.param([], marks=pytest.mark.slow)], ids=["some", "all"])
def test_what_parts_of_steps_show(names: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    printed = gzip.decompress((GOLDEN / "inside_steps.txt.gz").read_bytes()).decode().splitlines()
    theirs = [line for line in printed if not names or line.partition("\t")[0] in names]
    with Runtime() as runtime:
        runtime.run(PROGRAM, names)
    ours = capfd.readouterr().out.splitlines()
    assert len(ours) == len(theirs)

    def close(one: str, other: str) -> bool:
        pairs = zip(one.split("\t"), other.split("\t"), strict=True)
        return all(a == b or _near(a, b) for a, b in pairs)

    wrong = [
        f"{one}, originally {other}" for one, other in zip(ours, theirs, strict=True) if not close(one, other)
    ]
    assert wrong == []


def _near(one: str, other: str) -> bool:
    """Whether two digests have the same sizes, and numbers that differ by what is rounded."""
    (size, _, number), (size_of_other, _, number_of_other) = one.partition(":"), other.partition(":")
    return bool(number) and size == size_of_other and abs(float(number) - float(number_of_other)) < 2e-5


@pytest.mark.parametrize("wrap", ["nn.Sequencer(cell)", "cell"])
def test_what_is_not_known_any_more_is_an_error(runtime: Runtime, wrap: str) -> None:
    """After an update it is not known what a Linear inside gave."""
    runtime.execute(f"""
        require 'rnn'
        cell = nn.FastLSTM(3, 2)
        m = {wrap}
        local x = torch.randn(2, 3)
        m:forward(m == cell and x or {{x, x}})
        m:updateParameters(0)
        assert(cell.i2g.output:nElement() > 0)
        m:forget()
        m:forward(m == cell and x or {{x, x}})
        cell.i2g.weight:add(1)
    """)
    with pytest.raises(LuaError, match="not known any more, for parameters have changed since"):
        runtime.execute("return cell.i2g.output:nElement()")
    assert runtime.execute("return cell.o2g.weight:nElement()") == 16


def test_whoever_goes_through_the_fields_meets_none_that_is_not_known(runtime: Runtime) -> None:
    """Programs empty the results of every module before they save it, and dpnn's Serial looks for modules."""
    before, after, saved = runtime.execute("""
        require 'rnn'
        require 'dpnn'
        local m = nn.Sequential():add(nn.Sequencer(nn.FastLSTM(3, 2))):add(nn.Sequencer(nn.LSTM(2, 2)))
        local x = torch.randn(2, 3)
        m:backward({x, x}, m:forward({x, x}))
        m:updateParameters(0.1)
        local before = m:forward({x, x})[2]:clone()
        for _, part in ipairs(m:listModules()) do
           for name, value in pairs(part) do
              if name == 'output' and torch.isTensor(value) then part[name] = value.new() end
           end
        end
        m:updateParameters(0)
        local saved = torch.deserialize(torch.serialize(m:Serial():mediumSerial()))
        return before:totable(), m:forward({x, x})[2]:totable(), saved:forward({x, x})[2]:totable()
    """)
    assert after == [pytest.approx(row) for row in before]
    assert saved == [pytest.approx(row) for row in before]


def test_what_ran_on_memory_that_has_other_sizes_now_is_not_known(runtime: Runtime) -> None:
    """The steps of a batch of 3 have run on tensors that evaluation has filled with 2 rows."""
    runtime.execute("""
        require 'rnn'
        cell = nn.FastLSTM(2, 2)
        m = nn.Repeater(nn.Recursor(nn.Sequential():add(cell):add(nn.Linear(2, 2))), 3)
        local x = torch.randn(3, 2)
        m:backward(x, m:forward(x))
        m:evaluate()
        m:forward(x)
        m:forward(torch.randn(2, 2))
        m:training()
        m:forget()
        for _, part in ipairs(m:listModules()) do
           for name, value in pairs(part) do count = (count or 0) + 1 end
        end
    """)
    assert runtime.globals["count"] > 100
