"""Modules over whole sequences, and the criterions that go with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest
import torch

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.nn.activation import Tanh
from torch7py.nn.container import Sequential
from torch7py.nn.criterion import MSECriterion
from torch7py.nn.linear import Linear
from torch7py.nn.table_math import CAddTable
from torch7py.ops.errors import TorchError
from torch7py.rnn.bidirectional import BiSequencer, BiSequencerLM
from torch7py.rnn.criterion import RepeaterCriterion, SequencerCriterion
from torch7py.rnn.dropout import LazyDropout
from torch7py.rnn.fast_lstm import FastLSTM
from torch7py.rnn.gru import GRU
from torch7py.rnn.lstm import LSTM
from torch7py.rnn.recurrent import Recurrent
from torch7py.rnn.reverse import ReverseTable, SeqReverseSequence
from torch7py.rnn.sequencer import Repeater, Sequencer

STEPS, BATCH, SIZE = 4, 2, 3

KINDS: dict[str, Callable[[], Any]] = {
    "Linear": lambda: Sequencer(Linear(SIZE, SIZE)),
    "Recurrent": lambda: Sequencer(Recurrent(SIZE, Linear(SIZE, SIZE), Linear(SIZE, SIZE))),
    "LSTM": lambda: Sequencer(LSTM(SIZE, SIZE)),
    "layers between LSTMs": lambda: Sequencer(
        Sequential(FastLSTM(SIZE, 4), Tanh(), GRU(4, 4), Linear(4, SIZE))
    ),
    "both directions": lambda: BiSequencer(LSTM(SIZE, SIZE), GRU(SIZE, SIZE), CAddTable()),
    "both directions for a language": lambda: BiSequencerLM(GRU(SIZE, SIZE), LSTM(SIZE, SIZE), CAddTable()),
    "both directions of one kind": lambda: Sequential(
        BiSequencer(FastLSTM(SIZE, SIZE)), Sequencer(Linear(6, SIZE))
    ),
}
STACKED = [k for k in KINDS if "direction" not in k]


def sequence(seed: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return list(torch.randn(STEPS, BATCH, SIZE, dtype=torch.float64, generator=generator))


def passes(module: Any, input: Any, gradient: Any, scale: float = 1) -> list[torch.Tensor]:
    """Outputs, gradients of inputs and parameters by the protocol, each step's by itself."""
    module.zeroGradParameters()
    output = [o.clone() for o in module.updateOutput(input)]
    of_input = [g.clone() for g in module.backward(input, gradient, scale)]
    return [*output, *of_input, *(g.clone() for g in module.torch7_parameters()[1])]


def by_autograd(module: Any, input: list[torch.Tensor], gradient: list[torch.Tensor]) -> list[torch.Tensor]:
    leaves = [x.clone().requires_grad_() for x in input]
    output = module(leaves)
    total = sum((o * g).sum() for o, g in zip(output, gradient, strict=True))
    return [
        t.detach() for t in (*output, *torch.autograd.grad(total, [*leaves, *module.torch7_parameters()[0]]))
    ]


def assert_equal(found: list[torch.Tensor], expected: list[torch.Tensor], tolerance: float = 1e-11) -> None:
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=tolerance, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sequence_goes_back_as_autograd_does(kind: str) -> None:
    module, x, g = KINDS[kind](), sequence(1), sequence(2)
    expected = by_autograd(module, x, g)
    for _ in range(2):
        assert_equal(passes(module, x, g), expected)


