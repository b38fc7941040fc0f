"""The interface of 2015: a backward records, backwardThroughTime goes back, updateParameters does when nobody did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError
from torch7py.nn.container import Sequential
from torch7py.nn.linear import Linear
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.rnn.fast_lstm import FastLSTM
from torch7py.rnn.gru import GRU
from torch7py.rnn.lstm import LSTM
from torch7py.rnn.recurrent import Recurrent, Recursor
from torch7py.rnn.sequencer import Repeater, Sequencer

STEPS, BATCH, SIZE = 4, 2, 3

KINDS: dict[str, Callable[[], Any]] = {
    "Recurrent": lambda: Recurrent(SIZE, Linear(SIZE, SIZE), Linear(SIZE, SIZE)),
    "LSTM": lambda: LSTM(SIZE, SIZE),
    "FastLSTM": lambda: FastLSTM(SIZE, SIZE),
    "GRU": lambda: GRU(SIZE, SIZE),
    "Recursor": lambda: Recursor(Linear(SIZE, SIZE)),
}


@pytest.fixture(autouse=True)
def year_2015() -> Iterator[None]:
    with state.use(state.State(generation=2015)), torch.no_grad():
        yield


def runtime_of(year: int) -> Runtime:
    runtime = Runtime(rnn_api=year)
    runtime.execute("require 'rnn' x, g = torch.randn(2, 3), torch.ones(2, 3)")
    return runtime


def sequence(seed: int, steps: int = STEPS) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return list(torch.randn(steps, BATCH, SIZE, dtype=torch.float64, generator=generator))


def by_autograd(module: Any, input: list[torch.Tensor], gradient: list[torch.Tensor]) -> list[torch.Tensor]:
    """Gradients of inputs and parameters."""
    with torch.enable_grad():
        leaves = [x.clone().requires_grad_() for x in input]
        total = sum((o * g).sum() for o, g in zip(module(leaves), gradient, strict=True))
        return list(torch.autograd.grad(total, [*leaves, *module.torch7_parameters()[0]]))


def record(module: Any, input: list[torch.Tensor], gradient: list[torch.Tensor], scale: float = 1) -> None:
    """The loop of the post: forward and backward of each step."""
    for x, g in zip(input, gradient, strict=True):
        module.updateOutput(x)
        module.backward(x, g, scale)


def assert_equal(found: Any, expected: Any) -> None:
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_a_backward_only_records(kind: str) -> None:
    module, (x, *_), (g, *_) = KINDS[kind](), sequence(1), sequence(2)
    given = g.clone()
    module.updateOutput(x)
    assert module.updateGradInput(x, given) is None
    returned = module.backward(x, given, 0.5)
    assert returned.numel() == 0
    given.zero_()
    torch.testing.assert_close(module.gradOutputs[1], g, rtol=0, atol=0)
    assert module.scales[1] == 0.5
    assert not any(buffer.any() for buffer in module.torch7_parameters()[1])
    assert module.step == 2


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_backward_through_time_is_the_gradient_of_the_sequence(kind: str, fast: bool) -> None:
    module, x, g = KINDS[kind](), sequence(1), sequence(2)
    module.set_field("fastBackward", fast)
    expected = by_autograd(module, x, g)
    for _ in range(2):
        module.zeroGradParameters()
        record(module, x, g)
        first = module.backwardThroughTime()
        torch.testing.assert_close(first, expected[0], rtol=1e-11, atol=1e-13)
        assert_equal([module.gradInputs[n] for n in range(1, STEPS + 1)], expected[:STEPS])
        assert_equal(module.torch7_parameters()[1], expected[STEPS:])
        assert module.step == STEPS + 1
        module.forget()
        assert module.step == 1


@pytest.mark.parametrize("kind", KINDS)
def test_inputs_are_copies(kind: str) -> None:
    """A step's input may be overwritten once its forward is done."""
    module, x, g = KINDS[kind](), sequence(1), sequence(2)
    expected = by_autograd(module, x, g)
    buffer = torch.empty_like(x[0])
    for step in range(STEPS):
        module.updateOutput(buffer.copy_(x[step]))
        module.backward(buffer, g[step])
    module.backwardThroughTime()
    assert_equal(module.torch7_parameters()[1], expected[STEPS:])


