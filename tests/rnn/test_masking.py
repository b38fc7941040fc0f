"""Zeros as padding: MaskZero, TrimZero, their criterion and lookup table, and what they make of sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from torch7py.bridge.runtime import Runtime
from torch7py.nn.activation import Tanh
from torch7py.nn.container import ParallelTable, Sequential
from torch7py.nn.criterion import MSECriterion
from torch7py.nn.criterion_class import ClassNLLCriterion
from torch7py.nn.criterion_embedding import CosineEmbeddingCriterion
from torch7py.nn.linear import Linear
from torch7py.nn.table_math import CAddTable
from torch7py.ops.errors import TorchError
from torch7py.rnn.criterion import SequencerCriterion
from torch7py.rnn.fast_lstm import FastLSTM
from torch7py.rnn.gru import GRU
from torch7py.rnn.lstm import LSTM
from torch7py.rnn.masking import LookupTableMaskZero, MaskZero, MaskZeroCriterion, TrimZero
from torch7py.rnn.recurrence import Recurrence
from torch7py.rnn.recurrent import Recurrent
from torch7py.rnn.sequencer import Sequencer

INPUTS, OUTPUTS = 3, 4


def draw(*size: int, seed: int = 5) -> torch.Tensor:
    return torch.randn(*size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def step_of_recurrence() -> Any:
    both = ParallelTable(Linear(INPUTS, OUTPUTS), Linear(OUTPUTS, OUTPUTS))
    return Sequential(both, CAddTable(), Tanh())


CELLS: dict[str, Callable[[], Any]] = {
    "LSTM": lambda: LSTM(INPUTS, OUTPUTS),
    "FastLSTM": lambda: FastLSTM(INPUTS, OUTPUTS),
    "GRU": lambda: GRU(INPUTS, OUTPUTS),
    "Recurrence": lambda: Recurrence(step_of_recurrence(), OUTPUTS, 1),
}


def gradients_of(module: Any) -> list[torch.Tensor]:
    return [gradient.clone() for gradient in module.torch7_parameters()[1]]


# -- one layer ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decorator", [MaskZero, TrimZero])
def test_rows_of_zeros_give_zeros_and_the_others_what_the_module_gives(decorator: Any):
    module = Linear(3, 2)
    masked = decorator(module, 1)
    x = draw(4, 3)
    x[1] = x[3] = 0
    plain = module(x).detach()
    got = masked.updateOutput(x)
    assert torch.equal(got[[1, 3]], torch.zeros(2, 2, dtype=torch.float64))
    torch.testing.assert_close(got[[0, 2]], plain[[0, 2]])
    torch.testing.assert_close(masked(x), got)
    back = masked.updateGradInput(x, torch.ones(4, 2, dtype=torch.float64))
    assert torch.equal(back[[1, 3]], torch.zeros(2, 3, dtype=torch.float64))
    torch.testing.assert_close(back[0], module.weight.data.sum(0))


def test_mask_zero_accumulates_with_the_gradient_as_it_was_given():
    """So the original does: the bias of the module itself learns from masked rows too, that of TrimZero does not."""
    x = draw(3, 3)
    x[0] = 0
    sums = []
    for decorator in (MaskZero, TrimZero):
        masked = decorator(Linear(3, 2), 1)
        masked.zeroGradParameters()
        masked.updateOutput(x)
        masked.backward(x, torch.ones(3, 2, dtype=torch.float64))
        buffer = masked.child_list()[0].gradient("bias")
        assert buffer is not None
        sums.append(buffer.tolist())
    assert sums == [[3, 3], [2, 2]]


@pytest.mark.parametrize("decorator", [MaskZero, TrimZero])
def test_a_single_example(decorator: Any):
    masked = decorator(Linear(3, 2), 1)
    zero, x = torch.zeros(3, dtype=torch.float64), draw(3)
    assert masked.updateOutput(zero).tolist() == [0, 0]
    assert masked.updateGradInput(zero, torch.ones(2, dtype=torch.float64)).tolist() == [0, 0, 0]
    torch.testing.assert_close(masked.updateOutput(x), masked.child_list()[0](x).detach())
    assert masked.updateGradInput(x, torch.ones(2, dtype=torch.float64)).abs().sum() > 0


@pytest.mark.parametrize("decorator", [MaskZero, TrimZero])
def test_a_mask_goes_by_all_dimensions_of_an_input_and_by_the_first_tensor_of_a_table(decorator: Any):
    masked = decorator(ParallelTable(Tanh(), Tanh()), 2)
    x, y = draw(3, 2, 2), draw(3, 5)
    x[1] = 0
    x[2, 0] = 0
    got = masked.updateOutput([x, y])
    assert [bool(part[1].any()) for part in got] == [False, False]
    torch.testing.assert_close(got[0][2], torch.tanh(x[2]))
    torch.testing.assert_close(got[1][[0, 2]], torch.tanh(y[[0, 2]]))
    back = masked.backward([x, y], [torch.ones_like(x), torch.ones_like(y)])
    assert [bool(part[1].any()) for part in back] == [False, False]


def test_a_batch_of_zeros_alone():
    for decorator in (MaskZero, TrimZero):
        masked = decorator(Linear(3, 2), 1)
        x = torch.zeros(4, 3, dtype=torch.float64)
        assert masked.updateOutput(x).shape == (4, 2)
        assert not masked.output.any()
        assert masked.updateGradInput(x, torch.ones(4, 2, dtype=torch.float64)).shape == (4, 3)
        assert not masked.gradInput.any()


def test_errors_of_masks():
    with pytest.raises(TorchError, match="nInputDim"):
        MaskZero(Linear(3, 2), None)  # type: ignore[arg-type]
    with pytest.raises(TorchError, match="3 dimensions"):
        MaskZero(Linear(3, 2), 1).updateOutput(draw(2, 2, 3))
    with pytest.raises(TorchError, match="without a forward"):
        MaskZero(Linear(3, 2), 1).updateGradInput(draw(2, 3), draw(2, 2))
    with pytest.raises(TorchError, match=r"nn\.Recurrence"):
        Recurrent(4, Linear(3, 4), Linear(4, 4)).maskZero(1)
    with pytest.raises(TorchError, match="mono"):
        GRU(3, 4, 9, 0.5).trimZero(1)
    with pytest.raises(TorchError, match="mono"):
        TrimZero(LSTM(3, 4, 9, True, 0.5), 1)


def test_a_mask_around_a_recurrent_module_is_warned_of(capsys: pytest.CaptureFixture[str]):
    MaskZero(LSTM(3, 4), 1)
    assert "nn.LSTM:maskZero(1)" in capsys.readouterr().out
    MaskZero(LSTM(3, 4), 1, True)
    MaskZero(Linear(3, 4), 1)
    assert capsys.readouterr().out == ""


# -- recurrent modules --------------------------------------------------------------------------------------

LENGTHS = (5, 2, 4, 1)


def padded(steps: int = 5) -> list[torch.Tensor]:
    """A batch of sequences that end at the last step, with zeros before them."""
    whole = draw(steps, len(LENGTHS), INPUTS)
    for row, length in enumerate(LENGTHS):
        whole[: steps - length, row] = 0
    return list(whole)


@pytest.mark.parametrize("wrap", ["maskZero", "trimZero"])
@pytest.mark.parametrize("kind", CELLS)
def test_each_padded_sequence_is_computed_as_if_alone(kind: str, wrap: str):
    module = Sequencer(getattr(CELLS[kind](), wrap)(1))
    inputs = padded()
    gradients = list(draw(5, len(LENGTHS), OUTPUTS, seed=6))
    module.zeroGradParameters()
    outputs = [output.clone() for output in module.updateOutput(inputs)]
    back = [gradient.clone() for gradient in module.backward(inputs, gradients)]
    got = gradients_of(module)
    module.zeroGradParameters()
    for row, length in enumerate(LENGTHS):
        own = [x[row : row + 1] for x in inputs[5 - length :]]
        alone = module.updateOutput(own)
        for t in range(length):
            torch.testing.assert_close(outputs[5 - length + t][row : row + 1], alone[t], rtol=0, atol=1e-13)
        assert not any(output[row].any() for output in outputs[: 5 - length])
        own_back = module.backward(own, [g[row : row + 1] for g in gradients[5 - length :]])
        for t in range(length):
            torch.testing.assert_close(back[5 - length + t][row : row + 1], own_back[t], rtol=0, atol=1e-13)
        assert not any(gradient[row].any() for gradient in back[: 5 - length])
    for one, other in zip(got, gradients_of(module), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", CELLS)
def test_zeros_between_two_sequences_separate_them(kind: str):
    module = Sequencer(CELLS[kind]().maskZero(1))
    inputs = list(draw(7, 2, INPUTS))
    inputs[3] = torch.zeros_like(inputs[3])
    outputs = [output.clone() for output in module.updateOutput(inputs)]
    second = module.updateOutput(inputs[4:])
    for one, other in zip(outputs[4:], second, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-13)


@pytest.mark.parametrize("kind", CELLS)
def test_masked_modules_in_evaluation_and_from_python(kind: str):
    module = Sequencer(CELLS[kind]().maskZero(1))
    inputs = padded()
    trained = [output.clone() for output in module.updateOutput(inputs)]
    module.set_evaluate()
    for one, other in zip(module.updateOutput(inputs), trained, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-13)
    for one, other in zip(module(inputs), trained, strict=True):
        torch.testing.assert_close(one.detach(), other, rtol=0, atol=1e-13)


def test_the_gradient_of_a_masked_network_is_the_derivative():
    module = Sequencer(LSTM(INPUTS, OUTPUTS).maskZero(1))
    inputs, gradients = padded(), list(draw(5, len(LENGTHS), OUTPUTS, seed=6))
    module.zeroGradParameters()
    module.updateOutput(inputs)
    module.backward(inputs, gradients)
    got = gradients_of(module)
    loss = sum((output * g).sum() for output, g in zip(module(inputs), gradients, strict=True))
    wanted = torch.autograd.grad(loss, module.torch7_parameters()[0])
    for one, other in zip(got, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


def test_a_script_sees_what_was_masked(runtime: Runtime):
    runtime.execute(
        """
        require 'rnn'
        torch.manualSeed(3)
        local x = torch.randn(3, 4)
        x[2]:zero()
        local m = nn.MaskZero(nn.Linear(4, 2), 1)
        m:forward(x)
        text = tostring(m)
        mask = m.zeroMask:view(-1):sum()
        mask_type = torch.type(m.zeroMask)
        batch = m.batchmode
        local lstm = nn.FastLSTM(4, 2):maskZero(1)
        kind = torch.type(lstm.recurrentModule)
        local copy = lstm:clone()
        same = (copy:forward(x) - lstm:forward(x)):abs():max()
        local single = lstm:clone():float()
        single:forget()
        close = (single:forward(x:float()):double() - lstm.output):abs():max()
        """
    )
    values = runtime.globals
    assert values["text"] == "nn.MaskZero @ nn.Linear(4 -> 2)"
    assert (values["mask"], values["mask_type"], values["batch"]) == (1, "torch.ByteTensor", True)
    assert values["kind"] == "nn.MaskZero"
    assert values["same"] == 0
    assert values["close"] < 1e-6


# -- LookupTableMaskZero --------------------------------------------------------------------------------------


def test_index_zero_is_a_row_of_zeros_that_stays_one():
    table = LookupTableMaskZero(5, 3)
    assert table.weight.shape == (6, 3)
    x = torch.tensor([[0.0, 5.0], [1.0, 0.0]], dtype=torch.float64)
    output = table.updateOutput(x)
    assert not output[0, 0].any()
    assert not output[1, 1].any()
    torch.testing.assert_close(output[0, 1], table.weight.data[5])
    table.zeroGradParameters()
    table.backward(x, torch.ones(2, 2, 3, dtype=torch.float64))
    buffer = table.gradient("weight")
    assert buffer is not None
    assert buffer.sum(1).tolist() == [6, 3, 0, 0, 0, 3]
    table.updateParameters(0.1)
    assert not table.updateOutput(x)[0, 0].any()
    with pytest.raises(TorchError):
        table.updateOutput(torch.tensor([6.0], dtype=torch.float64))


# -- MaskZeroCriterion ----------------------------------------------------------------------------------------


def test_the_criterion_sees_only_rows_that_are_not_zeros():
    x = torch.log_softmax(draw(4, 3), 1)
    x[1] = x[2] = 0
    target = torch.tensor([1, 2, 3, 2])
    plain, masked = ClassNLLCriterion(), MaskZeroCriterion(ClassNLLCriterion(), 1)
    assert masked.torch7_forward(x, target) == plain.updateOutput(x[[0, 3]], target[[0, 3]])[0]
    got = masked.backward(x, target)
    assert torch.equal(got[[0, 3]], plain.backward(x[[0, 3]], target[[0, 3]]))
    assert not got[[1, 2]].any()
    torch.testing.assert_close(masked(x, target).item(), masked.output)


def test_the_criterion_of_zeros_alone_is_zero():
    masked = MaskZeroCriterion(MSECriterion(), 1)
    x = torch.zeros(3, 2, dtype=torch.float64)
    assert masked.torch7_forward(x, x + 1) == 0
    assert torch.equal(masked.backward(x, x + 1), x)


def test_the_criterion_of_a_table():
    masked, plain = MaskZeroCriterion(CosineEmbeddingCriterion(), 1), CosineEmbeddingCriterion()
    x, y = draw(3, 4), draw(3, 4, seed=8)
    x[1] = 0
    target = torch.ones(3, dtype=torch.float64)
    kept = [0, 2]
    assert masked.torch7_forward([x, y], target) == plain.torch7_forward([x[kept], y[kept]], target[kept])
    got, wanted = masked.backward([x, y], target), plain.backward([x[kept], y[kept]], target[kept])
    for one, other in zip(got, wanted, strict=True):
        assert torch.equal(one[kept], other)
        assert not one[1].any()


def test_the_criterion_over_a_sequence():
    criterion = SequencerCriterion(MaskZeroCriterion(ClassNLLCriterion(), 1))
    steps, targets = list(torch.log_softmax(draw(3, 4, 5), 2)), [torch.tensor([1, 2, 3, 4])] * 3
    steps[0][:3] = 0
    plain = ClassNLLCriterion()
    wanted = sum(
        plain.updateOutput(x[keep:], t[keep:])[0]
        for x, t, keep in zip(steps, targets, (3, 0, 0), strict=True)
    )
    assert criterion.torch7_forward(steps, targets) == pytest.approx(wanted, rel=1e-14)
    assert not criterion.backward(steps, targets)[0][:3].any()


def test_errors_of_the_criterion():
    with pytest.raises(TorchError, match="batches only"):
        MaskZeroCriterion(MSECriterion(), 1).torch7_forward(draw(3), draw(3))
    with pytest.raises(TorchError, match="a criterion"):
        MaskZeroCriterion(Linear(2, 2), 1)  # type: ignore[arg-type]
