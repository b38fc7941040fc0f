"""Criterions over sequences: SequencerCriterion with a target a step, RepeaterCriterion with one for all."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch

from torch7py.nn.base import Criterion
from torch7py.nn.checks import truthy
from torch7py.nn.copying import deep_copy
from torch7py.nn.criterion_class import ClassNLLCriterion
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError
from torch7py.rnn import generation
from torch7py.rnn.masked_loss import MaskedClasses
from torch7py.rnn.masking import MaskZeroCriterion
from torch7py.rnn.sequencer import steps_of
from torch7py.rnn.stages import alias, marked, memory_of
from torch7py.rnn.steps import alike, rebound

__all__ = ["RepeaterCriterion", "SequencerCriterion"]


FEW = 256  # numbers that Python looks through faster than two operations of tensors


def contains(tensor: torch.Tensor, value: Any) -> bool:
    """Whether a tensor has an element of this value."""
    if tensor.numel() <= FEW and tensor.is_cpu:
        return value in tensor.reshape(-1).tolist()
    return bool((tensor == value).any())


class StepwiseCriterion(Criterion):
    """The base: each step has its own clone of the criterion; ``pairs`` says what it compares."""

    fields: ClassVar[tuple[str, ...]] = ("clones",)
    links = ("criterion",)
    lua_methods = names("getStepCriterion")

    def __init__(self, criterion: Criterion | None = None) -> None:
        # A class of a script's may set it afterwards.
        if criterion is not None and not isinstance(criterion, Criterion):
            raise TorchError(f"{self.torch7_name} expects a criterion")
        super().__init__()
        self._modules["criterion"] = criterion
        self.__dict__["clones"] = []
        self.__dict__["gradInput"] = []

    def getStepCriterion(self, step: int) -> Any:
        """``c:getStepCriterion(step)``: the clone that serves a step."""
        clones = self.__dict__["clones"]
        if self._modules.get("criterion") is None:
            raise TorchError(f"{self.class_name} has no criterion")
        while len(clones) < step:
            clones.append(deep_copy(self._modules["criterion"], {}))
        return clones[int(step) - 1]

    def pairs(self, input: Any, target: Any) -> list[tuple[Any, Any]]:
        """Input and target of each step."""
        raise NotImplementedError

    def give(self, gradients: list[Any]) -> Any:
        """Make these the content of gradInput, a new table each time."""
        self.__dict__["gradInput"] = None
        return self.keep_list("gradInput", gradients)

    def averaged(self, value: Any, steps: int) -> Any:
        return value

    def forward(self, input: Any, target: Any) -> Any:
        criterion: Any = self._modules["criterion"]
        pairs = self.pairs(input, target)
        return self.averaged(sum(criterion(x, y) for x, y in pairs), len(pairs))

    def updateOutput(self, input: Any, target: Any) -> Any:
        total = 0.0
        pairs = self.pairs(input, target)
        for number, (x, y) in enumerate(pairs, 1):
            loss = self.getStepCriterion(number).torch7_forward(x, y)
            total += loss[0] if isinstance(loss, tuple) else loss
        self.__dict__["output"] = self.averaged(total, len(pairs))
        return self.output

    def updateGradInput(self, input: Any, target: Any) -> Any:
        pairs = self.pairs(input, target)
        gradients = [self.getStepCriterion(n).backward(x, y) for n, (x, y) in enumerate(pairs, 1)]
        for gradient in gradients:
            self._average_gradient(gradient, len(pairs))
        if isinstance(input, torch.Tensor):
            return self.keep("gradInput", torch.stack(gradients))
        return self.give(gradients)

    def _average_gradient(self, gradient: Any, steps: int) -> None:
        if isinstance(gradient, list):
            for item in gradient:
                self._average_gradient(item, steps)
        else:
            gradient.copy_(self.averaged(gradient, steps))


@layer("nn.SequencerCriterion", package="rnn", parts="each", target="steps", takes="steps")
class SequencerCriterion(StepwiseCriterion):
    """``nn.SequencerCriterion(criterion[, sizeAverage])``: the sum of a criterion's losses over the steps.

    Shapes: two tables, or two tensors ``(steps, ...)``, of as many steps. With ``sizeAverage`` the sum is divided
    by the number of steps.
    """

    fields = ("sizeAverage", "isStateless")
    transient = (*StepwiseCriterion.transient, "_wide", "_by_steps", "_given")
    calls_in_passes = ("forward",)

    def __init__(self, criterion: Criterion | None = None, sizeAverage: bool = False) -> None:
        super().__init__(criterion)
        self.__dict__["sizeAverage"] = sizeAverage

    def pairs(self, input: Any, target: Any) -> list[tuple[Any, Any]]:
        steps = steps_of(input, target, self, generation.current().equal_lengths)
        return [(input[t], target[t]) for t in range(steps)]

    def averaged(self, value: Any, steps: int) -> Any:
        return value / steps if self.sizeAverage else value

    # Where the criterion looks at each row alone, all steps are one batch (see fused_sequence.py).

    def _as_one(self, input: Any, target: Any) -> tuple[torch.Tensor, torch.Tensor, float] | None:
        """Inputs and targets of all steps, and how often the mean over these is the loss; None when they do not fit."""
        criterion: Any = self._modules["criterion"]
        if criterion is None or not criterion.rows_alone or marked(criterion):
            return None
        steps = steps_of(input, target, self, generation.current().equal_lengths)
        x, y = alike(input[:steps]), alike(target[:steps])
        if isinstance(criterion, ClassNLLCriterion) and all(type(t) in (int, float) for t in target):
            y = torch.tensor(target[:steps])
        if x is None or y is None or x.dim() < 2 or y.dim() > x.dim():
            return None
        factor = steps if truthy(criterion.sizeAverage) else 1
        if factor != 1 and contains(y, criterion.__dict__.get("ignoreIndex", math.nan)):
            return None
        if y.dim() != x.dim():  # one target a row
            x, y = x.flatten(0, -2), y.reshape(-1)
            if x.dim() != 2 or x.shape[0] != y.shape[0]:
                return None
        elif x.shape != y.shape:
            return None
        return x, y, factor / steps if self.sizeAverage else factor

    def updateOutput(self, input: Any, target: Any) -> Any:
        last = self.__dict__.get("_wide")
        self.__dict__["_wide"] = None
        masked = self._masked(input, target)
        if masked is not None:
            self.__dict__["output"] = self.averaged(masked.loss(), len(masked.x))
            return self.output
        joined = self._as_one(input, target)
        if joined is None:
            return super().updateOutput(input, target)
        x, y, factor = joined
        wide = self._begin(last, x)
        steps = len(input)
        try:
            losses = wide.losses_of_groups(x, y, steps) if isinstance(wide, ClassNLLCriterion) else None
            self.__dict__["_by_steps"] = losses is not None
            if losses is not None:
                self.__dict__["output"] = self.averaged(sum(losses), steps)
                return self.output
            loss = wide.torch7_forward(x, y)
        except TorchError:  # step by step the message says in which step it is
            self.__dict__["_wide"] = None
            return super().updateOutput(input, target)
        self.__dict__["output"] = (loss[0] if isinstance(loss, tuple) else loss) * factor
        return self.output

    def _begin(self, last: Any, x: torch.Tensor) -> Any:
        """A criterion for all steps, whose gradient may go into the memory of the last one's, as in the original."""
        wide = self.__dict__["_wide"] = alias(self._modules["criterion"])
        held = None if last is None else last.__dict__["_own"].get("gradInput")
        if held is not None and memory_of(held) != memory_of(x):
            wide.__dict__["gradInput"] = wide.__dict__["_own"]["gradInput"] = held
        return wide

    def updateGradInput(self, input: Any, target: Any) -> Any:
        if generation.current().year == 2015 and len(input) > 2:
            self.__dict__["isStateless"] = True  # what the package of 2015 noted, having tried it
        masked = self._masked(input, target)
        if masked is not None:
            return self._give_joined(input, masked.gradient(self.averaged(1, len(masked.x))))
        wide = self.__dict__.get("_wide")
        joined = None if wide is None else self._as_one(input, target)
        if wide is None or joined is None:
            return super().updateGradInput(input, target)
        x, y, factor = joined
        gradient = wide.updateGradInput(x, y)
        if self.__dict__["_by_steps"]:
            factor = 1
            if self.sizeAverage:
                gradient.div_(len(input))
        if factor != 1:
            gradient.mul_(factor)
        return self._give_joined(input, gradient)

    def _give_joined(self, input: Any, gradient: torch.Tensor) -> Any:
        """Make the gradient of all steps the content of gradInput."""
        if isinstance(input, torch.Tensor):
            return self.keep("gradInput", gradient.view(input.shape))
        known: list[torch.Tensor] = self.__dict__.setdefault("_given", [])
        return self.give(rebound(known, gradient.view(-1, *input[0].shape)))

    def _masked(self, input: Any, target: Any) -> MaskedClasses | None:
        """The loss of a padded sequence, where it is done at once."""
        criterion = self._modules["criterion"]
        if not isinstance(criterion, MaskZeroCriterion):
            return None
        steps = steps_of(input, target, self, generation.current().equal_lengths)
        return MaskedClasses.of(criterion, input[:steps], target[:steps])


@layer("nn.RepeaterCriterion", package="rnn", parts="each", target="parts", takes="steps")
class RepeaterCriterion(StepwiseCriterion):
    """``nn.RepeaterCriterion(criterion)``: the sum of a criterion's losses of all steps against one target.

    Shapes: a table of steps, or a tensor ``(steps, ...)``; a target of the criterion.
    """

    def pairs(self, input: Any, target: Any) -> list[tuple[Any, Any]]:
        if not isinstance(input, (torch.Tensor, list)):
            raise TorchError(f"{self.class_name}: the input must be a table or a tensor of steps")
        return [(x, target) for x in input]
