"""Criterions made of criterions, and those that work with a module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import numbered
from torch7py.nn.base import Criterion, Module
from torch7py.nn.checks import truthy
from torch7py.nn.copying import TensorMap
from torch7py.nn.object import TorchObject, names
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError
from torch7py.ops.memory import Storage
from torch7py.ops.program_output import say
from torch7py.ops.types import DOUBLE

__all__ = ["CriterionTable", "ModuleCriterion", "MultiCriterion", "ParallelCriterion"]


def _zeros(value: Any) -> Any:
    """Zeros in the nesting of an input."""
    if isinstance(value, list):
        return [_zeros(item) for item in value]
    return torch.zeros_like(value.data, memory_format=torch.contiguous_format)


def _add(total: Any, factor: float, gradient: Any) -> None:
    """Add a nested gradient, times a factor, to a total in its nesting."""
    if isinstance(total, list):
        if not isinstance(gradient, list) or len(gradient) > len(total):
            raise TorchError("a criterion's gradient does not fit its input")
        for one, other in zip(total, gradient, strict=False):
            _add(one, factor, other)
    else:
        total.add_(gradient.view(total.shape), alpha=factor)


def _parts(value: Any) -> list[Any] | None:
    """What ``value[i]`` gives in Lua, for each i: of a tensor of one dimension numbers. None for what has no parts."""
    if isinstance(value, torch.Tensor) and value.dim() > 0:
        return value.tolist() if value.dim() == 1 else list(value)
    value = numbered(value)
    return value if isinstance(value, list) else None


def _loss(criterion: Any, input: Any, target: Any) -> float:
    """A criterion's loss; some return the weight too."""
    result = criterion.updateOutput(input, target)
    loss: float = result[0] if isinstance(result, tuple) else result
    return loss


class _Sum(Criterion):
    """A weighted sum of the criterions in the field ``criterions``."""

    fields: ClassVar[tuple[str, ...]] = ("criterions", "weights")
    lists: ClassVar[tuple[str, ...]] = ("criterions",)
    structural = Criterion.structural | {"add"}
    lua_methods = names("add")

    def __init__(self) -> None:
        super().__init__()
        self.__dict__["criterions"] = []

    def inner(self) -> Iterator[TorchObject]:
        yield from super().inner()
        yield from (c for c in self.__dict__.get("criterions", ()) if isinstance(c, TorchObject))

    def add(self, criterion: Criterion, weight: float = 1) -> _Sum:
        """``c:add(criterion[, weight])``: one more, its loss times weight (1); returns the criterion."""
        if not isinstance(criterion, Criterion):
            raise TorchError(f"{self.class_name}:add expects a criterion")
        self.criterions.append(criterion)
        self.append_weight(weight)
        return self

    def append_weight(self, weight: float) -> None:
        raise NotImplementedError

    def terms(self, input: Any, target: Any) -> list[tuple[float, Any, Any, Any]]:
        """Weight, criterion, input and target of each term."""
        raise NotImplementedError

    def forward(self, input: Any, target: Any) -> Any:
        return sum(weight * criterion(x, t) for weight, criterion, x, t in self.terms(input, target))

    def updateOutput(self, input: Any, target: Any) -> Any:
        terms = self.terms(input, target)
        self.__dict__["output"] = sum(weight * _loss(criterion, x, t) for weight, criterion, x, t in terms)
        return self.output

    def keep_gradient(self, value: Any) -> Any:
        return (
            self.keep_list("gradInput", value) if isinstance(value, list) else self.keep("gradInput", value)
        )


@layer("nn.ParallelCriterion", parts="entries", target="parts", takes="table")
class ParallelCriterion(_Sum):
    """``nn.ParallelCriterion([repeatTarget])``: the i-th criterion gets the i-th input and the i-th target.

    Shapes: a table of inputs and one of targets, at least as many as criterions; with ``repeatTarget`` all get the
    same target. A tensor stands for the table of what is along its first dimension. The loss is the sum, each times
    its weight; the gradient of further inputs is 0.
    """

    fields: ClassVar[tuple[str, ...]] = ("repeatTarget",)
    emptied_by_type = ("gradInput",)

    def __init__(self, repeatTarget: bool | None = None) -> None:
        super().__init__()
        self.repeatTarget = repeatTarget
        self.__dict__["weights"] = []
        self.__dict__["gradInput"] = []

    def append_weight(self, weight: float) -> None:
        self.weights.append(weight)

    def terms(self, input: Any, target: Any) -> list[tuple[float, Any, Any, Any]]:
        count = len(self.criterions)
        targets = [target] * count if truthy(self.repeatTarget) else target
        inputs = None if isinstance(input, torch.Tensor) and input.dim() < 2 else _parts(input)
        targets = _parts(targets)
        for what, value in (("inputs", inputs), ("targets", targets)):
            if value is None or len(value) < count:
                raise TorchError(f"{self.class_name} expects a table of {count} {what}")
        return list(zip(self.weights, self.criterions, inputs or [], targets or [], strict=False))

    def updateGradInput(self, input: Any, target: Any) -> Any:
        terms = self.terms(input, target)
        total = _zeros(input)
        for part, (weight, criterion, x, t) in zip(total, terms, strict=False):
            _add(part, weight, criterion.updateGradInput(x, t))
        return self.keep_gradient(total)


