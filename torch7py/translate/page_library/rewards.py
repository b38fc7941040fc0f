"""Layers of dpnn's that draw samples and learn from rewards, by the REINFORCE rule, and what gives them these."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from torch7py.translate.page_library.layers import Layer, Object, run
from torch7py.translate.page_library.module_methods import object_method
from torch7py.translate.page_library.modules import Loss
from torch7py.translate.page_library.values import NotInPage, items_of


class Reinforce(Object, Layer):
    """``nn.Reinforce``: the gradient of its input is a reward times the slope of a sample's log probability."""

    NAME = "nn.Reinforce"

    def __init__(self, stochastic: Any = None) -> None:
        super().__init__()
        self.stochastic = stochastic

    def reinforce(self, reward: Any) -> None:
        self.reward = reward

    def updateOutput(self, inputs: Any) -> Any:
        draws = self.training or "mode_was_set" not in vars(self) or bool(self.stochastic)
        self.output = self.sample(inputs) if draws else inputs.clone()
        return self.output

    def updateGradInput(self, inputs: Any, gradient: Any) -> Any:
        rewards = self.reward
        if inputs.shape[0] == len(rewards):
            rewards = rewards.reshape(-1, *[1] * (inputs.dim() - 1))
        elif len(rewards) != 1:
            raise ValueError(f"{len(rewards)} rewards for {inputs.shape[0]} examples")
        self.gradInput = -self.slope(inputs, self.output) * rewards
        return self.gradInput

    def sample(self, inputs: Any) -> Any:
        return inputs.clone()

    def slope(self, inputs: Any, sample: Any) -> Any:
        """The derivative of the sample's log probability by the input."""
        return -torch.ones_like(inputs)


class ReinforceNormal(Reinforce):
    """``nn.ReinforceNormal``: normal numbers around the input."""

    NAME = "nn.ReinforceNormal"

    def __init__(self, deviation: Any = None, stochastic: Any = None) -> None:
        super().__init__(stochastic)
        if deviation is None:
            raise NotInPage("nn.ReinforceNormal of a table of means and deviations")
        self.stdev = deviation

    def sample(self, inputs: Any) -> Any:
        return inputs + self.stdev * torch.randn_like(inputs)

    def slope(self, inputs: Any, sample: Any) -> Any:
        return (sample - inputs) / self.stdev / self.stdev


class ReinforceBernoulli(Reinforce):
    """``nn.ReinforceBernoulli``: 1 with the probability that the input says, else 0."""

    NAME = "nn.ReinforceBernoulli"

    def sample(self, inputs: Any) -> Any:
        return (torch.rand_like(inputs) < inputs).to(inputs.dtype)

    def slope(self, inputs: Any, sample: Any) -> Any:
        return (sample - inputs) / ((1 - inputs) * inputs)


class ReinforceCategorical(Reinforce):
    """``nn.ReinforceCategorical``: a 1 at the place of one category of each row, drawn by its probabilities."""

    NAME = "nn.ReinforceCategorical"

    def sample(self, inputs: Any) -> Any:
        # the first of several that wait for as long as their rates say
        chosen = (inputs / torch.rand_like(inputs).log().abs()).argmax(1, keepdim=True)
        return torch.zeros_like(inputs).scatter_(1, chosen, 1)

    def slope(self, inputs: Any, sample: Any) -> Any:
        return sample / (inputs + 1e-8)


class VRClassReward(Object, Layer):
    """``nn.VRClassReward``: a reward where the largest score is the target's, less a baseline that learns to be it."""

    NAME = "nn.VRClassReward"
    BASE = "nn.Criterion"

    def __init__(self, module: Any, scale: Any = 1, criterion: Any = None) -> None:
        super().__init__()
        object.__setattr__(self, "module", module)  # whose weights are none of its own
        self.scale = 1 if scale is None else scale
        self.criterion = Loss("nn.MSECriterion", nn.MSELoss()) if criterion is None else criterion
        self.sizeAverage = True

    def updateOutput(self, inputs: Any, target: Any) -> Any:
        scores = items_of(inputs)[0]
        self.reward = (scores.argmax(1) + 1 == target.flatten()).to(scores.dtype) * self.scale
        self.output = -self.reward.sum().item() / (len(self.reward) if self.sizeAverage else 1)
        return self.output

    def updateGradInput(self, inputs: Any, target: Any) -> Any:
        scores, baseline = items_of(inputs)
        reward = self.reward - baseline.reshape(self.reward.shape)
        self.vrReward = reward / len(reward) if self.sizeAverage else reward
        object_method(self.module, "reinforce", self.vrReward)
        run(self.criterion, "updateOutput", baseline, self.reward)
        of_baseline = run(self.criterion, "updateGradInput", baseline, self.reward)
        self.gradInput = [torch.zeros_like(scores), of_baseline.reshape(baseline.shape)]
        return self.gradInput

    def backward(self, inputs: Any, gradient: Any = None, scale: Any = 1) -> Any:
        return run(self, "updateGradInput", inputs, gradient)
