"""RecurrentAttention beside autograd: an action is a number to the network, and is taught by a reward."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.nn.activation import Tanh
from torch7py.nn.container import ParallelTable, Sequential
from torch7py.nn.linear import Linear
from torch7py.nn.table_math import CAddTable
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.rnn.attention import RecurrentAttention
from torch7py.rnn.fast_lstm import FastLSTM
from torch7py.rnn.recurrent import Recurrent

BATCH, INPUTS, HIDDEN, ACTIONS, STEPS = 3, 4, 5, 2, 3


def draw(*size: int, seed: int = 5) -> torch.Tensor:
    return torch.randn(*size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


class Taught(Linear):
    """An action module that a reward teaches: the gradient of its output is its own, whatever it is given."""

    def __init__(self) -> None:
        super().__init__(HIDDEN, ACTIONS)
        self.__dict__["lesson"] = draw(BATCH, ACTIONS, seed=11)

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        return super().updateGradInput(input, self.__dict__["lesson"])

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        super().accGradParameters(input, self.__dict__["lesson"], scale)


def glimpse() -> Sequential:
    """``{input, action}`` -> a hidden state."""
    return Sequential(ParallelTable(Linear(INPUTS, HIDDEN), Linear(ACTIONS, HIDDEN)), CAddTable(), Tanh())


def attention(action: Any, steps: int = STEPS) -> RecurrentAttention:
    rnn = Recurrent(HIDDEN, glimpse(), Linear(HIDDEN, HIDDEN), Tanh())
    return RecurrentAttention(rnn, action, steps, [HIDDEN])


def reference(module: RecurrentAttention, x: torch.Tensor, steps: int) -> tuple[list[Any], list[Any]]:
    """Hidden states and actions in PyTorch. An action goes into the network as a number."""
    rnn = module.rnn
    parts = {name: rnn._modules[f"{name}Module"] for name in ("start", "input", "feedback", "transfer")}
    action: Any = module._modules["action"]
    inner = getattr(action, "step_module", action)
    hidden = torch.zeros(len(x), HIDDEN, dtype=x.dtype)
    states: list[Any] = []
    actions = []
    for step in range(steps):
        actions.append(inner(hidden))
        seen = parts["input"]([x, actions[-1].detach()])
        total = parts["start"](seen) if step == 0 else seen + parts["feedback"](hidden)
        hidden = parts["transfer"](total)
        states.append(hidden)
    return states, actions


@pytest.mark.parametrize("scale", [1, 0.5])
def test_outputs_and_gradients(scale: float) -> None:
    module = attention(Taught())
    x, leaf = draw(BATCH, INPUTS), draw(BATCH, INPUTS).requires_grad_()
    gradients = [draw(BATCH, HIDDEN, seed=20 + step) for step in range(STEPS)]
    states, actions = reference(module, leaf, STEPS)
    lesson = draw(BATCH, ACTIONS, seed=11)
    total = sum((h * g).sum() for h, g in zip(states, gradients, strict=True))
    total = total + sum((a * lesson).sum() for a in actions)
    parameters, buffers = module.torch7_parameters()
    wanted = torch.autograd.grad(total, [leaf, *parameters])
    module.zeroGradParameters()
    for _ in range(2):  # the second pass accumulates
        outputs = module.updateOutput(x)
        for output, known in zip(outputs, states, strict=True):
            torch.testing.assert_close(output, known.detach(), rtol=0, atol=1e-13)
        for action, known in zip(module.actions, actions, strict=True):
            torch.testing.assert_close(action, known.detach(), rtol=0, atol=1e-13)
        back = module.updateGradInput(x, gradients)
        torch.testing.assert_close(back, wanted[0], rtol=0, atol=1e-12)
        module.accGradParameters(x, gradients, scale)
    for buffer, known in zip(buffers, wanted[1:], strict=True):
        torch.testing.assert_close(buffer, 2 * scale * known, rtol=0, atol=1e-12)


def test_actions_go_forward_with_their_gradients() -> None:
    module = attention(Linear(HIDDEN, ACTIONS), 1)
    module.set_field("forwardActions", True)
    x, leaf = draw(BATCH, INPUTS), draw(BATCH, INPUTS).requires_grad_()
    of_hidden, of_action = draw(BATCH, HIDDEN, seed=20), draw(BATCH, ACTIONS, seed=21)
    (hidden,), (action,) = reference(module, leaf, 1)
    parameters, buffers = module.torch7_parameters()
    total = (hidden * of_hidden).sum() + (action * of_action).sum()
    wanted = torch.autograd.grad(total, [leaf, *parameters], allow_unused=True)
    module.zeroGradParameters()
    ((output, chosen),) = module.updateOutput(x)
    torch.testing.assert_close(output, hidden.detach())
    torch.testing.assert_close(chosen, action.detach())
    back = module.backward(x, [[of_hidden, of_action]])
    torch.testing.assert_close(back, wanted[0])
    for buffer, known in zip(buffers, wanted[1:], strict=True):
        torch.testing.assert_close(buffer, torch.zeros_like(buffer) if known is None else known)


def test_an_action_without_a_reward_learns_nothing() -> None:
    module = attention(Linear(HIDDEN, ACTIONS))
    x = draw(BATCH, INPUTS)
    module.zeroGradParameters()
    module.updateOutput(x)
    module.backward(x, [draw(BATCH, HIDDEN, seed=step) for step in range(STEPS)])
    weight, bias = module._modules["action"].torch7_parameters()[1]  # type: ignore[operator,union-attr]
    assert not weight.any()
    assert not bias.any()


def test_another_batch_type_and_copy() -> None:
    module = attention(Linear(HIDDEN, ACTIONS))
    twin = module.clone()
    for count in (BATCH, 1):
        x = draw(count, INPUTS)
        kept = [output.clone() for output in module.updateOutput(x)]
        assert [tuple(output.shape) for output in kept] == [(count, HIDDEN)] * STEPS
        torch.testing.assert_close(twin.updateOutput(x), kept)
    twin.torch7_float()
    singles = twin.updateOutput(x.float())
    assert singles[0].dtype == torch.float32
    torch.testing.assert_close([single.double() for single in singles], kept, rtol=0, atol=1e-5)
    module.clearState()
    assert module.output == []
    torch.testing.assert_close(module.updateOutput(x), kept)


def test_errors() -> None:
    module = attention(Linear(HIDDEN, ACTIONS))
    x, g = draw(BATCH, INPUTS), draw(BATCH, HIDDEN)
    module.updateOutput(x)
    with pytest.raises(TorchError, match="table of 3"):
        module.updateGradInput(x, [g])
    with pytest.raises(TorchError, match="after updateGradInput"):
        module.accGradParameters(x, [g] * STEPS)
    with pytest.raises(TorchError, match="from Python"):
        module(x)
    with pytest.raises(TorchError, match="a batch"):
        module.updateOutput([x])
    for arguments in (
        (module.rnn, Tanh(), 0, [HIDDEN]),
        (module.rnn, Tanh(), 2, HIDDEN),
        (1, Tanh(), 2, [1]),
    ):
        with pytest.raises(TorchError, match="expects"):
            RecurrentAttention(*arguments)


def test_in_2015_the_network_must_have_steps() -> None:
    with state.use(state.State()):
        state.current().generation = 2015
        with pytest.raises(TorchError, match="must have steps"):
            RecurrentAttention(Linear(2, 2), Tanh(), 2, [2])
        assert RecurrentAttention(FastLSTM(2, 2), Tanh(), 2, [2]).rnn.copyInputs is True


@pytest.mark.parametrize("year", [2015, 2016])
def test_a_reward_teaches_the_action(year: int) -> None:
    """The gradient of a normal choice is ``-reward (a - mean) / stdev^2`` at each step, from the state before; in
    evaluation the choice is the mean."""
    runtime = Runtime(rnn_api=year)
    worst, text = runtime.execute(
        """
        require 'rnn'
        torch.manualSeed(3)
        local locator = nn.Linear(5, 2)
        local action = nn.Sequential():add(locator):add(nn.ReinforceNormal(0.5))
        local glimpse = nn.Sequential():add(nn.ParallelTable():add(nn.Linear(4, 5)):add(nn.Linear(2, 5)))
        glimpse:add(nn.CAddTable()):add(nn.Tanh())
        local rnn = nn.Recurrent(5, glimpse, nn.Linear(5, 5), nn.Tanh())
        local m = nn.RecurrentAttention(rnn, action, 3, {5})
        local x, reward = torch.randn(3, 4), torch.Tensor{1, -2, 0.5}
        m:zeroGradParameters()
        local out = m:forward(x)
        m:reinforce(reward)
        local zeros = {}
        for t = 1, 3 do zeros[t] = torch.zeros(3, 5) end
        m:backward(x, zeros)
        local weight = torch.zeros(2, 5)
        for t = 1, 3 do
            local before = t == 1 and torch.zeros(3, 5) or out[t - 1]
            local mean = before * locator.weight:t() + locator.bias:view(1, 2):expand(3, 2)
            local g = (m.actions[t] - mean) / 0.25
            g:cmul(reward:view(3, 1):expand(3, 2)):mul(-1)
            weight:add(g:t() * before)
        end
        m:evaluate()
        m.nStep = 1
        m:forward(x)
        assert((m.actions[1] - locator.bias:view(1, 2):expand(3, 2)):abs():max() < 1e-12) -- of zeros
        return (weight - locator.gradWeight):abs():max() / weight:abs():max(), tostring(m)
        """
    )
    runtime.close()
    assert worst < 1e-12
    assert text.startswith("nn.RecurrentAttention {\n  action : ")