@layer("nn.MultiCriterion", parts="branches", target="parts", takes="parts")
class MultiCriterion(_Sum):
    """``nn.MultiCriterion()``: several criterions of the same input and target.

    Shapes: what all of them take. The loss is the sum, each times its weight.
    """

    def __init__(self) -> None:
        super().__init__()
        self.__dict__["weights"] = Storage.of_size(DOUBLE, 0, torch.device("cpu"))

    def append_weight(self, weight: float) -> None:
        count = len(self.criterions)
        self.weights.resize(count)
        self.weights.tensor()[count - 1] = weight

    def terms(self, input: Any, target: Any) -> list[tuple[float, Any, Any, Any]]:
        weights = self.weights.tensor().tolist()
        return [(w, c, input, target) for w, c in zip(weights, self.criterions, strict=True)]

    def updateGradInput(self, input: Any, target: Any) -> Any:
        total = _zeros(input)
        for weight, criterion, x, t in self.terms(input, target):
            _add(total, weight, criterion.updateGradInput(x, t))
        return self.keep_gradient(total)


@layer("nn.CriterionTable", takes="table", gives="number", parts="one")
class CriterionTable(Module):
    """``nn.CriterionTable(criterion)``: a criterion as a module of a table of input and target.

    Shapes: ``{input, target}`` -> the loss, a number. gradInput is a table that holds the criterion's.
    """

    links: ClassVar[tuple[str, ...]] = ("criterion",)

    def __init__(self, criterion: Criterion) -> None:
        if not isinstance(criterion, Criterion):
            raise TorchError("nn.CriterionTable expects a criterion")
        super().__init__()
        self._modules["criterion"] = criterion
        self.__dict__["gradInput"] = [criterion.gradInput]

    def _both(self, input: Any) -> tuple[Any, Any]:
        if not isinstance(input, list) or not input:
            raise TorchError(f"{self.class_name}: the input must be a table of input and target")
        return input[0], input[1] if len(input) > 1 else None

    def forward(self, input: Any) -> Any:
        return self.criterion(*self._both(input))

    def updateOutput(self, input: Any) -> Any:
        self.__dict__["output"] = _loss(self.criterion, *self._both(input))
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Any = None) -> Any:
        return self.keep_list("gradInput", [self.criterion.updateGradInput(*self._both(input))])

    def accGradParameters(self, input: Any, gradOutput: Any = None, scale: float = 1) -> None:
        """There are no parameters."""

    def backward(self, input: Any, gradOutput: Any = None, scale: float = 1) -> Any:
        self.updateGradInput(input, gradOutput)
        self.accGradParameters(input, gradOutput, scale)
        return self.gradInput


@layer("nn.ModuleCriterion", parts="one", target="parts", takes="parts")
class ModuleCriterion(Criterion):
    """``nn.ModuleCriterion(criterion[, inputModule, targetModule, castTarget])``: modules before a criterion.

    Shapes: what the modules take. Input and target go through their modules, if any, and the gradient back through
    inputModule, whose parameters are not learned. With ``castTarget`` false ``type()`` leaves targetModule as it is.
    """

    fields: ClassVar[tuple[str, ...]] = ("castTarget", "input", "target")
    nil_as: ClassVar[dict[str, Any]] = {"output": 0, "gradInput": ()}
    links: ClassVar[tuple[str, ...]] = ("criterion", "inputModule", "targetModule")

    def __init__(
        self,
        criterion: Criterion,
        inputModule: Module | None = None,
        targetModule: Module | None = None,
        castTarget: bool = True,
    ) -> None:
        if not isinstance(criterion, Criterion):
            raise TorchError("nn.ModuleCriterion expects a criterion")
        super().__init__()
        self._modules.update(criterion=criterion, inputModule=inputModule, targetModule=targetModule)
        self.castTarget = castTarget
        if inputModule is not None and (inputModule.torch7_parameters() or ([],))[0]:
            say("Warning: nn.ModuleCriterion doesn't support parameter updates")

    def forward(self, input: Any, target: Any) -> Any:
        if self.inputModule is not None:
            input = self.inputModule(input)
        if self.targetModule is not None:
            with torch.no_grad():
                target = self.targetModule(target)
        return self.criterion(input, target)

    def updateOutput(self, input: Any, target: Any) -> Any:
        if self.inputModule is not None:
            input = self.__dict__["input"] = self.inputModule.torch7_forward(input)
        if self.targetModule is not None:
            target = self.__dict__["target"] = self.targetModule.torch7_forward(target)
        result = self.criterion.torch7_forward(input, target)
        self.__dict__["output"] = result[0] if isinstance(result, tuple) else result
        return self.output

    def updateGradInput(self, input: Any, target: Any) -> Any:
        """The gradient at what the modules gave in the last forward."""
        inner, wanted = self.__dict__.get("input"), self.__dict__.get("target")
        if (self.inputModule is not None and inner is None) or (
            self.targetModule is not None and wanted is None
        ):
            raise TorchError(f"{self.class_name}: a backward without a forward")
        gradient = self.criterion.backward(
            input if self.inputModule is None else inner, target if self.targetModule is None else wanted
        )
        if self.inputModule is not None:
            gradient = self.inputModule.backward(input, gradient)
        self.__dict__["gradInput"] = gradient
        return gradient

    def convert(self, convert: TensorMap, type_name: str | None, seen: set[int] | None = None) -> None:
        if truthy(self.castTarget):
            super().convert(convert, type_name, seen)
            return
        kept = self._modules.pop("targetModule")
        try:
            super().convert(convert, type_name, seen)
        finally:
            self._modules["targetModule"] = kept
