"""Losses: of probabilities, with classes that are left out, of few classes with weights, behind a module."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import argument_text, rows, size_text
from torch7py.nn.base import Criterion, Module
from torch7py.nn.checks import check_type, truthy
from torch7py.nn.criterion import TargetlessCriterion
from torch7py.nn.criterion_class import ClassNLLCriterion
from torch7py.nn.flat_parameters import flatten_both
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError

__all__ = [
    "ClassNLLCriterionWithUNK",
    "LearnedCriterion",
    "SequentialCriterion",
    "SoftPlusLSECriterion",
    "SoftPlusLSEMinusLSECriterion",
    "SparseNLLCriterion",
    "TrueNLLCriterion",
]

EPSILON = 1e-8  # TrueNLLCriterion adds this to a probability


class LearnedCriterion(Criterion):
    """A criterion with parameters, which a program learns as it does a module's."""

    lua_methods = names(
        "getParameters zeroGradParameters updateParameters accGradParameters", parameters="torch7_parameters"
    )

    def torch7_parameters(self) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """``c:parameters()``: tables of parameters and of their gradients."""
        raise NotImplementedError

    def accGradParameters(self, input: Any, target: Any, scale: float = 1) -> None:
        """``c:accGradParameters(input, target[, scale])``: add the parameters' gradients, scaled."""
        raise NotImplementedError

    def getParameters(self) -> tuple[torch.Tensor, torch.Tensor]:
        """``c:getParameters()``: all parameters in one flat tensor, all gradients in another."""
        return flatten_both(*self.torch7_parameters(), self.new)

    def zeroGradParameters(self) -> None:
        """``c:zeroGradParameters()``"""
        for gradient in self.torch7_parameters()[1]:
            gradient.zero_()

    def updateParameters(self, learningRate: float) -> None:
        """``c:updateParameters(learningRate)``: one step against the gradient."""
        for parameter, gradient in zip(*self.torch7_parameters(), strict=True):
            parameter.data.add_(gradient, alpha=-learningRate)