@pytest.mark.parametrize("kind", KINDS)
def test_scales_belong_to_their_steps(kind: str) -> None:
    module, x, g = KINDS[kind](), sequence(1), sequence(2)
    expected = by_autograd(module, x, g)
    record(module, x, g, 0.25)
    module.backwardThroughTime()
    assert_equal(module.gradInputs.values(), expected[:STEPS])
    assert_equal(module.torch7_parameters()[1], [t * 0.25 for t in expected[STEPS:]])


def test_rho_truncates() -> None:
    """Six steps with rho = 4: what the last four contribute, from an output of step 2 that is taken as given."""
    module = Recurrent(SIZE, Linear(SIZE, SIZE), Linear(SIZE, SIZE), None, 4)
    x, g = sequence(1, 6), sequence(2, 6)
    with torch.enable_grad():
        before = module(x)[1].detach()
        total: Any = 0
        for step in range(2, 6):
            before = module.step_module([x[step], before])
            total = total + (before * g[step]).sum()
        expected = torch.autograd.grad(total, module.torch7_parameters()[0], allow_unused=True)
    record(module, x, g)
    module.backwardThroughTime()
    assert len(module.gradInputs) == 4
    start, *others = module.torch7_parameters()[1]
    assert expected[0] is None
    assert not start.any()
    assert_equal(others, expected[1:])


def test_default_rho() -> None:
    assert KINDS["Recurrent"]().rho == 5
    assert KINDS["LSTM"]().rho == KINDS["FastLSTM"]().rho == 9999
    with state.use(state.State(generation=2016)):
        assert KINDS["Recurrent"]().rho == 99999
        assert KINDS["LSTM"]().rho == KINDS["FastLSTM"]().rho == 9999


@pytest.mark.parametrize("kind", KINDS)
def test_update_parameters_goes_back_itself_when_nobody_did(kind: str) -> None:
    module, x, g = KINDS[kind](), sequence(1), sequence(2)
    gradients = by_autograd(module, x, g)[STEPS:]
    expected = [p.detach() - 0.1 * d for p, d in zip(module.torch7_parameters()[0], gradients, strict=True)]
    record(module, x, g)
    module.updateParameters(0.1)
    parameters, buffers = module.torch7_parameters()
    assert_equal([p.detach() for p in parameters], expected)
    assert not any(buffer.any() for buffer in buffers)


@pytest.mark.parametrize("kind", KINDS)
def test_update_parameters_after_going_back(kind: str) -> None:
    module, x, g = KINDS[kind](), sequence(1), sequence(2)
    gradients = by_autograd(module, x, g)[STEPS:]
    expected = [p.detach() - 0.1 * d for p, d in zip(module.torch7_parameters()[0], gradients, strict=True)]
    record(module, x, g)
    module.backwardThroughTime()
    module.updateParameters(0.1)
    assert_equal([p.detach() for p in module.torch7_parameters()[0]], expected)


def test_what_is_done_to_the_gradients_in_between_counts_for_recurrent_only() -> None:
    """The original's LSTM went back once more, past the buffers: clipping them had no effect."""
    x, g = sequence(1), sequence(2)
    for kind, counts in (("Recurrent", True), ("LSTM", False), ("FastLSTM", False)):
        module = KINDS[kind]()
        before = [p.detach().clone() for p in module.torch7_parameters()[0]]
        record(module, x, g)
        module.backwardThroughTime()
        module.zeroGradParameters()
        module.updateParameters(0.1)
        moved = any(not torch.equal(p, b) for p, b in zip(module.torch7_parameters()[0], before, strict=True))
        assert moved == (not counts), kind


