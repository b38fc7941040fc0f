"""Rewards of steps reach the modules that did them."""

from __future__ import annotations

import pytest
import torch

from torch7py.bridge.runtime import Runtime
from torch7py.ops.errors import TorchError
from torch7py.rnn.dpnn.reinforce import ReinforceNormal
from torch7py.rnn.recurrent import Recursor

STEPS = 4


def stepped() -> Recursor:
    module = Recursor(ReinforceNormal(0.1))
    for _ in range(STEPS):
        module.updateOutput(torch.zeros(3, 2, dtype=torch.float64))
    return module


@pytest.mark.parametrize("as_table", [True, False])
@pytest.mark.parametrize("count", [STEPS, 2])
def test_each_of_the_last_steps_has_its_reward(count: int, as_table: bool) -> None:
    module, rewards = stepped(), torch.randn(count, 3, dtype=torch.float64)
    module.reinforce(list(rewards) if as_table else rewards)
    for number, step in enumerate(range(STEPS - count + 1, STEPS + 1)):
        assert torch.equal(module.getStepModule(step).reward, rewards[number])


def test_one_reward_is_for_all_steps() -> None:
    module, reward = stepped(), torch.randn(3, dtype=torch.float64)
    module.reinforce(reward)
    assert all(torch.equal(module.getStepModule(step).reward, reward) for step in range(1, STEPS + 1))


def test_more_rewards_than_steps_are_an_error() -> None:
    with pytest.raises(TorchError, match="5 rewards for 4 steps"):
        stepped().reinforce([torch.zeros(3, dtype=torch.float64)] * 5)


def test_in_a_script(runtime: Runtime) -> None:
    runtime.execute(
        """
        require 'rnn'
        local m = nn.Recursor(nn.ReinforceNormal(0.1))
        local rewards = {torch.ones(2), torch.ones(2) * 2}
        for t = 1, 2 do m:forward(torch.zeros(2, 3)) end
        m:reinforce(rewards)
        first, second = m:getStepModule(1).reward[1], m:getStepModule(2).reward[1]
        """
    )
    assert (runtime.globals["first"], runtime.globals["second"]) == (1, 2)