def _examples(criterion: Criterion, input: torch.Tensor, target: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """The input as rows, and the class of each row, from 0."""
    if not isinstance(input, torch.Tensor) or input.dim() not in (1, 2) or input.numel() == 0:
        raise TorchError(
            f"{criterion.class_name}: the input must be a vector or a matrix, not {argument_text(input)}"
        )
    batch = input if input.dim() == 2 else input.unsqueeze(0)
    if isinstance(target, (int, float)) and not isinstance(target, bool):
        target = torch.tensor([target], device=input.device)
    if not isinstance(target, torch.Tensor) or target.dim() != 1 or len(target) != len(batch):
        raise TorchError(
            f"{criterion.class_name}: {argument_text(target)} is no target for an input of {size_text(input)}"
        )
    return batch, rows(criterion, target, batch.shape[1])


@layer("nn.TrueNLLCriterion", package="fbnn", target="class")
class TrueNLLCriterion(Criterion):
    """``nn.TrueNLLCriterion()``: ``-log(p + 1e-8)``, p being the probability of the target; the mean over a batch.

    Shapes: ``(classes)`` with a number, or ``(batch, classes)`` with ``(batch)``; targets count from 1. With the field
    ``sizeAverage`` false it is the sum.
    """

    fields: ClassVar[tuple[str, ...]] = ("sizeAverage",)
    sizeAverage: bool | None = True

    def __init__(self) -> None:
        super().__init__()
        self.sizeAverage = True

    def forward(self, input: torch.Tensor, target: Any) -> torch.Tensor:
        batch, classes = _examples(self, input, target)
        total = -(batch.gather(1, classes.unsqueeze(1)) + EPSILON).log().sum()
        return total / len(batch) if truthy(self.sizeAverage) else total


@layer("nn.ClassNLLCriterionWithUNK", package="fbnn", target="class")
class ClassNLLCriterionWithUNK(Criterion):
    """``nn.ClassNLLCriterionWithUNK([unk_index, sizeAverage])``: ``nn.ClassNLLCriterion`` that leaves out one class.

    Shapes: ``(classes)`` with a number or a tensor of one, or ``(batch, classes)`` with ``(batch)``. ``forward`` in Lua
    returns the loss and how many targets it counts. A batch with a target of unk_index, or on the GPU any batch where
    there is an unk_index, has the sum for its loss, others the mean unless ``sizeAverage`` is false. A single target of
    unk_index leaves loss and gradient as they were.
    """

    links: ClassVar[tuple[str, ...]] = ("crit",)
    fields: ClassVar[tuple[str, ...]] = ("unk_index", "tmp", "gradInputExtra", "tensortype", "use_unk")
    spare: ClassVar[dict[str, Any]] = {"gradInputExtra": ()}
    unk_index: float | None
    tensortype: str

    def __init__(self, unk_index: float | None = None, sizeAverage: bool | None = None) -> None:
        super().__init__()
        self.unk_index = unk_index
        self._modules["crit"] = ClassNLLCriterion()
        if sizeAverage is not None:
            self.crit.sizeAverage = sizeAverage
        self.tensortype = self._type
        self.__dict__["tmp"] = torch.empty(0, dtype=torch.int64)

    def torch7_cuda(self, *cache: Any) -> Any:
        super().torch7_cuda(*cache)
        self.tensortype = "torch.CudaTensor"
        return self

    def _is_left_out(self, input: torch.Tensor, target: Any) -> bool:
        """Whether a single target is the one that is left out."""
        if input.dim() != 1 or self.unk_index is None:
            return False
        return bool((target.flatten()[0] if isinstance(target, torch.Tensor) else target) == self.unk_index)

    def _known_mask(self, input: torch.Tensor, target: Any) -> torch.Tensor | None:
        """Which targets of a batch count, where one may not; else None."""
        if input.dim() == 1:
            return None
        if input.dim() != 2 or not isinstance(target, torch.Tensor) or target.shape != input.shape[:1]:
            raise TorchError(
                f"{self.class_name}: {argument_text(target)} is no target for an input of {size_text(input)}"
            )
        mask = target != self.unk_index if self.unk_index is not None else torch.ones_like(target).bool()
        on_gpu = self.tensortype == "torch.CudaTensor" and self.unk_index is not None
        return mask if on_gpu or not bool(mask.all()) else None

    def _summed(self, input: torch.Tensor, target: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        classes = torch.where(mask, target, 1)
        chosen = input.gather(1, rows(self, classes, input.shape[1]).unsqueeze(1)).squeeze(1)
        return -torch.where(mask, chosen, 0).sum()

    def forward(self, input: torch.Tensor, target: Any) -> Any:
        if self._is_left_out(input, target):
            return input.sum() * 0
        mask = self._known_mask(input, target)
        return self.crit(input, target) if mask is None else self._summed(input, target, mask)

    def updateOutput(self, input: torch.Tensor, target: Any) -> Any:
        if self._is_left_out(input, target):
            return self.output, 0
        mask = self._known_mask(input, target)
        self.__dict__["use_unk"] = mask is not None
        if mask is not None:
            self.__dict__["output"] = self._summed(input.data, target, mask).item()
            return self.output, int(mask.sum())
        self.__dict__["output"] = self.crit.updateOutput(input, target)[0]
        return self.output, 1 if input.dim() == 1 else len(input)

    def updateGradInput(self, input: torch.Tensor, target: Any) -> Any:
        if self._is_left_out(input, target):
            return self.gradInput
        mask = self._known_mask(input, target)
        if mask is None:
            return self.keep("gradInput", self.crit.updateGradInput(input, target).clone())
        gradient = torch.zeros_like(input.data, memory_format=torch.contiguous_format)
        classes = rows(self, torch.where(mask, target, 1), input.shape[1])
        gradient.scatter_(1, classes.unsqueeze(1), -mask.to(input.dtype).unsqueeze(1))
        return self.keep("gradInput", gradient)


@layer("nn.SparseNLLCriterion", package="fbnn", target="other", gives="tensor")
class SparseNLLCriterion(Criterion):
    """``nn.SparseNLLCriterion(K)``: minus the log-probabilities of K classes, each times its target probability.

    Shapes: ``(classes)`` with ``{(K), LongTensor (K)}``, or both as a batch; the target holds probabilities and
    classes, from 1, no class twice. A target's probabilities must add up to 1, unless the field ``do_target_check``
    is false. The loss is a tensor of one element: the mean over the batch, with ``sizeAverage`` false the sum.
    """

    fields: ClassVar[tuple[str, ...]] = ("K", "do_target_check", "sizeAverage", "tmp_buffer")
    spare: ClassVar[dict[str, Any]] = {"tmp_buffer": ()}
    do_target_check: bool | None = True
    sizeAverage: bool | None = True

    def __init__(self, K: int) -> None:
        super().__init__()
        self.K = K
        self.do_target_check = self.sizeAverage = True
        self.keep("output", self.new(1))

    def _parts(self, input: torch.Tensor, target: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Rows, probabilities and classes, from 0."""
        pair = target if isinstance(target, list) and len(target) == 2 else [None, None]
        if input.dim() not in (1, 2) or any(
            not isinstance(part, torch.Tensor) or part.dim() != input.dim() for part in pair
        ):
            raise TorchError(f"{self.class_name}: the target must be a table of probabilities and classes")
        batch, shares, classes = (t if t.dim() == 2 else t.unsqueeze(0) for t in (input, *pair))
        check_type(self, "a probability", shares, batch)
        if shares.shape != classes.shape or len(shares) != len(batch):
            raise TorchError(
                f"{self.class_name}: probabilities of {size_text(shares)} and classes of {size_text(classes)} for an "
                f"input of {size_text(input)}"
            )
        return batch, shares, rows(self, classes, batch.shape[1])

    def forward(self, input: torch.Tensor, target: Any) -> torch.Tensor:
        batch, shares, classes = self._parts(input, target)
        if (
            truthy(self.do_target_check)
            and not shares.is_meta
            and float((shares.sum(1) - 1).abs().max()) > 1e-3
        ):
            raise TorchError(
                f"{self.class_name}: the target's probabilities do not add up to 1 (do_target_check = false takes any)"
            )
        total = -(batch.gather(1, classes) * shares).sum()
        return total / len(batch) if truthy(self.sizeAverage) else total

    def updateOutput(self, input: torch.Tensor, target: Any) -> Any:
        return self.keep("output", self.forward(input.data, target).view(1))

    def updateGradInput(self, input: torch.Tensor, target: Any) -> Any:
        batch, shares, classes = self._parts(input.data, target)
        gradient = torch.zeros_like(batch, memory_format=torch.contiguous_format).scatter_(
            1, classes, -shares
        )
        if truthy(self.sizeAverage):
            gradient /= len(batch)
        return self.keep("gradInput", gradient.view(input.shape))


class _LogSumExp(TargetlessCriterion):
    """Sums over the rows of a function of the logarithm of the row's sum of exponentials."""

    fields: ClassVar[tuple[str, ...]] = ("sizeAverage", "threshold", "LSE", "SoftPlusLSE")
    nil_as: ClassVar[dict[str, Any]] = {"SoftPlusLSE": None}

    def __init__(self, sizeAverage: bool | None = None) -> None:
        super().__init__()
        self.sizeAverage = True if sizeAverage is None else sizeAverage
        self.threshold = 20
        self.keep("LSE", self.new())

    def row_sums(self, input: torch.Tensor) -> torch.Tensor:
        if not isinstance(input, torch.Tensor) or input.dim() != 2 or input.numel() == 0:
            raise TorchError(f"{self.class_name}: the input must be a matrix, not {argument_text(input)}")
        return input.logsumexp(1, keepdim=True)


@layer("nn.SoftPlusLSECriterion", package="fbnn", target="none")
class SoftPlusLSECriterion(_LogSumExp):
    """``nn.SoftPlusLSECriterion([sizeAverage])``: ``sum log(1 + sum exp(x))`` over the rows. Shapes: ``(batch, n)``; no
    target. sizeAverage is a field that changes nothing, in the original either.
    """

    def forward(self, input: torch.Tensor, target: Any = None) -> torch.Tensor:
        return self.note("LSE", torch.nn.functional.softplus(self.row_sums(input))).sum()


@layer("nn.SoftPlusLSEMinusLSECriterion", package="fbnn", target="none")
class SoftPlusLSEMinusLSECriterion(_LogSumExp):
    """``nn.SoftPlusLSEMinusLSECriterion([sizeAverage])``: ``sum (log(1 + s) - log s)`` over the rows, ``s = sum
    exp(x)``. Shapes: ``(batch, n)``; no target. sizeAverage is a field that changes nothing, in the original either.
    """

    def forward(self, input: torch.Tensor, target: Any = None) -> torch.Tensor:
        sums = self.row_sums(input)
        soft = torch.nn.functional.softplus(sums)
        self.note("LSE", sums)
        self.note("SoftPlusLSE", soft)
        return (soft - sums).sum()


@layer("nn.SequentialCriterion", package="fbnn", parts="one", target="parts")
class SequentialCriterion(LearnedCriterion):
    """``nn.SequentialCriterion(module, criterion)``: a criterion of a module's output.

    Shapes: the module's input, and the criterion's target. Its parameters are the module's, then the criterion's
    where that has any; ``accGradParameters`` comes after ``updateGradInput`` of the same input.
    """

    links: ClassVar[tuple[str, ...]] = ("module", "criterion")
    lua_methods = names("accUpdateGradParameters")

    def __init__(self, module: Module, criterion: Criterion) -> None:
        if not isinstance(module, Module) or not isinstance(criterion, Criterion):
            raise TorchError("nn.SequentialCriterion expects a module and a criterion")
        super().__init__()
        self._modules.update(module=module, criterion=criterion)

    def forward(self, input: Any, target: Any) -> Any:
        return self.criterion(self.module(input), target)

    def updateOutput(self, input: Any, target: Any) -> Any:
        output = self.module.updateOutput(input)
        result = self.criterion.updateOutput(output, target)
        self.__dict__["output"] = result[0] if isinstance(result, tuple) else result
        return self.output

    def updateGradInput(self, input: Any, target: Any) -> Any:
        gradient = self.criterion.updateGradInput(self.module.output, target)
        self.__dict__["gradInput"] = self.module.updateGradInput(input, gradient)
        return self.gradInput

    def _learned(self) -> LearnedCriterion | None:
        return self.criterion if isinstance(self.criterion, LearnedCriterion) else None

    def torch7_parameters(self) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        parameters, gradients = self.module.parameter_pairs()
        learned = self._learned()
        criterion_parameters = ([], []) if learned is None else learned.torch7_parameters()
        return [*parameters, *criterion_parameters[0]], [*gradients, *criterion_parameters[1]]

    def accGradParameters(self, input: Any, target: Any, scale: float = 1) -> None:
        learned = self._learned()
        if learned is not None:
            learned.accGradParameters(self.module.output, target, scale)
        self.module.accGradParameters(input, self.criterion.gradInput, scale)

    def accUpdateGradParameters(self, input: Any, target: Any, lr: float) -> None:
        """``c:accUpdateGradParameters(input, target, lr)``: move the module's parameters at once."""
        if self._learned() is not None:
            raise TorchError(f"{self.class_name}: {self.criterion.class_name} has no accUpdateGradParameters")
        self.module.accUpdateGradParameters(input, self.criterion.gradInput, lr)

    def zeroGradParameters(self) -> None:
        learned = self._learned()
        if learned is not None:
            learned.zeroGradParameters()
        self.module.zeroGradParameters()

    def updateParameters(self, learningRate: float) -> None:
        self.module.updateParameters(learningRate)
        learned = self._learned()
        if learned is not None:
            learned.updateParameters(learningRate)