@pytest.mark.parametrize("kind", STACKED)
def test_a_stacked_sequence_gives_the_same(kind: str) -> None:
    module, x, g = KINDS[kind](), sequence(1), sequence(2)
    expected = passes(module, x, g)
    found = passes(module, torch.stack(x), torch.stack(g))
    assert isinstance(module.output, torch.Tensor)
    assert isinstance(module.gradInput, torch.Tensor)
    assert_equal(found, expected, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_scale_multiplies_the_gradients_of_parameters(kind: str) -> None:
    module, x, g = KINDS[kind](), sequence(1), sequence(2)
    once, scaled = passes(module, x, g), passes(module, x, g, 0.25)
    assert_equal(scaled[: 2 * STEPS], once[: 2 * STEPS], 0)
    assert_equal(scaled[2 * STEPS :], [t * 0.25 for t in once[2 * STEPS :]])


@pytest.mark.parametrize("mode", ["both", "train", "eval", "neither"])
@pytest.mark.parametrize("training", [True, False])
def test_remember(mode: str, training: bool) -> None:
    """Two halves of a sequence are one where the memory is kept, and two where it is not."""
    module, x = Sequencer(GRU(SIZE, SIZE)), sequence(1)
    whole = [o.clone() for o in module.updateOutput(x)]
    if not training:
        module.set_evaluate()
    module.forget()
    module.remember(mode)
    assert module.hasMemory() == (mode == "both" or mode == ("train" if training else "eval"))
    first = [o.clone() for o in module.updateOutput(x[:2])]
    second = [o.clone() for o in module.updateOutput(x[2:])]
    assert_equal(first, whole[:2])
    if module.hasMemory():
        assert_equal(second, whole[2:])
    else:
        assert not torch.allclose(second[0], whole[2])


def test_remember_of_nothing_known_is_an_error(runtime: Runtime) -> None:
    runtime.execute("require 'rnn'")
    with pytest.raises(
        LuaError, match=r"python:1: nn\.Sequencer: remember: 'always' is none of both, train, eval, neither"
    ):
        runtime.execute("nn.Sequencer(nn.GRU(3, 3)):remember('always')")


def test_a_change_of_mode_forgets() -> None:
    module, x = Sequencer(GRU(SIZE, SIZE)).remember(), sequence(1)
    first = [o.clone() for o in module.updateOutput(x)]
    module.set_evaluate()
    assert_equal(module.updateOutput(x), first)
    module.set_training()
    assert_equal(module.updateOutput(x), first)


@pytest.mark.parametrize("kind", ["LSTM", "Recurrent", "Linear"])
def test_outputs_in_evaluation_are_tensors_of_their_own(kind: str) -> None:
    module, x = KINDS[kind](), sequence(1)
    trained = [o.clone() for o in module.updateOutput(x)]
    module.set_evaluate()
    outputs = list(module.updateOutput(x))
    assert len({o.data_ptr() for o in outputs}) == STEPS
    assert_equal(outputs, trained)


@pytest.mark.one_runtime
@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("s:forward(3)", "the input must be a table or a tensor of steps"),
        ("s:forward({})", "a sequence without steps"),
        ("s:backward({x, x}, {x})", "sequences of 2 and 1 steps"),
        ("s:backward({x, x}, torch.ones(2, 3))", "one of the two sequences is a tensor, the other a table"),
        ("s:backward({x, x}, {torch.ones(4), torch.ones(4)})", "gradOutput"),
        ("nn.Sequencer(3)", "expects a module"),
        ("nn.Repeater(nn.GRU(3, 3))", "'rho'"),
        ("nn.Repeater(nn.GRU(3, 3), 0)", "a number of steps, at least 1"),
        ("nn.Repeater(nn.GRU(3, 3), 2):backward(x, {x, x})", "has done 0 steps, not 2"),
        ("nn.BiSequencer(3)", "a module for each direction"),
        ("nn.BiSequencer(nn.GRU(3, 3), nn.GRU(3, 3), 'x')", "to merge with"),
        ("nn.BiSequencerLM(nn.GRU(3, 3)):forward{x}", "a table of at least 2 steps"),
        ("nn.BiSequencerLM(nn.GRU(3, 3)):backward({x, x}, {x, x})", "backward without a forward"),
        ("nn.SequencerCriterion(nn.Linear(3, 3))", "nn.SequencerCriterion expects a criterion"),
        ("nn.SequencerCriterion(nn.MSECriterion()):forward({x, x}, {x})", "sequences of 2 and 1 steps"),
        ("nn.RepeaterCriterion(nn.MSECriterion()):forward(3, x)", "a table or a tensor of steps"),
    ],
)
def test_errors(runtime: Runtime, call: str, message: str) -> None:
    runtime.execute("require 'rnn' x = torch.randn(3) s = nn.Sequencer(nn.GRU(3, 3)) s:forward{x, x}")
    with pytest.raises(LuaError, match=f"python:1: .*{message}"):
        runtime.execute(call)


