"""SparseLinear: a linear layer for inputs of which only the elements that are not zero are given."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import rows, size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import check_flag, check_type, fit
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError
from torch7py.ops.quirks import older
from torch7py.ops.random import uniform_

__all__ = ["SparseLinear"]

# What the gradient buffers hold: nothing, the gradient of one input, or more.
NOTHING, ONE_INPUT, MORE = 0, 1, 2


@layer(
    "nn.SparseLinear",
    takes="any",
    parameters="weight:2~uniform(1/sqrt(inputSize)) bias:1~uniform(1e-6/sqrt(inputSize))",
    example="inputSize",
)
class SparseLinear(Module):
    """``nn.SparseLinear(inputSize, outputSize[, doGradInput])``: ``y = W x + b`` for a sparse x.

    Shapes: an example is ``(n, 2)``, rows of an index from 1 to inputSize and a value -> ``(outputSize)``; a batch
    is a table of such, or ``(batch, n, 2)`` -> ``(batch, outputSize)``. gradInput is an empty table, or zeros for the
    last form; with ``doGradInput`` it holds all elements, in the form of the input. Parameters are drawn from
    ``uniform(-s, s)``, ``s = 1 / sqrt(inputSize)``: weight, then bias, which is divided by a million.

    After the gradient of one input alone, ``updateParameters`` and ``zeroGradParameters`` go over its columns of the
    weight and no others. Each backward adds ``weightDecay`` (0, a field) times the weight to its gradient.
    """

    traced = False
    transient = (*Module.transient, "_seen")
    new_lists = ("gradInput",)
    fields: ClassVar[tuple[str, ...]] = (
        "weightDecay",
        "doGradInput",
        "lastInput",
        "sparseUpdate",
        "formatted_input",
        "legacyMode",
    )

    def __init__(self, inputSize: int, outputSize: int, doGradInput: bool = False) -> None:
        super().__init__()
        self.weightDecay = 0
        self.doGradInput = check_flag("nn.SparseLinear", "doGradInput", doGradInput)
        self.add_parameter("weight", self.new(int(outputSize), int(inputSize)))
        self.add_parameter("bias", self.new(int(outputSize)))
        self.sparseUpdate = NOTHING
        self.__dict__["gradInput"] = []
        self.keep("output", self.new(int(outputSize)))
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        bound = 1 / math.sqrt(self.weight.shape[1]) if stdv is None else stdv * math.sqrt(3)
        uniform_(self.weight.data, -bound, bound)
        uniform_(self.bias.data, -bound, bound).mul_(0.000001)

    def _elements(self, input: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, int]:
        """For each element its example and its column, both 0-based, and its value; the number of examples."""
        examples = list(input) if isinstance(input, list) or input.dim() == 3 else [input]
        for example in examples:
            if not isinstance(example, torch.Tensor) or example.dim() != 2 or example.shape[1] != 2:
                sizes = size_text(example) if isinstance(example, torch.Tensor) else "no tensor"
                raise TorchError(
                    f"{self.class_name}: an example must be rows of an index and a value, not {sizes}"
                )
            check_type(self, "the input", example, self.weight)
        if not examples:
            nothing = self.weight.new_empty(0)
            return nothing.long(), nothing.long(), nothing, 0
        together = torch.cat(examples)
        counts = torch.tensor([len(example) for example in examples], device=together.device)
        numbers = torch.arange(len(examples), device=together.device).repeat_interleave(
            counts, output_size=len(together)
        )
        columns = rows(self, together[:, 0].detach(), self.weight.shape[1])
        return numbers, columns, together[:, 1], len(examples)

    @staticmethod
    def _single(input: Any) -> bool:
        return isinstance(input, torch.Tensor) and input.dim() == 2

    def forward(self, input: Any) -> torch.Tensor:
        numbers, columns, values, count = elements = self._elements(input)
        if self.noting and not older("SparseLinear update"):
            self.__dict__["_seen"] = elements
        if not count:
            return self.bias.clone()
        parts = self.weight.t()[columns] * values.unsqueeze(1)
        output = parts.new_zeros(count, self.weight.shape[0]).index_add(0, numbers, parts) + self.bias
        return output[0] if self._single(input) else output

    def updateOutput(self, input: Any) -> Any:
        if self.sparseUpdate == ONE_INPUT:
            self.sparseUpdate = MORE
        self.__dict__["legacyMode"] = isinstance(input, torch.Tensor) and input.dim() == 3
        return super().updateOutput(input)

    def _gradient(self, input: Any, gradOutput: torch.Tensor) -> torch.Tensor:
        """gradOutput with a row for each example."""
        count = 1 if self._single(input) else len(input)
        return fit(self, "gradOutput", gradOutput, self.weight.new_empty((count, self.weight.shape[0])))

    def updateGradInput(self, input: Any, gradOutput: torch.Tensor) -> Any:
        if self.gradInput is None:
            return None
        if older("SparseLinear gradInput"):
            numbers, columns, _, _ = self._elements(input)
            gradients = (self._gradient(input, gradOutput)[numbers] * self.weight.data.t()[columns]).sum(1)
            return self.keep("gradInput", torch.stack([(columns + 1).to(gradients.dtype), gradients], 1))
        tensor = isinstance(input, torch.Tensor) and input.dim() == 3
        if not self.doGradInput:
            return (
                self.keep("gradInput", torch.zeros_like(input)) if tensor else self.keep_list("gradInput", [])
            )
        gradient = self._gradient(input, gradOutput) @ self.weight.data
        numbers = torch.arange(1, self.weight.shape[1] + 1, device=gradient.device).to(gradient.dtype)
        dense = torch.stack([numbers.expand_as(gradient), gradient], 2)
        return self.keep("gradInput", dense) if tensor else self.keep_list("gradInput", list(dense.unbind()))

    def accGradParameters(self, input: Any, gradOutput: torch.Tensor, scale: float = 1) -> None:
        weight, bias = self.gradient("weight"), self.gradient("bias")
        seen = self.__dict__.get("_seen")  # the elements as they were at the forward
        if seen is None or seen[3] != (1 if self._single(input) else len(input)):
            seen = self._elements(input)
        numbers, columns, values, _ = seen
        gradient = self._gradient(input, gradOutput)
        if older("SparseLinear update"):
            self.keep("lastInput", columns)
        elif self.sparseUpdate == NOTHING:
            self.sparseUpdate = ONE_INPUT
            self.keep("lastInput", columns[values != 0])
        else:
            self.sparseUpdate = MORE
        if weight is not None:
            weight.index_add_(1, columns, (gradient[numbers] * values.unsqueeze(1)).t(), alpha=scale)
            if self.weightDecay and older("SparseLinear update"):
                weight.index_add_(1, columns, self.weight.data[:, columns], alpha=self.weightDecay)
            elif self.weightDecay:
                weight.add_(self.weight.data, alpha=self.weightDecay)
        if bias is not None:
            bias.add_(gradient.sum(0), alpha=scale)
            if self.weightDecay and older("SparseLinear update"):
                bias.add_(self.bias.data, alpha=self.weightDecay)

    def _last_columns(self) -> torch.Tensor:
        return self.lastInput.long()  # ``type()`` converts it with all else

    def updateParameters(self, learningRate: float) -> None:
        last_only = older("SparseLinear update")
        if last_only and self.get_field("lastInput") is None:
            raise TorchError(f"{self.class_name}: updateParameters without a backward")
        if self.sparseUpdate != ONE_INPUT and not last_only:
            super().updateParameters(learningRate)
            return
        columns = self._last_columns() if last_only else self._last_columns().unique()
        weight, bias = self.gradient("weight"), self.gradient("bias")
        if weight is None or bias is None or not columns.numel():  # the original leaves the bias, too
            return
        self.weight.data.index_add_(1, columns, weight[:, columns], alpha=-learningRate)
        self.bias.data.add_(bias, alpha=-learningRate)

    def zeroGradParameters(self) -> None:
        weight, bias = self.gradient("weight"), self.gradient("bias")
        if self.sparseUpdate == ONE_INPUT and weight is not None and bias is not None:
            weight.index_fill_(1, self._last_columns(), 0)
            bias.zero_()
        else:
            super().zeroGradParameters()
        self.sparseUpdate = NOTHING

    def clearState(self) -> Module:
        if self.sparseUpdate == ONE_INPUT:  # the columns are forgotten
            self.sparseUpdate = MORE
        self.clear("lastInput", "formatted_input")
        return super().clearState()
