"""Models of Sequencers run in Lua as lists of instructions: the original's numbers, and what scripts see of a run.

``golden/random_sequences.txt.gz`` has what ``random_sequences.lua`` printed in the original.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from tests.random_programs import wrong_lines
from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.bridge.step_programs import is_of_use
from torch7py.nn.container import Sequential
from torch7py.nn.linear import Linear
from torch7py.nn.step_lines import survey
from torch7py.nn.step_program import Leaf, Unfit
from torch7py.rnn import onednn
from torch7py.rnn.criterion import SequencerCriterion
from torch7py.rnn.fast_lstm import FastLSTM
from torch7py.rnn.fused_sequence import FusedSequence
from torch7py.rnn.joint_lines import check_steps
from torch7py.rnn.sequencer import Sequencer

SEQUENCES = Path(__file__).parent / "random_sequences.lua"
AT_ONCE = 20
MODEL = """
    require 'rnn'
    torch.manualSeed(1)
    words, size, steps, rows = words or 9, 4, 3, 2
    table, lstm, linear = nn.LookupTable(words, size), nn.FastLSTM(size, size), nn.Linear(size, words)
    m = nn.Sequential():add(nn.Sequencer(table)):add(nn.Sequencer(lstm))
    m:add(nn.Sequencer(nn.Sequential():add(linear):add(nn.LogSoftMax())))
    c = nn.SequencerCriterion(nn.ClassNLLCriterion())
    x, t = {}, {}
    for s = 1, steps do x[s], t[s] = torch.LongTensor(rows):random(words), torch.LongTensor(rows):random(words) end
    function pass()
       local y = m:forward(x)
       local loss = c:forward(y, t)
       m:backward(x, c:backward(y, t))
       return loss
    end
