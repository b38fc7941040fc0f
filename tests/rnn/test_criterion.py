"""Criterions over sequences beside the criterion of a step."""

from __future__ import annotations

import pytest

from torch7py.bridge.runtime import Runtime

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