def test_repeater_gives_one_input_again_and_again() -> None:
    gru = GRU(SIZE, SIZE)
    repeater, (x, *_), g = Repeater(gru, 3), sequence(1), sequence(2)[:3]
    leaf = x.clone().requires_grad_()
    outputs = gru([leaf] * 3)
    expected = torch.autograd.grad(
        sum((o * d).sum() for o, d in zip(outputs, g, strict=True)), [leaf, *gru.torch7_parameters()[0]]
    )
    assert_equal(repeater.updateOutput(x), [o.detach() for o in outputs])
    assert_equal([repeater.backward(x, g), *repeater.torch7_parameters()[1]], list(expected))
    assert repeater.get_field("rho") == repeater.get_field("nStep") == 3


def test_reverse_table() -> None:
    module, x = ReverseTable(), sequence(1)
    assert [t.data_ptr() for t in module.updateOutput(x)] == [t.data_ptr() for t in x[::-1]]
    assert [t.data_ptr() for t in module.updateGradInput(x, x[::-1])] == [t.data_ptr() for t in x]
    with pytest.raises(TorchError, match="expects a table"):
        module.updateOutput(x[0])


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_reverse_sequence(dim: int) -> None:
    module, x = SeqReverseSequence(dim), torch.arange(24.0, dtype=torch.float64).view(2, 3, 4)
    expected = numpy.flip(x.numpy(), dim - 1)
    numpy.testing.assert_array_equal(module.updateOutput(x).numpy(), expected)
    numpy.testing.assert_array_equal(
        module.updateGradInput(x, torch.tensor(expected.copy())).numpy(), x.numpy()
    )
    with pytest.raises(TorchError, match="gradOutput is 1x3x4, the input 2x3x4"):
        module.updateGradInput(x, x[:1])
    with pytest.raises(TorchError, match=f"the input has no dimension {dim}"):
        module.updateOutput(torch.ones([2] * (dim - 1), dtype=torch.float64))
    with pytest.raises(TorchError, match="dimension 4 is none of 1, 2, 3"):
        SeqReverseSequence(4)


def test_bidirectional_outputs_see_what_they_should() -> None:
    """Output t of a BiSequencerLM does not depend on input t; of a BiSequencer it does."""
    for cls, sees_itself in ((BiSequencer, True), (BiSequencerLM, False)):
        module, leaves = cls(GRU(SIZE, SIZE)), [x.requires_grad_() for x in sequence(1)]
        outputs = module(leaves)
        for t, output in enumerate(outputs):
            gradients = torch.autograd.grad(output.sum(), leaves, retain_graph=True, allow_unused=True)
            seen = [g is not None and bool(g.any()) for g in gradients]
            assert seen == [sees_itself or n != t for n in range(STEPS)]


def test_bidirectional_twins_are_drawn_anew(runtime: Runtime) -> None:
    runtime.execute("require 'rnn' m = nn.BiSequencer(nn.LSTM(3, 4))")
    forward, backward = (
        runtime.execute(f"return m.{side}Module:getParameters()[{{{{1, 9}}}}]")
        for side in ("forward", "backward")
    )
    assert not torch.equal(forward, backward)
    assert runtime.execute("return #m:findModules('nn.LSTM'), torch.type(m.mergeModule)") == (
        2,
        "nn.JoinTable",
    )


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("stacked", [False, True])
def test_sequencer_criterion_sums_over_steps(average: bool, stacked: bool) -> None:
    x, y = torch.stack(sequence(1)), torch.stack(sequence(2))
    criterion = SequencerCriterion(MSECriterion(), average)
    arguments = (x, y) if stacked else (list(x), list(y))
    leaf = x.clone().requires_grad_()
    losses = [torch.nn.functional.mse_loss(a, b) for a, b in zip(leaf, y, strict=True)]
    loss = torch.stack(losses).sum() / (STEPS if average else 1)
    assert abs(criterion.torch7_forward(*arguments) - loss.item()) < 1e-14
    gradient = criterion.backward(*arguments)
    assert isinstance(gradient, torch.Tensor) == stacked
    expected = torch.autograd.grad(loss, leaf)[0]
    assert_equal(list(gradient), list(expected))
    torch.testing.assert_close(criterion(*arguments), loss.detach(), rtol=1e-14, atol=0)