"""


@pytest.mark.parametrize("first", [1])
def test_random_sequences_give_the_originals_numbers(
    first: int, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert wrong_lines(SEQUENCES, range(first, first + AT_ONCE), capfdbinary) == []


@pytest.mark.slow
@pytest.mark.parametrize("steps", ["1", "0"])
@pytest.mark.parametrize("first", range(21, 300, AT_ONCE))
def test_more_random_sequences(
    first: int, steps: str, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH7PY_SMALL_STEPS", steps)
    assert wrong_lines(SEQUENCES, range(first, first + AT_ONCE), capfdbinary) == []


@pytest.fixture
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        if runtime.engine == "lua51":
            pytest.skip("plain Lua reaches no memory; the random sequences run there too")
        runtime.execute(MODEL)
        yield runtime


def by_pytorch(runtime: Runtime) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """The loss of a pass and the gradients of the parameters, by autograd."""
    parameters = [p.detach().clone().requires_grad_() for p in runtime.globals["m"].parameters()]
    words, of_input, bias, of_output, weight, offset = parameters
    loss = torch.zeros((), dtype=words.dtype)
    h = c = torch.zeros(2, 4, dtype=words.dtype)
    for x, target in zip(*(runtime.execute(f"return unpack({name})") for name in "xt"), strict=True):
        gates = F.linear(words[x - 1], of_input, bias) + h @ of_output.t()
        i, g, f, o = gates.chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        loss = loss + F.cross_entropy(F.linear(h, weight, offset), target - 1)
    return loss.detach(), list(torch.autograd.grad(loss, parameters))


@pytest.mark.parametrize("type_name", ["double", "float"])
def test_a_training_goes_by_lists(rt: Runtime, type_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rt.execute(f"m:{type_name}() c:{type_name}() m:zeroGradParameters()")
    calls: list[str] = []
    for owner, name in ((FusedSequence, "compute"), (SequencerCriterion, "updateOutput")):
        monkeypatch.setattr(owner, name, lambda *_: calls.append("in Python"))
    expected, gradients = by_pytorch(rt)
    loss = rt.execute("return pass()")
    torch.testing.assert_close(torch.tensor(loss), expected, check_dtype=False)
    for parameter, gradient in zip(rt.globals["m"].parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)
    rt.execute("m:updateParameters(0.5)")
    after, _ = by_pytorch(rt)
    rt.execute("m:zeroGradParameters() loss = pass()")
    torch.testing.assert_close(torch.tensor(rt.globals["loss"]), after, check_dtype=False)
    assert after < expected
    assert calls == []


def test_a_simple_network_goes_by_lists(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    rt.execute(
        """
        start, feedback = nn.Add(size), nn.Linear(size, size)
        m = nn.Sequencer(nn.Recurrent(start, nn.LookupTable(words, size), feedback, nn.Tanh()))
        m:zeroGradParameters()
        """
    )
    monkeypatch.setattr(FusedSequence, "compute", None)
    parameters = [p.detach().clone().requires_grad_() for p in rt.globals["m"].parameters()]
    first, words, weight, bias = parameters
    loss, h = torch.zeros(()), first.new_zeros(0)
    for x in rt.execute("return unpack(x)"):
        h = torch.tanh(words[x - 1] + (h @ weight.t() + bias if len(h) else first))
        loss = loss + h.sum()
    gradients = torch.autograd.grad(loss, parameters)
    rt.execute(
        "y = m:forward(x) m:backward(x, {y[1]:clone():fill(1), y[2]:clone():fill(1), y[3]:clone():fill(1)})"
    )
    torch.testing.assert_close(rt.execute("return y[3]"), h.detach())
    for parameter, gradient in zip(rt.globals["m"].parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


def test_of_a_large_table_the_touched_rows_move(rt: Runtime) -> None:
    rt.execute("words = 200000 " + MODEL + "m:zeroGradParameters() pass() m:zeroGradParameters() pass()")
    table = rt.globals["table"].weight
    before, (_, gradients) = table.detach().clone(), by_pytorch(rt)
    rt.execute("m:updateParameters(0.5)")
    torch.testing.assert_close(table.detach(), before - 0.5 * gradients[0])
    rt.execute("m:zeroGradParameters()")
    assert not table.grad.any()


@pytest.mark.parametrize("name", ["x", "t"])
def test_words_that_change_before_the_way_back_are_looked_at(rt: Runtime, name: str) -> None:
    rt.execute("pass() y = m:forward(x) c:forward(y, t)")
    with pytest.raises(LuaError, match=r"index|range|target"):
        rt.execute(f"{name}[2]:fill(1000) m:backward(x, c:backward(y, t))")


def test_each_call_gives_a_new_table(rt: Runtime) -> None:
    """With the same tensors, as each step has its own."""
    rt.execute("one = m:forward(x) two = m:forward(x) same = one ~= two and one[1] == two[1]")
    assert rt.globals["same"]


def test_a_sequence_goes_back_once(rt: Runtime) -> None:
    rt.execute("pass() g = c.gradInput")
    with pytest.raises(LuaError, match="without a forward"):
        rt.execute("m:backward(x, g)")


def test_a_memory_that_is_kept_is_python_s(rt: Runtime) -> None:
    """And so is a state that a script sets."""
    module = rt.globals["m"].get(2)
    inputs = [torch.randn(2, 4, dtype=torch.float64) for _ in range(3)]
    assert survey(module, inputs) is not None
    module.remember("both")
    assert survey(module, inputs) is None
    module.remember("neither")
    rt.execute("lstm.userPrevOutput = torch.randn(2, 4)")
    assert survey(module, inputs) is None


def test_what_takes_long_in_float_is_left_to_onednn() -> None:
    def is_listed(size: int, dtype: torch.dtype) -> bool:
        model = Sequential(Sequencer(FastLSTM(size, size)), Sequencer(Linear(size, size)))
        model.torch7_float() if dtype is torch.float32 else model.torch7_double()
        program = survey(model, [torch.zeros(30, size, dtype=dtype) for _ in range(30)])
        return program is not None and is_of_use(program)

    assert is_listed(8, torch.float32)
    assert is_listed(8, torch.float64)
    if onednn.fits(torch.zeros(1)):
        assert not is_listed(128, torch.float32)


CRITERIONS = """
require 'rnn'
for _, name in ipairs{'MSE', 'Abs', 'SmoothL1', 'BCE', 'SoftMargin', 'CrossEntropy', 'ClassNLL', 'MultiMargin'} do
   local of_classes = name == 'CrossEntropy' or name == 'ClassNLL' or name == 'MultiMargin'
   for _, wrapped in ipairs{'alone', 'masked', 'summed'} do
      local one = nn[name .. 'Criterion']()
      if wrapped == 'masked' then one = nn.MaskZeroCriterion(one, 1) end
      if wrapped == 'summed' then one = nn.MultiCriterion():add(one, 0.5) end
      local all, steps, targets = nn.SequencerCriterion(one:clone()), {}, {}
      for t = 1, 3 do
         steps[t] = torch.rand(4, 3)
         targets[t] = of_classes and torch.Tensor{1, 2, 3, 1} or torch.rand(4, 3):gt(0.5):double()
      end
      for run = 1, 8 do
         local loss, gradients, sum = all:forward(steps, targets), all:backward(steps, targets), 0
         for t = 1, 3 do
            sum = sum + one:forward(steps[t], targets[t])
            local difference = (gradients[t] - one:backward(steps[t], targets[t])):abs():max()
            assert(difference < 1e-12, name .. ' ' .. wrapped)
         end
         assert(math.abs(loss - sum) < 1e-12, name .. ' ' .. wrapped)
      end
   end
end
"""


def test_any_criterion_over_steps_is_its_sum() -> None:
    """Those that lists have instructions for, and those that they leave to Python."""
    Runtime(seed=1).execute(CRITERIONS)


def test_steps_that_are_tables_have_no_list_of_instructions() -> None:
    tensor = Leaf(0, torch.ones(2))
    check_steps([tensor, tensor])
    for steps in ([[tensor], [tensor]], [tensor, [tensor]], [tensor, Leaf(1, torch.ones(3))]):
        with pytest.raises(Unfit):
            check_steps(steps)
