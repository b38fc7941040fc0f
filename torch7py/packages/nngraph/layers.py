"""The small modules of nngraph: a table of one entry and back, and a criterion as a module."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import gradient_of
from torch7py.nn.base import Criterion, Module
from torch7py.nn.object import TorchObject
from torch7py.nn.registry import layer
from torch7py.nn.table import Passing
from torch7py.ops.errors import TorchError

__all__ = ["JustElement", "JustTable", "ModuleFromCriterion"]


@layer("nngraph.JustElement", takes="table", gives="any", shares_memory=True)
class JustElement(Passing):
    """``nngraph.JustElement()``: the entry of a table of one, as it is.

    Shapes: a table of one entry -> the entry, of any shape.
    """

    unsaved = ("_type",)
    nil_as: ClassVar[dict[str, Any]] = {"output": ()}

    def __init__(self) -> None:
        super().__init__()
        self.__dict__["output"] = self.new()

    def forward(self, input: Any) -> Any:
        if not isinstance(input, list) or len(input) != 1:
            raise TorchError("nngraph.JustElement: expecting one element")
        return input[0]

    def keep_output(self, value: Any, input: Any = None) -> Any:
        self.__dict__["output"] = value
        return value

    def grad_input(self, input: Any, gradOutput: Any) -> list[Any]:
        return [gradOutput]


@layer("nngraph.JustTable", takes="any", gives="table", shares_memory=True)
class JustTable(Passing):
    """``nngraph.JustTable()``: a table with the input as its one entry.

    Any shape -> a table of it.
    """

    unsaved = ("_type",)
    nil_as: ClassVar[dict[str, Any]] = {"gradInput": ()}

    def __init__(self) -> None:
        super().__init__()
        self.__dict__["gradInput"] = self.new()

    def forward(self, input: Any) -> list[Any]:
        return [input]

    def grad_input(self, input: Any, gradOutput: Any) -> Any:
        if not isinstance(gradOutput, list) or len(gradOutput) != 1:
            raise TorchError("nngraph.JustTable: gradOutput must be a table of one element")
        return gradOutput[0]

    def keep_grad_input(self, value: Any, gradOutput: Any = None) -> Any:
        self.__dict__["gradInput"] = value
        return value


@layer("nn.ModuleFromCriterion", package="nngraph", takes="table", parts="one", gives="any")
class ModuleFromCriterion(Module):
    """``nn.ModuleFromCriterion(criterion)``: a criterion as a module of the table ``{prediction, target}``.

    Shapes: those of the criterion -> a tensor of one element, the loss. The gradient of the prediction is scaled by
    gradOutput, that of the target is 0.
    """

    exact_gradient = True

    traced = False
    links: ClassVar[tuple[str, ...]] = ("criterion",)
    unsaved = ("_type",)

    def __init__(self, criterion: Criterion) -> None:
        super().__init__()
        if not isinstance(criterion, TorchObject):
            raise TorchError("nn.ModuleFromCriterion expects a criterion")
        self._modules["criterion"] = criterion
        self.keep("output", self.new(1))
        self.__dict__["gradInput"] = [self.new(), self.new()]

    def _pair(self, input: Any) -> tuple[Any, Any]:
        if not isinstance(input, list) or len(input) != 2:
            raise TorchError("nn.ModuleFromCriterion: the input must be a table {prediction, target}")
        return input[0], input[1]

    def forward(self, input: Any) -> torch.Tensor:
        prediction, target = self._pair(input)
        loss: torch.Tensor = self.criterion(prediction, _fixed(target))
        return loss.reshape(1)

    def updateOutput(self, input: Any) -> torch.Tensor:
        loss = self.criterion.updateOutput(*self._pair(input))
        value = self.new(1).fill_(loss[0] if isinstance(loss, tuple) else loss)
        return self.keep("output", value, is_result=True)

    def grad_input(self, input: Any, gradOutput: torch.Tensor) -> list[Any]:
        prediction, target = self._pair(input)
        scale = gradient_of(self, gradOutput, (1,))[0]
        return [_scaled(self.criterion.updateGradInput(prediction, target), scale), _zeros(target)]


def _fixed(value: Any) -> Any:
    return [_fixed(item) for item in value] if isinstance(value, list) else value.detach()


def _scaled(value: Any, scale: torch.Tensor) -> Any:
    return [_scaled(item, scale) for item in value] if isinstance(value, list) else value * scale


def _zeros(value: Any) -> Any:
    return [_zeros(item) for item in value] if isinstance(value, list) else torch.zeros_like(value)