@pytest.mark.parametrize("stacked", [False, True])
def test_repeater_criterion_has_one_target(stacked: bool) -> None:
    x, y = torch.stack(sequence(1)), sequence(2)[0]
    criterion = RepeaterCriterion(MSECriterion())
    leaf = x.clone().requires_grad_()
    loss = torch.stack([torch.nn.functional.mse_loss(a, y) for a in leaf]).sum()
    input = x if stacked else list(x)
    assert abs(criterion.torch7_forward(input, y) - loss.item()) < 1e-14
    assert_equal(list(criterion.backward(input, y)), list(torch.autograd.grad(loss, leaf)[0]))


def test_nested_sequencers() -> None:
    """A Sequencer of Sequencers: a table of tables, each inner sequence from a forgotten memory."""
    inner = GRU(SIZE, SIZE)
    module = Sequencer(Sequencer(inner))
    x = [sequence(1), sequence(3)]
    outputs = module.updateOutput(x)
    for given, output in zip(x, outputs, strict=True):
        assert_equal(list(output), [o.detach() for o in inner(given)])


def test_clear_state_lets_go_and_the_module_goes_on() -> None:
    for kind, make in KINDS.items():
        module, x, g = make(), sequence(1), sequence(2)
        expected = passes(module, x, g)
        module.clearState()
        assert not len(module.output), kind
        assert_equal(passes(module, x, g), expected, 0)


def test_a_sequencer_in_training_gives_a_new_table_each_time(runtime: Runtime) -> None:
    runtime.execute(
        """
        require 'rnn'
        local seq = nn.Sequencer(nn.Linear(2, 2))
        local x, c = torch.randn(3, 2), nn.SequencerCriterion(nn.MSECriterion())
        local three = {x[1], x[2], x[3]}
        local long = seq:forward(three)
        local back = seq:backward(three, three)
        local of_loss = c:backward(three, long)
        local short = seq:forward{x[1], x[2]}
        seq:backward({x[1], x[2]}, {x[1], x[2]})
        c:backward({x[1]}, {x[1]})
        lengths = {#long, #back, #of_loss, #short, #seq.output}
        seq:evaluate()
        local first = seq:forward(three)
        same = rawequal(first, seq:forward(three))
        """
    )
    assert list(runtime.globals["lengths"]) == [3, 3, 3, 2, 2]
    assert runtime.globals["same"] is True


@pytest.mark.parametrize("scale", [1, 3])
def test_lazy_dropout_that_is_mono_serves_batches_of_other_sizes(scale: int) -> None:
    layer = LazyDropout(0.5, False, False, True, True)
    first = layer.updateOutput(torch.ones(4, 20, dtype=torch.float64)).clone()
    assert set(first.unique().tolist()) == {0, 2}
    assert torch.equal(first, first[:1].expand(4, 20))
    x = torch.ones(scale, 20, dtype=torch.float64)
    assert torch.equal(layer.updateOutput(x), first[:1].expand(scale, 20))
    assert torch.equal(layer.updateGradInput(x, x * 2), 2 * first[:1].expand(scale, 20))
    each = LazyDropout(0.5, False, False, True, False)
    each.updateOutput(x)
    with pytest.raises(TorchError, match="must be mono"):
        each.updateOutput(torch.ones(5, 20, dtype=torch.float64))


