"""Linear layers and thresholds of sparse inputs, which list only the elements that are not zero."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import argument_text, gradient_of, rows, size_text, tensors
from torch7py.nn.base import Module
from torch7py.nn.checks import check_type, truthy
from torch7py.nn.object import names
from torch7py.nn.rectifier import Threshold
from torch7py.nn.registry import layer
from torch7py.nn.sparse_linear import SparseLinear
from torch7py.ops.errors import TorchError
from torch7py.ops.random import uniform_

__all__ = ["KeyedSparseLinear", "SegSparseLinear", "SparseThreshold"]


@layer("fbnn.SparseLinear", takes="table")
class KeyedSparseLinear(SparseLinear):
    """``fbnn.SparseLinear(inputSize, outputSize[, useSparseUpdate, skipUpdateGradInput])``: ``nn.SparseLinear`` that
    also takes keys and values apart.

    Shapes: those of ``nn.SparseLinear``, or ``{LongTensor (n), (n)}`` -> ``(outputSize)``, ``{LongTensor (batch, n),
    (batch, n)}`` -> ``(batch, outputSize)``; of a batch of one ``(outputSize)``. A value of 0 counts for nothing, its
    key may be any. For keys and values there is no gradInput. With ``useSparseUpdate`` there must be one backward
    between ``zeroGradParameters`` and ``updateParameters``, which go over the columns of its keys alone.
    skipUpdateGradInput sets gradInput to nil.
    """

    fields: ClassVar[tuple[str, ...]] = ("useSparseUpdate", "numBackward", "lastInputKey", "lastInputVal")
    useSparseUpdate: bool | None = None
    numBackward: int = 0
    lastInputKey: torch.Tensor | None = None
    lastInputVal: torch.Tensor | None = None

    def __init__(
        self,
        inputSize: int,
        outputSize: int,
        useSparseUpdate: bool | None = None,
        skipUpdateGradInput: bool | None = None,
    ) -> None:
        super().__init__(inputSize, outputSize)
        self.useSparseUpdate = useSparseUpdate
        self.numBackward = 0
        if truthy(skipUpdateGradInput):
            self.set_field("gradInput", None)

    @staticmethod
    def _is_pair(input: Any) -> bool:
        """Whether an input is keys and values; nn's table of examples has floating tensors of two columns."""
        return (
            isinstance(input, list)
            and len(input) == 2
            and isinstance(input[0], torch.Tensor)
            and input[0].dtype == torch.int64
        )

    def _elements(self, input: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, int]:
        if not self._is_pair(input):
            return super()._elements(input)
        keys, values = input
        if not isinstance(values, torch.Tensor) or keys.shape != values.shape or keys.dim() not in (1, 2):
            raise TorchError(
                f"{self.class_name}: keys of {size_text(keys)} and values of {argument_text(values)} do not fit"
            )
        check_type(self, "a value", values, self.weight)
        batch, of_values = (t if t.dim() == 2 else t.unsqueeze(0) for t in (keys, values))
        numbers = torch.arange(len(batch), device=values.device).unsqueeze(1).expand_as(batch).flatten()
        used = of_values.detach().flatten() != 0
        columns = rows(self, torch.where(used, batch.flatten(), 1), self.weight.shape[1])
        return numbers, columns, of_values.flatten(), len(batch)

    def _single(self, input: Any) -> bool:  # type: ignore[override]
        if self._is_pair(input):
            return input[0].dim() == 1 or len(input[0]) == 1
        return SparseLinear._single(input)

    def _gradient(self, input: Any, gradOutput: torch.Tensor) -> torch.Tensor:
        if not self._is_pair(input):
            return super()._gradient(input, gradOutput)
        count = 1 if input[0].dim() == 1 else len(input[0])
        return gradient_of(self, gradOutput, (count, self.weight.shape[0]))

    def updateGradInput(self, input: Any, gradOutput: torch.Tensor) -> Any:
        if self.gradInput is not None and self._is_pair(input):
            raise TorchError(f"{self.class_name}: there is no gradInput for keys and values")
        return super().updateGradInput(input, gradOutput)

    def accGradParameters(self, input: Any, gradOutput: torch.Tensor, scale: float = 1) -> None:
        if self.useSparseUpdate:
            if self.numBackward:
                raise TorchError(
                    f"{self.class_name}: with useSparseUpdate there is one backward before updateParameters"
                )
            self.numBackward += 1
        super().accGradParameters(input, gradOutput, scale)
        if self._is_pair(input):
            self.keep("lastInputKey", input[0].clone().view(-1, input[0].shape[-1]))
            self.keep("lastInputVal", input[1].data.clone().view(-1, input[1].shape[-1]))

    def _columns(self) -> torch.Tensor:
        """The columns of the last keys, each once."""
        assert self.lastInputKey is not None
        assert self.lastInputVal is not None
        columns: torch.Tensor = torch.unique(self.lastInputKey[self.lastInputVal != 0] - 1)
        return columns

    def updateParameters(self, learningRate: float) -> None:
        if not self.useSparseUpdate:
            Module.updateParameters(self, learningRate)
            return
        if self.numBackward != 1:
            raise TorchError(f"{self.class_name}: updateParameters without a backward")
        weight, bias = self.gradient("weight"), self.gradient("bias")
        if self.lastInputKey is None or weight is None or bias is None:
            super().updateParameters(learningRate)
            return
        columns = self._columns()
        self.weight.data.index_add_(1, columns, weight[:, columns], alpha=-learningRate)
        self.bias.data.add_(bias, alpha=-learningRate)

    def zeroGradParameters(self) -> None:
        weight, bias = self.gradient("weight"), self.gradient("bias")
        sparse = self.useSparseUpdate and self.lastInputKey is not None and self.numBackward == 1
        if sparse and weight is not None and bias is not None:
            weight.index_fill_(1, self._columns(), 0)
            bias.zero_()
            self.sparseUpdate = 0
        elif self.useSparseUpdate:
            Module.zeroGradParameters(self)
            self.sparseUpdate = 0
        else:
            super().zeroGradParameters()
        self.numBackward = 0


