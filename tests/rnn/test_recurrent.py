"""Modules with a step, in the interface of 2016: forward and back through time, memory, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.nn.activation import Tanh
from torch7py.nn.container import Sequential
from torch7py.nn.linear import Linear
from torch7py.ops.errors import TorchError
from torch7py.rnn.fast_lstm import FastLSTM
from torch7py.rnn.gru import GRU
from torch7py.rnn.lstm import LSTM
from torch7py.rnn.recurrent import Recurrent, Recursor

STEPS, BATCH, INPUTS, OUTPUTS = 4, 2, 3, 5

KINDS: dict[str, Callable[[], Any]] = {
    "Recurrent": lambda: Recurrent(OUTPUTS, Linear(INPUTS, OUTPUTS), Linear(OUTPUTS, OUTPUTS)),
    "Recurrent with start and transfer": lambda: Recurrent(
        Linear(OUTPUTS, OUTPUTS), Linear(INPUTS, OUTPUTS), Linear(OUTPUTS, OUTPUTS), Tanh()
    ),
    "LSTM": lambda: LSTM(INPUTS, OUTPUTS),
    "FastLSTM": lambda: FastLSTM(INPUTS, OUTPUTS),
    "GRU": lambda: GRU(INPUTS, OUTPUTS),
    "Recursor": lambda: Recursor(Linear(INPUTS, OUTPUTS)),
    "Recursor of recurrent modules": lambda: Recursor(
        Sequential(Linear(INPUTS, 4), LSTM(4, 4), Tanh(), GRU(4, 4), Linear(4, OUTPUTS))
    ),
}


def sequence(size: int, seed: int, *batch: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(*batch, size, dtype=torch.float64, generator=generator) for _ in range(STEPS)]


def through_time(module: Any, inputs: list[Any], gradients: list[Any]) -> list[torch.Tensor]:
    """Outputs, gradients of inputs and of parameters by the protocol, step by step."""
    module.zeroGradParameters()
    outputs = [module.updateOutput(x).clone() for x in inputs]
    of_inputs = [module.backward(x, g).clone() for x, g in zip(inputs[::-1], gradients[::-1], strict=True)]
    return [*outputs, *of_inputs[::-1], *(g.clone() for g in module.torch7_parameters()[1])]


def by_autograd(module: Any, inputs: list[torch.Tensor], gradients: list[torch.Tensor]) -> list[torch.Tensor]:
    leaves = [x.clone().requires_grad_() for x in inputs]
    outputs = module(leaves)
    total = sum((o * g).sum() for o, g in zip(outputs, gradients, strict=True))
    return [*outputs, *torch.autograd.grad(total, [*leaves, *module.torch7_parameters()[0]])]


@pytest.mark.parametrize("batch", [(), (BATCH,)], ids=["single", "batch"])
@pytest.mark.parametrize("kind", KINDS)
def test_backward_in_reverse_order_is_the_gradient_of_the_sequence(kind: str, batch: tuple[int, ...]) -> None:
    module = KINDS[kind]()
    inputs, gradients = sequence(INPUTS, 1, *batch), sequence(OUTPUTS, 2, *batch)
    expected = by_autograd(module, inputs, gradients)
    for _ in range(2):  # the second time on clones that exist
        found = through_time(module, inputs, gradients)
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other.detach(), rtol=1e-11, atol=1e-13)
        module.forget()


@pytest.mark.parametrize("kind", KINDS)
def test_evaluation_gives_the_same_outputs(kind: str) -> None:
    module, inputs = KINDS[kind](), sequence(INPUTS, 1, BATCH)
    trained = [module.updateOutput(x).clone() for x in inputs]
    module.forget()
    module.set_evaluate()
    for x, output in zip(inputs, trained, strict=True):
        torch.testing.assert_close(module.updateOutput(x), output, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_sequence_goes_back_rho_steps(kind: str) -> None:
    """With rho = 3 the last three of eight steps go back as in a sequence without a bound; no further, where a step
    needs the one before it."""
    inputs, gradients = sequence(INPUTS, 1, BATCH) * 2, sequence(OUTPUTS, 2, BATCH) * 2
    free, bound = KINDS[kind](), None
    bound = free.clone()
    bound.maxBPTTstep(3)
    for module in (free, bound):
        for x in inputs:
            module.updateOutput(x)
    for x, g in list(zip(inputs, gradients, strict=True))[:-4:-1]:
        torch.testing.assert_close(bound.backward(x, g), free.backward(x, g), rtol=1e-12, atol=1e-14)
    # rho + 1 clones serve in turn: one of them has seen the step before too.
    bound.backward(inputs[4], gradients[4])
    if kind == "Recursor":
        bound.backward(inputs[3], gradients[3])
    else:
        with pytest.raises(TorchError, match="not kept"):
            bound.backward(inputs[3], gradients[3])


def test_chunks_of_changing_length_keep_their_steps_apart() -> None:
    """rho changes in a sequence that goes on: what a chunk goes back through is its own."""
    module = GRU(INPUTS, OUTPUTS)
    inputs, gradients = sequence(INPUTS, 1, BATCH) * 8, sequence(OUTPUTS, 2, BATCH) * 8
    state, at = None, 0
    for length in (3, 3, 3, 5, 2, 7, 4):
        module.maxBPTTstep(length)
        chunk, given = inputs[at : at + length], gradients[at : at + length]
        twin = module.clone()
        twin.forget()
        if state is not None:
            twin.setHiddenState(0, state)
        expected = through_time(twin, chunk, given)
        found = through_time(module, chunk, given)
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-14)
        state, at = module.getHiddenState(module.step - 1).clone(), at + length


@pytest.mark.parametrize("start", [OUTPUTS, [OUTPUTS]])
def test_start_may_be_a_size(start: Any) -> None:
    module = Recurrent(start, Linear(INPUTS, OUTPUTS), Linear(OUTPUTS, OUTPUTS))
    assert module.startModule.class_name == "nn.Add"
    (x, *_) = sequence(INPUTS, 1, BATCH)
    expected = torch.sigmoid(module.inputModule(x) + module.startModule.bias)
    torch.testing.assert_close(module.updateOutput(x), expected.detach(), rtol=1e-12, atol=1e-14)


def test_start_may_be_a_long_storage(runtime: Runtime) -> None:
    assert runtime.execute("""
        require 'rnn'
        local m = nn.Recurrent(torch.LongStorage{4}, nn.Linear(3, 4), nn.Linear(4, 4), nn.Tanh(), 7, nn.CMulTable())
        m:forward(torch.randn(3)) m:forward(torch.randn(3))
        return torch.type(m.startModule), m.startModule.bias:size(1), m.rho, torch.type(m.recurrentModule:get(2)),
               m.step
    """) == ("nn.Add", 4, 7, "nn.CMulTable", 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("'x', nn.Linear(3, 4), nn.Linear(4, 4)", "a LongStorage or a table of sizes as start"),
        ("4, nil, nn.Linear(4, 4)", "a module as input"),
        ("4, nn.Linear(3, 4), 4", "a module as feedback"),
        ("4, nn.Linear(3, 4), nn.Linear(4, 4), 'tanh'", "a module as transfer"),
    ],
)
def test_wrong_parts_are_errors(runtime: Runtime, arguments: str, message: str) -> None:
    runtime.execute("require 'rnn'")
    with pytest.raises(LuaError, match=rf"python:1: nn.Recurrent expects .*{message}"):
        runtime.execute(f"nn.Recurrent({arguments})")


@pytest.mark.parametrize("kind", [k for k in KINDS if "Recursor" not in k])
@pytest.mark.parametrize("method", ["backward", "updateGradInput", "accGradParameters"])
def test_backward_without_forward_is_an_error(kind: str, method: str) -> None:
    module = KINDS[kind]()
    x, g = sequence(INPUTS, 1, BATCH)[0], sequence(OUTPUTS, 2, BATCH)[0]
    with pytest.raises(TorchError, match="without"):
        getattr(module, method)(x, g)
    module.updateOutput(x)
    module.backward(x, g)
    with pytest.raises(TorchError, match="without"):
        getattr(module, method)(x, g)


@pytest.mark.parametrize("kind", KINDS)
def test_a_gradient_of_the_wrong_size_is_an_error(kind: str) -> None:
    module = KINDS[kind]()
    inputs = sequence(INPUTS, 1, BATCH)
    for x in inputs:
        module.updateOutput(x)
    with pytest.raises((TorchError, RuntimeError)):
        module.backward(inputs[-1], torch.ones(BATCH, OUTPUTS + 1, dtype=torch.float64))
    module.forget()
    for x in inputs:
        module.updateOutput(x)
    module.backward(inputs[-1], torch.ones(BATCH, OUTPUTS, dtype=torch.float64))
    with pytest.raises((TorchError, RuntimeError)):
        module.backward(inputs[-2], torch.ones(1, OUTPUTS, dtype=torch.float64))


@pytest.mark.parametrize("kind", ["LSTM", "FastLSTM", "GRU"])
@pytest.mark.parametrize("sizes", [(INPUTS + 1,), (BATCH, INPUTS + 1), (1, BATCH, INPUTS)])
def test_an_input_of_the_wrong_size_is_an_error(kind: str, sizes: tuple[int, ...]) -> None:
    with pytest.raises(TorchError, match=rf"nn.{kind}: a step's input must be \(3\) or \(batch, 3\)"):
        KINDS[kind]().updateOutput(torch.ones(sizes, dtype=torch.float64))


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_hidden_state_goes_on_where_it_is_set(kind: str) -> None:
    inputs, gradients = sequence(INPUTS, 1, BATCH), sequence(OUTPUTS, 2, BATCH)
    whole = KINDS[kind]()
    parts = whole.clone()
    expected = through_time(whole, inputs, gradients)[STEPS - 1]
    for x in inputs[:2]:
        parts.updateOutput(x)
    state = parts.getHiddenState(2)
    parts.forget()
    parts.setHiddenState(0, state)
    for x in inputs[2:]:
        output = parts.updateOutput(x)
    torch.testing.assert_close(output, expected, rtol=0, atol=0)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_gradients_of_the_hidden_state_couple_two_sequences(kind: str) -> None:
    """An encoder's last state starts a decoder: going back, the decoder's gradient of its start is the encoder's."""
    inputs, gradients = sequence(INPUTS, 1, BATCH), sequence(OUTPUTS, 2, BATCH)
    whole = KINDS[kind]()
    encoder = whole.clone()
    expected = by_autograd(whole, inputs, [torch.zeros_like(g) for g in gradients[:2]] + gradients[2:])
    decoder = encoder.sharedClone()
    for x in inputs[:2]:
        encoder.updateOutput(x)
    decoder.setHiddenState(0, encoder.getHiddenState(2))
    for x in inputs[2:]:
        decoder.updateOutput(x)
    encoder.zeroGradParameters()
    for x, g in zip(inputs[:1:-1], gradients[:1:-1], strict=True):
        decoder.backward(x, g)
    encoder.setGradHiddenState(2, decoder.getGradHiddenState(0))
    found = [encoder.backward(x, torch.zeros_like(gradients[0])) for x in inputs[1::-1]]
    of_inputs = expected[STEPS : STEPS + 2]
    for one, other in zip(found[::-1], of_inputs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-13)
    for one, other in zip(encoder.torch7_parameters()[1], expected[2 * STEPS :], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-13)