def test_the_tensors_of_the_steps_are_the_same_objects_in_the_next_sequence(runtime: Runtime) -> None:
    """As the outputs of the steps' clones were in the original; with a memory the steps are others."""
    found = runtime.execute(
        """
        require 'rnn'
        local m = nn.Sequencer(nn.Linear(2, 2))
        local function steps(n)
            local made = {}
            for t = 1, n do made[t] = torch.randn(3, 2) end
            return made
        end
        local x, g = steps(3), steps(3)
        local first = m:forward(x)
        local back = m:backward(x, g)
        local one, gradient = first[1], back[2]
        local kept = one:clone()
        x, g = steps(4), steps(4)
        local second = m:forward(x)
        local again = m:backward(x, g)
        local same = rawequal(second[1], one) and rawequal(again[2], gradient) and #second == 4 and #first == 3
        -- the rows of all steps at once and those of one: on some processors the last digit is another
        local error = (one - m.module.modules[1]:forward(x[1])):abs():max()
        local changed = (one - kept):abs():max() > 0 and error < 1e-14
        m:remember('both')
        m:forward(x)
        return same, changed, rawequal(m.output[1], one)
        """
    )
    assert found == (True, True, False)


ONCE = {
    "nn.Sequencer(nn.LSTM(3, 3))": "LSTM",
    "nn.Sequencer(nn.FastLSTM(3, 3))": "FastLSTM",
    "nn.Sequencer(nn.GRU(3, 3))": "GRU",
    "nn.Sequencer(nn.MuFuRu(3, 3))": "MuFuRu",
    "nn.Sequencer(nn.Linear(3, 3))": "Recursor",
    "nn.Sequencer(nn.Recurrent(3, nn.Linear(3, 3), nn.Linear(3, 3)))": "Recurrent",
    "nn.Sequencer(nn.Sequential():add(nn.LSTM(3, 3)):add(nn.Linear(3, 3)))": "Recursor",
    "nn.Sequencer(nn.LSTM(3, 3):maskZero(1))": "LSTM",
}


@pytest.mark.parametrize("layer", ONCE)
def test_a_sequence_goes_back_once(runtime, layer):
    """As in the original, where a second backward, or half of one, is an error; after another forward it is none."""
    found = runtime.execute(f"""
        require 'rnn'
        local m, x = {layer}, {{torch.rand(2, 3), torch.rand(2, 3), torch.rand(2, 3)}}
        local function tried(f, ...)
           local ok, message = pcall(f, m, x, x, ...)
           return ok and 'well' or message:match('backward without a forward of its step')
              or message:match('accGradParameters without the updateGradInput of its step') or message
        end
        m:forward(x)
        local found = {{tried(m.backward), tried(m.backward), tried(m.updateGradInput), tried(m.accGradParameters)}}
        m:forward(x)
        return {{found[1], found[2], found[3], found[4],
                 tried(m.updateGradInput), tried(m.updateGradInput), tried(m.accGradParameters), tried(m.backward)}}
    """)
    back = "backward without a forward of its step"
    half = "accGradParameters without the updateGradInput of its step"
    assert found == ["well", back, back, half, "well", back, "well", back]


def test_results_of_an_evaluation_stay_after_training(runtime):
    """An evaluation overwrites the last one's results, but not if a training came between."""
    shown = runtime.execute("""
        require 'rnn'
        local m = nn.Sequencer(nn.Linear(2, 2))
        local function results(mode, number)
           if mode == 'train' then m:training() else m:evaluate() end
           return m:forward{torch.Tensor{number, 1}, torch.Tensor{1, number}}
        end
        results('train', 1)
        local first = results('evaluate', 2)[1]
        local before = first:clone()
        local second = results('evaluate', 3)[1]
        local overwritten = first:dist(second) == 0 and first:dist(before) > 0
        before:copy(first)
        results('train', 4)
        results('evaluate', 5)
        return {overwritten, first:dist(before) == 0}
    """)
    assert shown == [True, True]