@pytest.mark.parametrize("goes_back", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_a_container_passes_the_calls_on(kind: str, goes_back: bool) -> None:
    module, x, g = Sequential(KINDS[kind](), Linear(SIZE, 2)), sequence(1), sequence(2)
    inner, linear = module.child_list()
    back = [d[:, :2] for d in g]
    expected = by_autograd(inner, x, [d @ linear.weight for d in back])[STEPS:]
    before = [p.detach().clone() for p in inner.torch7_parameters()[0]]
    record(module, x, back)
    if goes_back:
        assert module.backwardThroughTime() is None
        assert_equal(inner.torch7_parameters()[1], expected)
    module.updateParameters(0.1)
    moved = [p.detach() for p in inner.torch7_parameters()[0]]
    assert_equal(moved, [p - 0.1 * d for p, d in zip(before, expected, strict=True)])


def test_without_a_forward_or_a_backward_going_back_is_an_error() -> None:
    module, (x, *_), (g, *_) = KINDS["LSTM"](), sequence(1), sequence(2)
    with pytest.raises(TorchError, match="without a forward"):
        module.backwardThroughTime()
    with pytest.raises(TorchError, match="without a forward"):
        module.updateParameters(0.1)
    with pytest.raises(TorchError, match="without a forward"):
        module.backward(x, g)
    module.updateOutput(x)
    module.backward(x, g)
    module.updateOutput(x)
    with pytest.raises(TorchError, match="step 2, which had no backward"):
        module.backwardThroughTime()
    module.backward(x, torch.ones(BATCH, SIZE + 1, dtype=torch.float64))
    with pytest.raises(TorchError, match="gradOutput is 2x4, the output 2x3"):
        module.backwardThroughTime()


@pytest.mark.parametrize("kind", KINDS)
def test_sequencer(kind: str) -> None:
    """The gradients of a sequence; the parameters move once by the buffers."""
    inner, x, g = KINDS[kind](), sequence(1), sequence(2)
    module = Sequencer(inner)
    expected = by_autograd(inner, x, g)
    for _ in range(2):
        module.zeroGradParameters()
        module.updateOutput(x)
        assert_equal(module.backward(x, g), expected[:STEPS])
        assert_equal(module.torch7_parameters()[1], expected[STEPS:])
    assert module.backwardThroughTime() is None
    assert_equal(module.torch7_parameters()[1], expected[STEPS:])
    before = [p.detach().clone() for p in module.torch7_parameters()[0]]
    module.updateParameters(0.1)
    moved = [p.detach() for p in module.torch7_parameters()[0]]
    assert_equal(moved, [p - 0.1 * d for p, d in zip(before, expected[STEPS:], strict=True)])


def test_sequencer_that_remembers() -> None:
    """Each chunk goes back through its own steps, from a state that is taken as given."""
    inner, x, g = KINDS["GRU"](), sequence(1, 6), sequence(2, 6)
    module = Sequencer(inner)
    module.remember()
    for first in (0, 2, 4):
        module.zeroGradParameters()
        state_before = None if first == 0 else inner.getHiddenState(inner.step - 1).clone()
        module.updateOutput(x[first : first + 2])
        module.backward(x[first : first + 2], g[first : first + 2])
        with torch.enable_grad():
            h = torch.zeros(BATCH, SIZE, dtype=torch.float64) if state_before is None else state_before
            total: Any = 0
            for step in (first, first + 1):
                h = inner.step_module([x[step], h])
                total = total + (h * g[step]).sum()
            expected = torch.autograd.grad(total, inner.torch7_parameters()[0])
        assert_equal(module.torch7_parameters()[1], expected)


def test_plain_modules_in_a_sequencer_stay_what_they_are() -> None:
    module, x, g = Sequencer(Linear(SIZE, SIZE)), sequence(1), sequence(2)
    assert module.describe() == "nn.Sequencer @ nn.Linear(3 -> 3)"
    linear = module.child_list()[0]
    module.updateOutput(x)
    module.backward(x, g)
    expected = sum(d.t() @ v for d, v in zip(g, x, strict=True))
    torch.testing.assert_close(linear.gradient("weight"), expected, rtol=1e-11, atol=1e-13)


def test_a_sequencer_refuses_what_holds_a_recurrent_module() -> None:
    with (
        runtime_of(2015) as runtime,
        pytest.raises(LuaError, match=r"python:1: .*hold a nn.LSTM.*--rnn-api 2016"),
    ):
        runtime.execute("nn.Sequencer(nn.Sequential():add(nn.Linear(3, 3)):add(nn.LSTM(3, 3)))")
    with pytest.raises(TorchError, match="a module with steps"):
        Repeater(Linear(SIZE, SIZE), 3)


def test_more_targets_than_steps_are_ignored() -> None:
    with runtime_of(2015) as runtime:
        loss = "nn.SequencerCriterion(nn.MSECriterion()):forward({x}, {g, g})"
        assert runtime.execute(f"return {loss}") == runtime.execute("return nn.MSECriterion():forward(x, g)")
    with runtime_of(2016) as runtime, pytest.raises(LuaError, match="sequences of 1 and 2 steps"):
        runtime.execute(f"return {loss}")


def test_texts() -> None:
    texts = {}
    for year in (2015, 2016):
        with runtime_of(year) as runtime:
            made = "nn.LSTM(3, 4), nn.FastLSTM(3, 4), nn.LinearNoBias(3, 4), nn.Dropout(0.5), nn.Sequencer(nn.Tanh())"
            runtime.execute(f"texts = {{}} for i, m in ipairs{{{made}}} do texts[i] = tostring(m) end")
            texts[year] = runtime.globals["texts"]
    assert texts[2015] == [
        "nn.LSTM",
        "nn.FastLSTM",
        "nn.LinearNoBias(3 -> 4)",
        "nn.Dropout(0.500000)",
        "nn.Sequencer @ nn.Tanh",
    ]
    assert texts[2016] == [
        "nn.LSTM(3 -> 4)",
        "nn.FastLSTM(3 -> 4)",
        "nn.LinearNoBias(3 -> 4) without bias",
        "nn.Dropout(0.5, busy)",
        "nn.Sequencer @ nn.Recursor @ nn.Tanh",
    ]


@pytest.mark.parametrize(
    "call",
    [
        "nn.LSTM(3, 3):backwardThroughTime()",
        "nn.Sequential():add(nn.LSTM(3, 3)):backwardThroughTime()",
        "nn.Sequencer(nn.LSTM(3, 3)):backwardThroughTime()",
        "nn.Linear(3, 3):backwardThroughTime()",
        "nn.LSTM(3, 3):updateGradInputThroughTime()",
        "nn.LSTM(3, 3):accGradParametersThroughTime()",
        "nn.LSTM(3, 3):accUpdateGradParametersThroughTime(0.1)",
        "nn.LSTM(3, 3):backwardUpdateThroughTime(0.1)",
    ],
)
def test_what_only_2015_has_names_the_option(call: str) -> None:
    with runtime_of(2016) as runtime, pytest.raises(LuaError, match=r"python:1: .* run with --rnn-api 2015"):
        runtime.execute(call)


def test_what_only_2016_has_names_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    with runtime_of(2015) as runtime, pytest.raises(LuaError, match=r"python:1: .* run with --rnn-api 2016"):
        runtime.execute("nn.LSTM(3, 3):backwardOnline()")
    with runtime_of(2016) as runtime:
        runtime.execute("nn.LSTM(3, 3):backwardOnline()")
    assert "does nothing" in capsys.readouterr().out


@pytest.mark.parametrize(
    "made", ["Recurrent(3, nn.Linear(3, 3), nn.Linear(3, 3))", "LSTM(3, 3)", "FastLSTM(3, 3)"]
)
def test_the_two_interfaces_give_the_same_gradients(made: str) -> None:
    """The same seed and sequence, each interface used as it is meant to be."""
    loops = {
        2015: "for t = 1, 4 do m:forward(x * t) m:backward(x * t, g * t) end m:backwardThroughTime()",
        2016: "for t = 1, 4 do m:forward(x * t) end for t = 4, 1, -1 do m:backward(x * t, g * t) end",
    }
    found = {}
    for year, loop in loops.items():
        with runtime_of(year) as runtime:
            runtime.execute(f"""
                torch.manualSeed(5)
                x, g = torch.randn(2, 3), torch.randn(2, 3)
                m = nn.{made}
                m:zeroGradParameters()
                {loop}
            """)
            found[year] = runtime.execute("local _, g = m:getParameters() return g:clone()")
    assert found[2015].abs().sum() > 0
    torch.testing.assert_close(found[2015], found[2016], rtol=1e-12, atol=1e-14)
