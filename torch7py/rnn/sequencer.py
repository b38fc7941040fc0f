"""Sequences: Sequencer applies a module to every step, SequencerCriterion a criterion."""

from __future__ import annotations

from typing import Any

import torch

from torch7py.nn.base import Criterion, Module
from torch7py.nn.container import Container
from torch7py.nn.copying import deep_copy
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError
from torch7py.rnn.recurrent import AbstractRecurrent, Recursor

__all__ = ["AbstractSequencer", "Sequencer", "SequencerCriterion"]

MODES = ("both", "train", "eval", "neither")


def steps_of(input: Any, other: Any, what: str) -> int:
    """The number of steps in two sequences that belong together (tables, or tensors along dimension 1)."""
    if isinstance(input, torch.Tensor) != isinstance(other, torch.Tensor):
        raise TorchError(f"{what}: one of the two sequences is a tensor, the other a table")
    if not isinstance(input, (torch.Tensor, list)) or not isinstance(other, (torch.Tensor, list)):
        raise TorchError(f"{what}: a sequence is a table or a tensor")
    if len(input) != len(other):
        raise TorchError(f"{what}: sequences of {len(input)} and {len(other)} steps")
    return len(input)


@layer("nn.AbstractSequencer", package="rnn")
class AbstractSequencer(Container):
    """``nn.AbstractSequencer()``: the base of modules that take a whole sequence."""

    fields = ("_remember",)
    lua_methods = names("hasMemory")

    def __init__(self) -> None:
        super().__init__()
        self.__dict__["_remember"] = "neither"

    def remember(self, remember: str | None = None) -> Any:
        """``m:remember([mode])``: keep the memory between calls: 'both' (the default here), 'train', 'eval' or
        'neither'."""
        mode = "both" if remember is None else remember
        if mode not in MODES:
            raise TorchError(f"remember: '{mode}' is none of {', '.join(MODES)}")
        self.__dict__["_remember"] = mode
        return self

    def hasMemory(self) -> bool:
        """``m:hasMemory()``: whether the memory is kept between calls in the present mode."""
        return self._remember in ("both", "train" if self.training else "eval")

    def maxBPTTstep(self, rho: int) -> None:
        pass


@layer("nn.Sequencer", package="rnn")
class Sequencer(AbstractSequencer):
    """``nn.Sequencer(module)``: the module applied to each step of a sequence.

    Shapes: a table of the module's inputs -> a table of its outputs; or a tensor ``(steps, ...)`` ->
    ``(steps, ...)``. A module without steps of its own is wrapped in a Recursor. The memory is forgotten before
    each call unless ``remember`` says otherwise.
    """

    links = ("module",)

    def __init__(self, module: Module) -> None:
        if not isinstance(module, Module):
            raise TorchError("nn.Sequencer expects a module")
        super().__init__()
        self._modules["module"] = module if isinstance(module, AbstractRecurrent) else Recursor(module)
        self.__dict__["output"] = []
        self.__dict__["gradInput"] = []

    @property
    def inner_module(self) -> Any:
        return self._modules["module"]

    def set_child_list(self, children: list[Any]) -> None:
        if len(children) != 1:
            raise TorchError(f"{self.class_name} holds one module, not {len(children)}")
        self._modules["module"] = children[0]

    def forward(self, input: Any) -> Any:
        """From Python: a list of steps or ``(steps, batch, ...)``, from a forgotten memory."""
        steps = list(input)
        module = self.inner_module
        apart = isinstance(module, Recursor)
        outputs = [module(step) for step in steps] if apart else list(module(torch.stack(steps)))
        return torch.stack(outputs) if isinstance(input, torch.Tensor) else outputs

    def updateOutput(self, input: Any) -> Any:
        if not isinstance(input, (torch.Tensor, list)):
            raise TorchError(f"{self.class_name}: the input must be a table or a tensor of steps")
        module = self.inner_module
        module.maxBPTTstep(len(input))
        if not self.hasMemory():
            module.forget()
        # In evaluation every step has the same output tensor, so each is copied.
        outputs = (
            [module.updateOutput(step) for step in input]
            if self.training
            else [_copy(module.updateOutput(step)) for step in input]
        )
        return self._give("output", input, outputs)

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        steps = steps_of(input, gradOutput, self.class_name)
        module = self.inner_module
        gradients = [module.updateGradInput(input[t], gradOutput[t]) for t in range(steps - 1, -1, -1)]
        return self._give("gradInput", input, gradients[::-1])

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        module = self.inner_module
        for t in range(steps_of(input, gradOutput, self.class_name) - 1, -1, -1):
            module.accGradParameters(input[t], gradOutput[t], scale)

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        self.updateGradInput(input, gradOutput)
        self.accGradParameters(input, gradOutput, scale)
        return self.gradInput

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        raise TorchError(f"{self.class_name} has no accUpdateGradParameters")

    def _give(self, name: str, input: Any, steps: list[Any]) -> Any:
        if isinstance(input, torch.Tensor):
            return self.keep(name, torch.stack(steps))
        return self.keep_list(name, steps)

    def set_training(self) -> None:
        if not self.training:
            self.forget()
        super().set_training()

    def set_evaluate(self) -> None:
        if self.training:
            self.forget()
        super().set_evaluate()

    def clearState(self) -> Module:
        for name in ("output", "gradInput"):
            if isinstance(self.__dict__[name], list):
                self.__dict__[name].clear()
            else:
                self.clear(name)
        self.inner_module.clearState()
        return self

    def describe(self) -> str:
        return f"{self.class_name} @ {self.inner_module.describe()}"