def test_state_that_a_script_puts_in() -> None:
    """userPrevOutput and userPrevCell stand before step 1."""
    lstm, (x, *_) = LSTM(INPUTS, OUTPUTS), sequence(INPUTS, 1, BATCH)
    h, c = (torch.randn(BATCH, OUTPUTS, dtype=torch.float64) for _ in range(2))
    lstm.set_field("userPrevOutput", h)
    lstm.set_field("userPrevCell", c)
    expected = lstm.step_module.forward([x, h, c])[0].detach()
    torch.testing.assert_close(lstm.updateOutput(x), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_float_and_copies(kind: str) -> None:
    module, inputs = KINDS[kind](), sequence(INPUTS, 1, BATCH)
    gradients = sequence(OUTPUTS, 2, BATCH)
    through_time(module, inputs, gradients)
    module.forget()
    expected = through_time(module.clone(), inputs, gradients)
    single = module.clone().torch7_float()
    single.forget()
    found = through_time(single, [x.float() for x in inputs], [g.float() for g in gradients])
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == torch.float32
        torch.testing.assert_close(one.double(), other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_one_flat_vector_moves_the_clones_of_all_steps(kind: str) -> None:
    module, inputs = KINDS[kind](), sequence(INPUTS, 1, BATCH)
    gradients = sequence(OUTPUTS, 2, BATCH)
    through_time(module, inputs, gradients)
    flat, of_flat = module.getParameters()
    flat.mul_(1.5)
    module.forget()
    found = through_time(module, inputs, gradients)
    for one, other in zip(found, by_autograd(module, inputs, gradients), strict=True):
        torch.testing.assert_close(one, other.detach(), rtol=1e-11, atol=1e-13)
    torch.testing.assert_close(of_flat, torch.cat([g.reshape(-1) for g in found[2 * STEPS :]]))


def test_a_lua_layer_in_every_step(runtime: Runtime) -> None:
    """A layer that a script defines, with parameters of its own, in a Recurrent and in a Sequencer's Recursor."""
    found = runtime.execute("""
        require 'rnn'
        local Scale, parent = torch.class('nn.Scale', 'nn.Module')
        function Scale:__init(n) parent.__init(self) self.weight = torch.rand(n) self.gradWeight = torch.zeros(n) end
        function Scale:updateOutput(x)
           self.output = torch.cmul(x, self.weight)
           return self.output
        end
        function Scale:updateGradInput(x, g)
           self.gradInput = torch.cmul(g, self.weight)
           return self.gradInput
        end
        function Scale:accGradParameters(x, g, scale) self.gradWeight:add(scale or 1, torch.cmul(x, g)) end
        local function compare(m, twin, x, g)
           local scales, muls = m:findModules('nn.Scale'), twin:findModules('nn.CMul')
           for i = 1, #scales do muls[i].weight:copy(scales[i].weight) end
           local seqs, errors = {nn.Sequencer(m), nn.Sequencer(twin)}, {}
           for _ = 1, 3 do
              local results = {}
              for i, s in ipairs(seqs) do
                 collectgarbage()
                 s:zeroGradParameters()
                 local out, gi = s:forward(x), s:backward(x, g)
                 results[i] = {out[#x]:clone(), gi[1]:clone(), select(2, s:getParameters()):clone()}
              end
              for k = 1, 3 do errors[#errors + 1] = results[1][k]:dist(results[2][k]) end
           end
           return torch.Tensor(errors):max()
        end
        local x, g = {}, {}
        for t = 1, 4 do x[t], g[t] = torch.randn(3), torch.randn(3) end
        local input, back = nn.Linear(3, 3), nn.Linear(3, 3)
        local function chain(layer) return nn.Sequential():add(layer):add(nn.Tanh()) end
        local lstm = nn.LSTM(3, 3)
        return compare(nn.Recurrent(nn.Identity(), input:clone(), chain(nn.Scale(3))),
                       nn.Recurrent(nn.Identity(), input:clone(), chain(nn.CMul(3))), x, g),
               compare(chain(nn.Scale(3)):add(lstm:clone()), chain(nn.CMul(3)):add(lstm:clone()), x, g)
    """)
    assert max(found) < 1e-14
