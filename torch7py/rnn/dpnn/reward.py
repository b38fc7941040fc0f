"""Criterions that reward a model's choices: VRClassReward, BinaryClassReward.

The loss is minus the reward. The backward calls the model's ``reinforce`` with each example's reward less the baseline
that the model itself predicts, which makes the estimate vary less, and teaches the baseline the reward.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import rows, size_text, tensors
from torch7py.nn.base import Criterion, Module
from torch7py.nn.checks import no_nan, number, truthy
from torch7py.nn.criterion import MSECriterion
from torch7py.nn.object import TorchObject
from torch7py.nn.once_differentiable import once
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError

__all__ = ["BinaryClassReward", "VRClassReward"]


class _Taught(torch.autograd.Function):
    """The loss of a reward; its gradient is that of the criterion's backward, which calls ``reinforce``."""

    @staticmethod
    def forward(ctx: Any, criterion: _Reward, target: Any, *inputs: torch.Tensor) -> torch.Tensor:
        ctx.owner = ctx.criterion = criterion
        ctx.target = target
        ctx.save_for_backward(*inputs)
        return inputs[0].new_tensor(criterion.updateOutput(list(inputs), target))

    @staticmethod
    @once
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        result = ctx.criterion.updateGradInput([t.detach() for t in ctx.saved_tensors], ctx.target)
        return None, None, *(part * gradients[0] for part in result)


class _Reward(Criterion):
    """What both have in common: ``rewarded`` says which examples are right."""

    links: ClassVar[tuple[str, ...]] = ("module", "criterion")
    fields: ClassVar[tuple[str, ...]] = ("scale", "sizeAverage", "reward", "vrReward")
    spare: ClassVar[dict[str, Any]] = {"sizeAverage": True}
    sizeAverage: bool | None = True
    scale: float = 1

    def __init__(self, module: Module, scale: float = 1, criterion: Criterion | None = None) -> None:
        super().__init__()
        if not isinstance(module, Module):
            raise TorchError(f"{self.torch7_name} expects a module, whose reinforce it calls")
        self._modules["module"] = module
        self._modules["criterion"] = MSECriterion() if criterion is None else criterion
        self.scale = number(self.torch7_name, "scale", scale)
        self.keep_list("gradInput", [self.new()])

    def inner(self) -> Iterator[TorchObject]:
        """The model is not the criterion's own: ``type()`` leaves it as it is."""
        for name, part in self._modules.items():
            if name != "module" and isinstance(part, TorchObject):
                yield part

    def rewarded(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """A mask of the examples whose prediction is right."""
        raise NotImplementedError

    def forward(self, input: Any, target: Any) -> torch.Tensor:
        parts = tensors(self, input, 2)
        return _Taught.apply(self, target, *parts)

    def updateOutput(self, input: Any, target: Any) -> Any:
        prediction = tensors(self, input)[0].data
        mask = self.rewarded(prediction, target)
        reward = self.keep("reward", mask.to(prediction.dtype).mul_(self.scale))
        loss = -reward.sum(dtype=torch.float64).item()
        self.__dict__["output"] = loss / len(reward) if truthy(self.sizeAverage) else loss
        return self.output

    def less_baseline(self, baseline: torch.Tensor) -> torch.Tensor:
        """The reward to give, and given, for the last forward's examples."""
        reward = self.get_field("reward")
        if not isinstance(reward, torch.Tensor):
            raise TorchError(f"{self.class_name}: a backward without a forward")
        if baseline.numel() != reward.numel():
            raise TorchError(
                f"{self.class_name}: a baseline of {size_text(baseline)} for {reward.numel()} examples"
            )
        reduced = reward - baseline.reshape(reward.shape)
        reduced = self.keep("vrReward", reduced / len(reward) if truthy(self.sizeAverage) else reduced)
        self.module.reinforce(reduced)
        return reward


@layer("nn.VRClassReward", package="dpnn", takes="table", target="class")
class VRClassReward(_Reward):
    """``nn.VRClassReward(module[, scale, criterion])``: a reward of scale (1) where the largest score is the target's.

    Shapes: ``{scores, baseline}``, ``(batch, classes)`` and ``(batch, 1)``, or one example's vectors; the target holds
    classes from 1. criterion (``nn.MSECriterion``) teaches the baseline.
    """

    def rewarded(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        batch = self.toBatch(prediction, 1)
        if batch.dim() != 2 or target.numel() != batch.shape[0]:
            raise TorchError(
                f"{self.class_name}: scores of {size_text(prediction)} and {target.numel()} targets"
            )
        return batch.argmax(1) == rows(self, target, batch.shape[1]).flatten()

    def updateGradInput(self, input: Any, target: Any) -> Any:
        prediction, baseline = tensors(self, input, 2)
        batch = self.toBatch(prediction.data, 1)
        baseline = self.toBatch(baseline.data, 1)
        reward = self.less_baseline(baseline)
        self.criterion.torch7_forward(baseline, reward)
        gradient = self.criterion.backward(baseline, reward)
        return self.keep_list(
            "gradInput", [self.fromBatch(torch.zeros_like(batch), 1), self.fromBatch(gradient, 1)]
        )


@layer("nn.BinaryClassReward", package="dpnn", takes="table", target="truths")
class BinaryClassReward(_Reward):
    """``nn.BinaryClassReward(module[, scale, criterion])``: a reward of scale (1) where a probability above 1/2 means
    the target.

    Shapes: ``{probabilities, baseline}``, ``(batch)`` and ``(batch)`` or ``(batch, 1)``; the target, ``(batch)``, holds
    0 and 1. criterion (``nn.MSECriterion``) teaches the baseline.
    """

    def rewarded(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        if prediction.dim() != 1 or target.dim() != 1 or target.shape != prediction.shape:
            raise TorchError(
                f"{self.class_name}: input {size_text(prediction)} and target {size_text(target)} must be vectors of "
                "one size"
            )
        return (prediction > 0.5).to(prediction.dtype) == no_nan(self, target).to(prediction.dtype)

    def updateGradInput(self, input: Any, target: Any) -> Any:
        prediction, baseline = tensors(self, input, 2)
        reward = self.less_baseline(baseline.data)
        gradient = self.criterion.backward(baseline.data, reward)
        return self.keep_list("gradInput", [torch.zeros_like(prediction.data), gradient])