def _copy(value: Any) -> Any:
    return [_copy(item) for item in value] if isinstance(value, list) else value.data.clone()


@layer("nn.SequencerCriterion", package="rnn")
class SequencerCriterion(Criterion):
    """``nn.SequencerCriterion(criterion[, sizeAverage])``: the sum of a criterion's losses over the steps.

    Shapes: two tables, or two tensors ``(steps, ...)``, of as many steps. With ``sizeAverage`` the sum is divided
    by the number of steps.
    """

    fields = ("sizeAverage", "clones")
    links = ("criterion",)
    lua_methods = names("getStepCriterion")

    def __init__(self, criterion: Criterion, sizeAverage: bool = False) -> None:
        if not isinstance(criterion, Criterion):
            raise TorchError("nn.SequencerCriterion expects a criterion")
        super().__init__()
        self._modules["criterion"] = criterion
        self.__dict__["sizeAverage"] = sizeAverage
        self.__dict__["clones"] = []
        self.__dict__["gradInput"] = []

    def getStepCriterion(self, step: int) -> Any:
        """``c:getStepCriterion(step)``: the clone that serves a step."""
        clones = self.__dict__["clones"]
        while len(clones) < step:
            clones.append(deep_copy(self._modules["criterion"], {}))
        return clones[int(step) - 1]

    def forward(self, input: Any, target: Any) -> Any:
        steps = steps_of(input, target, self.class_name)
        criterion: Any = self._modules["criterion"]
        total = sum(criterion(input[t], target[t]) for t in range(steps))
        return total / steps if self.sizeAverage else total

    def updateOutput(self, input: Any, target: Any) -> Any:
        steps = steps_of(input, target, self.class_name)
        total = 0.0
        for t in range(steps):
            loss = self.getStepCriterion(t + 1).torch7_forward(input[t], target[t])
            total += loss[0] if isinstance(loss, tuple) else loss
        self.__dict__["output"] = total / steps if self.sizeAverage else total
        return self.output

    def updateGradInput(self, input: Any, target: Any) -> Any:
        steps = steps_of(input, target, self.class_name)
        gradients = [self.getStepCriterion(t + 1).backward(input[t], target[t]) for t in range(steps)]
        if self.sizeAverage:
            for gradient in gradients:
                _divide(gradient, steps)
        if isinstance(input, torch.Tensor):
            return self.keep("gradInput", torch.stack(gradients))
        return self.keep_list("gradInput", gradients)


def _divide(gradient: Any, by: int) -> None:
    if isinstance(gradient, list):
        for item in gradient:
            _divide(item, by)
    else:
        gradient.div_(by)
