"""SeqLSTM, SeqLSTMP, SeqGRU beside PyTorch's own layers, autograd, and the modules with steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.ops.errors import TorchError
from torch7py.rnn.seq_gru import SeqGRU
from torch7py.rnn.seq_lstm import SeqLSTM, SeqLSTMP
from torch7py.rnn.sequencer import Sequencer

STEPS, BATCH, INPUTS, OUTPUTS = 6, 3, 4, 5

KINDS: dict[str, Callable[[], Any]] = {
    "SeqLSTM": lambda: SeqLSTM(INPUTS, OUTPUTS),
    "SeqLSTMP": lambda: SeqLSTMP(INPUTS, 7, OUTPUTS),
    "SeqGRU": lambda: SeqGRU(INPUTS, OUTPUTS),
}


def draw(*size: int, seed: int = 5) -> torch.Tensor:
    return torch.randn(*size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def close(one: Any, other: Any) -> None:
    torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


def whole(kind: str, seed: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    return draw(STEPS, BATCH, INPUTS, seed=seed), draw(STEPS, BATCH, OUTPUTS, seed=seed + 1)


def gradients_of(module: Any) -> list[torch.Tensor]:
    return [gradient.clone() for gradient in module.torch7_parameters()[1]]


# -- beside an independent library ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["SeqLSTM", "SeqLSTMP"])
def test_an_lstm_is_pytorch_s(kind: str):
    module = KINDS[kind]()
    hidden = module.hidden
    projected = OUTPUTS if kind == "SeqLSTMP" else 0
    other: Any = torch.nn.LSTM(INPUTS, hidden, proj_size=projected, dtype=torch.float64)

    def rows(columns: torch.Tensor) -> torch.Tensor:
        i, f, o, g = columns.t().chunk(4)
        return torch.cat([i, f, g, o])

    with torch.no_grad():
        other.weight_ih_l0.copy_(rows(module.weight[:INPUTS]))
        other.weight_hh_l0.copy_(rows(module.weight[INPUTS:]))
        other.bias_ih_l0.copy_(rows(module.bias.unsqueeze(0)).flatten())
        other.bias_hh_l0.zero_()
        if projected:
            other.weight_hr_l0.copy_(module.weightO.t())
    x, gradient = whole(kind)
    x.requires_grad_()
    output, _ = other(x)
    (output * gradient).sum().backward()
    module.zeroGradParameters()
    close(module.updateOutput(x.detach()), output.detach())
    close(module.backward(x.detach(), gradient), x.grad)
    close(rows(module.gradient("weight")[:INPUTS]), other.weight_ih_l0.grad)
    close(rows(module.gradient("weight")[INPUTS:]), other.weight_hh_l0.grad)
    close(rows(module.gradient("bias").unsqueeze(0)).flatten(), other.bias_ih_l0.grad)
    if projected:
        close(module.gradient("weightO").t(), other.weight_hr_l0.grad)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_the_kernel_gives_what_autograd_gives(kind: str, first: bool, masked: bool):
    """Also with the batch first, with masks, and with the state before step 1 given."""
    module = KINDS[kind]()
    module.batchfirst, module.maskzero = first, masked
    x, gradient = whole(kind)
    if masked:
        x[2, 1] = x[0, 0] = x[5] = 0
    if first:
        x, gradient = x.transpose(0, 1), gradient.transpose(0, 1)
    states = [draw(BATCH, size, seed=9) for size in module.state_sizes][::-1]
    for given in ([], states[-1:], states):
        leaves = [part.clone().requires_grad_() for part in (*given, x)]
        output = module(leaves if given else leaves[0])
        wanted = torch.autograd.grad((output * gradient).sum(), [*leaves, *module.torch7_parameters()[0]])
        module.zeroGradParameters()
        input = [*given, x] if given else x
        close(module.updateOutput(input), output.detach())
        back = module.backward(input, gradient)
        for one, other in zip([*(back if given else [back]), *gradients_of(module)], wanted, strict=True):
            close(one, other)


@pytest.mark.parametrize(("kind", "convert"), [("SeqLSTM", "toFastLSTM"), ("SeqGRU", "toGRU")])
def test_the_module_with_steps_that_it_is_turned_into(kind: str, convert: str):
    module = KINDS[kind]()
    x, gradient = whole(kind)
    module.zeroGradParameters()
    output = module.updateOutput(x).clone()
    back = module.backward(x, gradient).clone()
    made = getattr(module, convert)()
    accumulated = gradients_of(made)
    assert any(buffer.any() for buffer in accumulated)
    stepped = Sequencer(made)
    stepped.zeroGradParameters()
    close(stepped.updateOutput(x), output)
    close(stepped.backward(x, gradient), back)
    for one, other in zip(gradients_of(made), accumulated, strict=True):
        close(one, other)
    with pytest.raises(TorchError, match="projection"):
        KINDS["SeqLSTMP"]().toFastLSTM()


# -- memory -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["both", "train", "eval", "neither"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_long_sequence_in_two_calls(kind: str, mode: str):
    module = KINDS[kind]()
    x, _ = whole(kind)
    output = module.updateOutput(x).clone()
    fresh = module.updateOutput(x[3:]).clone()
    for training in (True, False):
        (module.set_training if training else module.set_evaluate)()
        assert module.remember(mode) is module
        module.forget()
        close(module.updateOutput(x[:3]), output[:3])
        kept = mode in ("both", "train" if training else "eval")
        close(module.updateOutput(x[3:]), output[3:] if kept else fresh)
        module.forget()
        close(module.updateOutput(x[3:]), fresh)


def test_a_change_between_training_and_evaluation_forgets():
    module = SeqLSTM(INPUTS, OUTPUTS)
    module.remember("both")
    x, _ = whole("SeqLSTM")
    fresh = module.updateOutput(x).clone()
    module.set_evaluate()
    close(module.updateOutput(x), fresh)
    module.set_evaluate()
    assert not torch.equal(module.updateOutput(x), fresh)
    module.resetStates()
    close(module.updateOutput(x), fresh)


@pytest.mark.parametrize("kind", KINDS)
def test_a_script_puts_states_and_gradients_in(kind: str):
    """userPrevOutput and userPrevCell serve one forward, gradPrevOutput and userNextGradCell one backward."""
    module = KINDS[kind]()
    x, gradient = whole(kind)
    states = [draw(BATCH, size, seed=9 + n) for n, size in enumerate(module.state_sizes)]
    last = [draw(BATCH, size, seed=19 + n) for n, size in enumerate(module.state_sizes)]
    module.zeroGradParameters()
    wanted = module.updateOutput([*states[::-1], x]).clone()
    whole_back = module.backward([*states[::-1], x], gradient)
    of_states = [part.clone() for part in whole_back[:-1]][::-1]
    for name, part in zip(("userPrevOutput", "userPrevCell"), states, strict=False):
        module.set_field(name, part)
    close(module.updateOutput(x), wanted)
    assert module.get_field("userPrevOutput") is None
    close(module.backward(x, gradient), whole_back[-1])
    for name, part in zip(("userGradPrevOutput", "userGradPrevCell"), of_states, strict=False):
        close(module.get_field(name), part)
    module.updateOutput(x)
    for name, part in zip(("gradPrevOutput", "userNextGradCell"), last, strict=False):
        module.set_field(name, part)
    got = module.backward(x, gradient).clone()
    leaf = x.clone().requires_grad_()
    state: list[Any] = [torch.zeros(BATCH, size, dtype=torch.float64) for size in module.state_sizes]
    total = torch.zeros((), dtype=torch.float64)
    for step in range(STEPS):
        state = module.next_state(leaf[step], state)
        total = total + (state[0] * gradient[step]).sum()
    total = total + sum((part * g).sum() for part, g in zip(state, last, strict=True))
    close(got, torch.autograd.grad(total, leaf)[0])


# -- the protocol -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_backward_is_one_piece(kind: str):
    module = KINDS[kind]()
    x, gradient = whole(kind)
    module.zeroGradParameters()
    module.updateOutput(x)
    back = module.updateGradInput(x, gradient).clone()
    once = gradients_of(module)
    assert all(buffer.any() for buffer in once)
    module.accGradParameters(x, gradient)
    close(gradients_of(module), once)
    close(module.backward(x, gradient), back)
    close(gradients_of(module), [2 * buffer for buffer in once])
    with pytest.raises(TorchError, match="scale"):
        module.backward(x, gradient, 0.5)


@pytest.mark.parametrize("kind", KINDS)
def test_copies_types_and_clear_state(kind: str):
    module = KINDS[kind]()
    module.remember("both")
    x, gradient = whole(kind)
    module.updateOutput(x)
    copy = module.clone()
    kept = module.updateOutput(x).clone()
    close(copy.updateOutput(x), kept)
    single = copy.clone().torch7_float()
    assert single.updateOutput(x.float()).dtype == torch.float32
    torch.testing.assert_close(single.output.double(), copy.updateOutput(x), rtol=0, atol=1e-5)
    module.clearState()
    assert module.output.numel() == 0
    module.forget()
    module.updateOutput(x)
    assert module.backward(x, gradient).shape == x.shape


def test_errors_of_sizes():
    module = SeqLSTM(INPUTS, OUTPUTS)
    with pytest.raises(TorchError, match="3 dimensions"):
        module.updateOutput(draw(BATCH, INPUTS))
    with pytest.raises(TorchError, match="6x3x4"):
        module.updateOutput(draw(STEPS, BATCH, INPUTS + 1))
    with pytest.raises(TorchError, match="h0 does not have the size 3x5"):
        module.updateOutput([draw(BATCH, 2), draw(STEPS, BATCH, INPUTS)])
    module.remember("both")
    module.updateOutput(draw(STEPS, BATCH, INPUTS))
    with pytest.raises(TorchError, match="batch of 2"):
        module.updateOutput(draw(STEPS, 2, INPUTS))


def test_in_a_script(runtime: Runtime):
    runtime.execute(
        """
        require 'rnn'
        torch.manualSeed(2)
        m = nn.SeqLSTM(4, 5)
        x = torch.randn(6, 3, 4)
        first = m:forward(x)
        second = m:forward(x * 2)
        same = rawequal(first, second)
        gate = m.gates[1][1][1]
        params, grads = m:getParameters()
        count = params:nElement()
        m:maskZero()
        x[3]:zero()
        y = m:forward(x)
        zero = y[3]:abs():sum()
        b = nn.SeqBRNN(4, 5, true)
        text = tostring(b)
        b:backward(x:transpose(1, 2), b:forward(x:transpose(1, 2)))
        """
    )
    values = runtime.globals
    assert values["same"] is True
    assert 0 < values["gate"] < 1
    assert values["count"] == 9 * 20 + 20
    assert values["zero"] == 0
    assert values["text"].startswith("nn.SeqBRNN @ nn.Sequential {")
    with pytest.raises(LuaError, match="adapter"):
        runtime.execute("function m:adapter(t) end m:forward(x)")


@pytest.mark.parametrize(
    "layer", ["nn.SeqLSTM(3, 3)", "nn.SeqGRU(3, 3)", "nn.SeqLSTMP(3, 4, 3)", "nn.SeqBRNN(3, 3)"]
)
@pytest.mark.parametrize("way", ["forget", "evaluate"])
def test_no_backward_after_what_was_forgotten(runtime: Runtime, layer: str, way: str) -> None:
    """As in the original; after another forward there is one."""
    found = runtime.execute(f"""
        require 'rnn'
        local m, x = {layer}, torch.rand(3, 2, 3)
        m:forward(x)
        m:{way}()
        local back, _ = pcall(m.backward, m, x, x)
        m:forward(x)
        local again, _ = pcall(m.backward, m, x, x)
        return {{back, again}}
    """)
    assert found == [False, True]