@layer(
    "fbnn.SegSparseLinear",
    takes="table",
    parameters="weight:2~uniform(1/sqrt(inputSize)) bias:1~uniform(1e-6/sqrt(inputSize))",
)
class SegSparseLinear(Module):
    """``fbnn.SegSparseLinear(inputSize, outputSize[, useSparseGrad, learningRateMul])``: ``y = W x + b`` of a batch
    whose elements are given one by one.

    Shapes: ``{examples (n), keys (n), values (n)}``, the first two from 1 -> ``(batch, outputSize)``; batch is the
    field ``batch_size`` of the table, or else the largest example. ``weight`` is ``(inputSize, outputSize)``. It is
    drawn from ``uniform(-s, s)``, ``s = 1 / sqrt(inputSize)``, then the bias, which is divided by a million.

    There is no gradInput. ``updateParameters`` moves the rows of the last input's keys by the rate times
    learningRateMul (1), and zeroes their gradients and the bias's; ``zeroGradParameters`` zeroes nothing. With
    ``useSparseGrad`` there is no ``gradWeight``, and the gradient is that of the last backward.
    """

    traced = False
    fields: ClassVar[tuple[str, ...]] = (
        *("useSparseGrad", "learningRateMul", "ones", "_sparseBuf", "sparseGradWeightPtr"),
        "lastInput",
    )
    lua_methods = names("setLearningRateMul setUseSparseGrad")
    useSparseGrad: bool | None = False
    learningRateMul: float = 1
    lastInput: Any = None

    def __init__(
        self,
        inputSize: int,
        outputSize: int,
        useSparseGrad: bool | None = None,
        learningRateMul: float | None = None,
    ) -> None:
        super().__init__()
        self.add_parameter("weight", self.new(int(inputSize), int(outputSize)))
        self.add_parameter("bias", self.new(int(outputSize)))
        self.learningRateMul = 1 if learningRateMul is None else learningRateMul
        self.useSparseGrad = False
        self.setUseSparseGrad(truthy(useSparseGrad))
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        """``m:reset([stdv])``: draw the parameters with this standard deviation."""
        inputs, outputs = self.weight.shape
        bound = 1 / math.sqrt(inputs) if stdv is None else stdv * math.sqrt(3)
        drawn = uniform_(self.weight.data.new_empty(outputs, inputs), -bound, bound)
        self.weight.data.copy_(drawn.t())
        uniform_(self.bias.data, -bound, bound).mul_(1e-6)

    def setLearningRateMul(self, learningRateMul: float) -> None:
        """``m:setLearningRateMul(factor)``"""
        self.learningRateMul = learningRateMul

    def setUseSparseGrad(self, useSparseGrad: bool) -> None:
        """``m:setUseSparseGrad(flag)``"""
        if self.useSparseGrad != useSparseGrad:
            self.set_field("gradWeight", None if useSparseGrad else torch.zeros_like(self.weight.data))
        self.useSparseGrad = useSparseGrad

    def _parts(self, input: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, int]:
        """Examples and keys, from 0, values, and the number of examples."""
        size = None
        if isinstance(input, dict):
            size, input = input.get("batch_size"), [input.get(number) for number in (1, 2, 3)]
        segments, keys, values = tensors(self, input, 3)
        if len({t.numel() for t in (segments, keys, values)}) != 1 or values.dim() != 1:
            actual = ", ".join(map(size_text, (segments, keys, values)))
            raise TorchError(
                f"{self.class_name}: examples, keys and values must be 3 vectors of one size, not {actual}"
            )
        check_type(self, "a value", values, self.weight)
        if size is None:
            size = max(segments.tolist(), default=0)
        return rows(self, segments, int(size)), rows(self, keys, len(self.weight)), values, int(size)

    def forward(self, input: Any) -> torch.Tensor:
        segments, keys, values, count = self._parts(input)
        parts = self.weight[keys] * values.unsqueeze(1)
        output: torch.Tensor = self.bias + parts.new_zeros(count, parts.shape[1]).index_add(
            0, segments, parts
        )
        return output

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        """Nothing: it is taken for the first layer."""
        return None

    def accGradParameters(self, input: Any, gradOutput: torch.Tensor, scale: float = 1) -> None:
        segments, keys, values, count = self._parts(input)
        gradient = gradient_of(self, gradOutput, (count, self.weight.shape[1]))
        parts = gradient[segments] * values.data.unsqueeze(1)
        weight, bias = self.gradient("weight"), self.gradient("bias")
        if self.useSparseGrad:
            weight = self.__dict__["_rows"] = torch.zeros_like(self.weight.data)
        if weight is not None:
            weight.index_add_(0, keys, parts, alpha=scale)
        if bias is not None:
            bias.add_(gradient.sum(0), alpha=scale)
        self.__dict__["lastInput"] = input

    def updateParameters(self, learningRate: float) -> None:
        if self.lastInput is None:
            raise TorchError(f"{self.class_name}: updateParameters without a backward")
        rate = learningRate * self.learningRateMul
        keys = torch.unique(self._parts(self.lastInput)[1])
        weight = self.__dict__.get("_rows") if self.useSparseGrad else self.gradient("weight")
        bias = self.gradient("bias")
        if weight is not None:
            self.weight.data.index_add_(0, keys, weight[keys], alpha=-rate)
            weight[keys] = 0
        if bias is not None:
            self.bias.data.add_(bias, alpha=-rate)
            bias.zero_()
        self.__dict__["lastInput"] = None

    def zeroGradParameters(self) -> None:
        """Forget a sparse gradient. The dense ones are zeroed by ``updateParameters``."""
        self.__dict__.pop("_rows", None)

    def describe(self) -> str:
        inputs, outputs = self.weight.shape
        return f"{self.class_name}({inputs} -> {outputs})"


@layer("nn.SparseThreshold", package="fbnn", keeps_rank=True, parts="fixed")
class SparseThreshold(Module):
    """``nn.SparseThreshold([threshold, value])``: ``nn.Threshold`` of the values, beside the indices.

    Shapes: ``(..., 2)``, of an index and a value -> the same. gradInput has gradOutput's indices.
    """

    traced = False
    links: ClassVar[tuple[str, ...]] = ("module",)

    def __init__(self, th: float | None = None, v: float | None = None) -> None:
        super().__init__()
        self._modules["module"] = Threshold(1e-6 if th is None else th, 0 if v is None else v)

    def _values(self, input: torch.Tensor) -> torch.Tensor:
        if not isinstance(input, torch.Tensor) or input.numel() == 0 or input.shape[-1] != 2:
            raise TorchError(
                f"{self.class_name}: the input must have 2 columns, an index and a value, not {argument_text(input)}"
            )
        return input[..., 1]

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        values = self.module(self._values(input))
        return torch.stack([input[..., 0], values], -1)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        gradient = gradient_of(self, gradOutput, input.shape)
        values = self.module.updateGradInput(self._values(input), gradient[..., 1])
        return torch.stack([gradient[..., 0], values], -1)
