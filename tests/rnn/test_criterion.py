"""Criterions over sequences beside the criterion of a step."""

from __future__ import annotations

import math

import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.nn.criterion import MSECriterion
from torch7py.nn.criterion_class import ClassNLLCriterion
from torch7py.ops.errors import TorchError
from torch7py.rnn.criterion import SequencerCriterion
from torch7py.rnn.masking import MaskZeroCriterion

LOSSES: dict[str, tuple[str, str]] = {
    "classes": ("nn.ClassNLLCriterion()", "torch.LongTensor {1, 3}"),
    "classes, summed": ("nn.ClassNLLCriterion(nil, false)", "torch.Tensor {2, 3}"),
    "weighted classes": ("nn.ClassNLLCriterion(torch.Tensor {1, 2, 3})", "torch.LongTensor {1, 3}"),
    "an ignored class": ("nn.ClassNLLCriterion(nil, true, 2)", "torch.LongTensor {1, 2}"),
    "squares": ("nn.MSECriterion()", "torch.randn(2, 3)"),
    "absolute differences, summed": ("nn.AbsCriterion(false)", "torch.randn(2, 3)"),
    "probabilities": ("nn.BCECriterion()", "torch.rand(2, 3)"),
}


@pytest.mark.parametrize("average", ["false", "true"])
@pytest.mark.parametrize("name", LOSSES)
def test_the_loss_of_a_sequence_is_that_of_its_steps(name: str, average: str) -> None:
    """Against the criterion itself, applied to every step."""
    criterion, target = LOSSES[name]
    with Runtime(seed=1) as runtime:
        same = runtime.execute(
            f"""
            require 'rnn'
            local whole = nn.SequencerCriterion({criterion}, {average})
            local inputs, targets = {{}}, {{}}
            local total, gradients, count = 0, {{}}, 4
            for t = 1, count do
               inputs[t], targets[t] = torch.rand(2, 3), {target}
               local one = {criterion}
               total = total + one:forward(inputs[t], targets[t])
               gradients[t] = one:backward(inputs[t], targets[t])
            end
            local factor = {average} and 1 / count or 1
            local worst = math.abs(whole:forward(inputs, targets) - total * factor)
            local found = whole:backward(inputs, targets)
            for t = 1, count do worst = math.max(worst, (found[t] - gradients[t] * factor):abs():max()) end
            return worst, #found
            """
        )
    assert same[1] == 4
    assert same[0] < 1e-14


@pytest.mark.parametrize("as_table", [True, False])
@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("outer", [True, False])
def test_the_loss_of_a_padded_sequence(outer: bool, average: bool, as_table: bool) -> None:
    """Against the criterion of the rows that are left at each step; padded rows have targets of 0."""
    draw = torch.Generator().manual_seed(4)
    x = torch.randn(4, 3, 5, generator=draw, dtype=torch.float64).log_softmax(2)
    y = torch.randint(1, 6, (4, 3), generator=draw).double()
    for step, row in ((0, 1), (2, 0), (2, 2), (3, 0), (3, 1), (3, 2)):
        x[step, row], y[step, row] = 0, 0
    total, wanted = 0.0, torch.zeros_like(x)
    factor = 1 / 4 if outer else 1
    for step in range(3):  # of the last step nothing is left
        rows = [row for row in range(3) if y[step, row]]
        one = ClassNLLCriterion(None, average)
        total += one.torch7_forward(x[step, rows], y[step, rows])[0] * factor
        wanted[step, rows] = one.backward(x[step, rows], y[step, rows]) * factor
    criterion = SequencerCriterion(MaskZeroCriterion(ClassNLLCriterion(None, average), 1), outer)
    input, target = (list(x), list(y)) if as_table else (x, y)
    assert math.isclose(criterion.torch7_forward(input, target), total, rel_tol=1e-14)
    found = criterion.backward(input, target)
    assert criterion.clones == []  # all steps were done at once
    torch.testing.assert_close(torch.stack(found) if as_table else found, wanted, rtol=1e-14, atol=0)


def test_a_padded_sequence_step_by_step() -> None:
    """A class that is not there has its step's error; weights, and other losses, are the steps' own matter."""
    x = torch.zeros(2, 2, 3, dtype=torch.float64)
    x[0, 0, 1] = x[1, 1, 2] = -1
    y = torch.tensor([[2, 0], [0, 3]]).double()
    weighted = MaskZeroCriterion(ClassNLLCriterion(torch.tensor([1.0, 2, 4], dtype=torch.float64)), 1)
    criterion = SequencerCriterion(weighted)
    assert criterion.torch7_forward(x, y) == 2
    assert len(criterion.clones) == 2
    squares = SequencerCriterion(MaskZeroCriterion(MSECriterion(), 1))
    assert math.isclose(squares.torch7_forward(x, torch.zeros_like(x)), 2 / 3)
    with pytest.raises(TorchError, match="target 4 out of range"):
        SequencerCriterion(MaskZeroCriterion(ClassNLLCriterion(), 1)).torch7_forward(x, y + 1)


def test_gradients_lie_where_the_last_ones_did() -> None:
    """But not in the memory of an input that is the last gradient."""
    torch.manual_seed(0)
    criterion = SequencerCriterion(ClassNLLCriterion())
    x, y = torch.randn(3, 4, 5).double(), torch.randint(1, 6, (3, 4))

    def gradient(inputs: torch.Tensor) -> list[torch.Tensor]:
        criterion.updateOutput(list(inputs), list(y))
        found: list[torch.Tensor] = criterion.updateGradInput(list(inputs), list(y))
        return found

    first = gradient(x)
    place, values = first[0].data_ptr(), torch.stack(first)
    again = gradient(x)
    assert again[0].data_ptr() == place
    assert torch.equal(torch.stack(again), values)
    given = [part.data for part in again]
    loss = criterion.updateOutput(given, list(y))
    criterion.updateGradInput(given, list(y))
    assert torch.equal(torch.stack(given), values)
    assert loss == criterion.updateOutput(list(values), list(y))
