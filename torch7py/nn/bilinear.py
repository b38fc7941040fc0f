"""Bilinear: a product of two inputs through a learned tensor."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn.arguments import size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import check_type, fit, truthy
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError
from torch7py.ops.random import uniform_

__all__ = ["Bilinear"]


@layer(
    "nn.Bilinear",
    takes="table",
    parameters="weight:3~uniform(1/sqrt(inputSize1)) bias:1~uniform(1/sqrt(inputSize1))",
)
class Bilinear(Module):
    """``nn.Bilinear(inputSize1, inputSize2, outputSize[, bias])``: ``y_k = x1 W_k x2 + b_k``.

    Shapes: a table of ``(batch, inputSize1)`` and ``(batch, inputSize2)`` -> ``(batch, outputSize)``. Parameters
    are drawn from ``uniform(-s, s)``, ``s = 1 / sqrt(inputSize1)``: weight, then bias. As in the original, the
    gradient of the weight is not multiplied by scale, which must not be negative.
    """

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("buff1", "buff2")

    def __init__(self, inputSize1: int, inputSize2: int, outputSize: int, bias: bool = True) -> None:
        super().__init__()
        sizes = (outputSize, inputSize1, inputSize2)
        if not all(isinstance(n, (int, float)) and n == int(n) and n > 0 for n in sizes):
            raise TorchError("nn.Bilinear: the sizes must be positive integers")
        self.add_parameter("weight", self.new(*map(int, sizes)))
        if truthy(bias):
            self.add_parameter("bias", self.new(int(outputSize)))
        else:
            self.register_parameter("bias", None)
        self.__dict__["gradInput"] = [self.new(), self.new()]
        self.reset()

    def reset(self, stdv: float | None = None) -> Bilinear:
        bound = 1 / math.sqrt(self.weight.shape[1]) if stdv is None else stdv * math.sqrt(3)
        uniform_(self.weight.data, -bound, bound)
        if self.bias is not None:
            uniform_(self.bias.data, -bound, bound)
        return self

    def _pair(self, input: Any) -> tuple[torch.Tensor, torch.Tensor]:
        if not isinstance(input, list) or len(input) != 2:
            raise TorchError(f"{self.class_name}: the input must be a table of two tensors")
        first, second = input
        if first.dim() != 2 or second.dim() != 2 or first.shape[0] != second.shape[0]:
            sizes = f"{size_text(first)} and {size_text(second)}"
            raise TorchError(f"{self.class_name}: the inputs must be matrices of as many rows, not {sizes}")
        for number, (tensor, size) in enumerate(zip(input, self.weight.shape[1:], strict=True), 1):
            if tensor.shape[1] != size:
                raise TorchError(
                    f"{self.class_name}: input {number} of {size_text(tensor)} must have {size} columns"
                )
            check_type(self, f"input {number}", tensor, self.weight)
        return first, second

    def forward(self, input: Any) -> torch.Tensor:
        return F.bilinear(*self._pair(input), self.weight, self.bias)

    def _check_gradient(self, first: torch.Tensor, gradOutput: torch.Tensor) -> None:
        fit(self, "gradOutput", gradOutput, first.new_empty((first.shape[0], self.weight.shape[0])))
        if gradOutput.dim() != 2:
            raise TorchError(f"{self.class_name}: gradOutput must be a matrix")

    def grad_input(self, input: Any, gradOutput: torch.Tensor) -> list[torch.Tensor]:
        first, second = self._pair(input)
        self._check_gradient(first, gradOutput)
        weight = self.weight.data
        return [
            torch.einsum("bk,kij,bj->bi", gradOutput, weight, second),
            torch.einsum("bk,kij,bi->bj", gradOutput, weight, first),
        ]

    def accGradParameters(self, input: Any, gradOutput: torch.Tensor, scale: float = 1) -> None:
        first, second = self._pair(input)
        self._check_gradient(first, gradOutput)
        if scale < 0:
            raise TorchError(f"{self.class_name}: scale must not be negative")
        weight, bias = self.gradient("weight"), self.gradient("bias")
        if weight is not None:
            weight.add_(torch.einsum("bk,bi,bj->kij", gradOutput, first, second))
        if bias is not None and self.bias is not None:
            bias.add_(gradOutput.sum(0), alpha=scale)

    def sharedAccUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        self.defaultAccUpdateGradParameters(input, gradOutput, lr)

    def clearState(self) -> Module:
        self.clear("buff1", "buff2")
        return super().clearState()

    def describe(self) -> str:
        outputs, first, second = self.weight.shape
        return f"{self.class_name}({first}x{second} -> {outputs}) {'' if self.bias is not None else ' without bias'}"
