"""Affine maps and their constants: Linear, LookupTable, MulConstant."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn import touched_rows
from torch7py.nn.arguments import rows as indices
from torch7py.nn.base import Module
from torch7py.nn.checks import fit
from torch7py.nn.dpnn_methods import limit_norms
from torch7py.nn.linear_gradients import accumulate_product, gradient_of_rows
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.ops import types
from torch7py.ops.errors import TorchError
from torch7py.ops.quirks import older
from torch7py.ops.random import normal_, uniform_

__all__ = ["Linear", "LookupTable", "MulConstant"]


@layer(
    "nn.Linear",
    keeps_rank=True,
    parameters="weight:2~uniform(1/sqrt(inputSize)) bias:1~uniform(1/sqrt(inputSize))",
    example="inputSize",
)
class Linear(Module):
    """``nn.Linear(inputSize, outputSize[, bias])``: ``y = W x + b``.

    Shapes: ``(inputSize)`` -> ``(outputSize)``, or ``(batch, inputSize)`` -> ``(batch, outputSize)``.
    Parameters are drawn from ``uniform(-s, s)``, ``s = 1 / sqrt(inputSize)``: weight, then bias.
    """

    traced = False
    rows_alone = (2, 2)
    fields: ClassVar[tuple[str, ...]] = ("addBuffer",)
    lua_methods = names("noBias")

    def __init__(self, inputSize: int, outputSize: int, bias: bool = True) -> None:
        super().__init__()
        self.add_parameter("weight", self.new(int(outputSize), int(inputSize)))
        if bias:
            self.add_parameter("bias", self.new(int(outputSize)))
        else:
            self.register_parameter("bias", None)
        self.reset()

    def reset(self, stdv: float | None = None) -> Linear:
        """``m:reset([stdv])``: draw the parameters with this standard deviation."""
        bound = stdv * math.sqrt(3) if stdv is not None else 1 / math.sqrt(self.weight.shape[1])
        uniform_(self.weight.data, -bound, bound)
        if self.bias is not None:
            uniform_(self.bias.data, -bound, bound)
        return self

    def noBias(self) -> Linear:
        """``m:noBias()``: drop the bias."""
        self.set_field("bias", None)
        self.set_field("gradBias", None)
        return self

    def _check(self, input: torch.Tensor) -> None:
        if not 1 <= input.dim() <= 2 or input.numel() == 0:
            raise TorchError("nn.Linear: the input must be a vector or a matrix")
        if input.shape[-1] != self.weight.shape[1]:
            raise TorchError(
                f"nn.Linear: the input has {input.shape[-1]} columns, not {self.weight.shape[1]}"
            )

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        self._check(input)
        return F.linear(input, self.weight, self.bias)

    # The products alone: a graph per call costs more than they do at sizes below 100.

    # Of an input that is neither vector nor matrix, which no forward takes, Torch7's two halves do nothing, and say
    # nothing: gradInput gets its size, with zeros where that is another number of elements.

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        weight = self.weight.data
        if input.dim() > 2:
            kept = self.gradInput
            return kept.reshape(input.shape) if kept.numel() == input.numel() else torch.zeros_like(input)
        if gradOutput.dim() == 1:
            return (gradOutput @ weight).view(input.shape)
        return gradient_of_rows(gradOutput, weight).view(input.shape)

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        if input.dim() > 2:
            return
        weight, bias = self.gradient("weight"), self.gradient("bias")
        if weight is not None:
            if input.dim() == 1:
                weight.addr_(gradOutput, input, alpha=scale)
            else:
                accumulate_product(weight, gradOutput, input, scale)
        if bias is not None and self.bias is not None:
            bias.add_(gradOutput if input.dim() == 1 else gradOutput.sum(0), alpha=scale)

    def sharedAccUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        self.defaultAccUpdateGradParameters(input, gradOutput, lr)

    def describe(self) -> str:
        outputs, inputs = self.weight.shape
        return f"{self.class_name}({inputs} -> {outputs}){'' if self.bias is not None else ' without bias'}"


@layer("nn.LookupTable", parameters="weight:2~normal(1)", items="nIndex")
class LookupTable(Module):
    """``nn.LookupTable(nIndex, nOutput[, paddingValue, maxNorm, normType])``: rows of a table by number.

    Shapes: ``(n)`` -> ``(n, nOutput)``, ``(batch, n)`` -> ``(batch, n, nOutput)``; the input is of any number
    type and holds indices from 1 to nIndex. Rows of index ``paddingValue`` get no gradient; with ``maxNorm`` the
    rows used are scaled down to that ``normType``-norm (2 by default) at each forward. Weights are drawn from
    ``normal(0, 1)``.
    """

    shouldScaleGradByFreq = False
    version = 4
    traced = False
    fields: ClassVar[tuple[str, ...]] = (
        "paddingValue",
        "maxNorm",
        "normType",
        "shouldScaleGradByFreq",
        "_count",
        "_input",
        "copiedInput",
    )
    unsaved = ("_count", "_input")
    lua_methods = names("setPadding setMaxNorm setNormType scaleGradByFreq accUpdateOnly")

    def __init__(
        self,
        nIndex: int,
        nOutput: int,
        paddingValue: int = 0,
        maxNorm: float | None = None,
        normType: float | None = None,
    ) -> None:
        super().__init__()
        self.add_parameter("weight", self.new(int(nIndex), int(nOutput)))
        touched_rows.watch(self._gradients["weight"])
        self.paddingValue = paddingValue
        self.maxNorm = maxNorm
        self.normType = normType
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        normal_(self.weight.data, 0, 1 if stdv is None else stdv)

    @property
    def rows_alone(self) -> tuple[int, int] | None:  # type: ignore[override]
        """A row of the input is one index; other rows matter where weights are scaled or gradients counted."""
        return (1, 2) if self.maxNorm is None and not self.shouldScaleGradByFreq else None

    def setPadding(self, paddingValue: int) -> LookupTable:
        """``m:setPadding(index)``"""
        self.paddingValue = paddingValue
        return self

    def setMaxNorm(self, maxNorm: float | None) -> LookupTable:
        """``m:setMaxNorm(norm)``"""
        self.maxNorm = maxNorm
        return self

    def setNormType(self, normType: float | None) -> LookupTable:
        """``m:setNormType(p)``"""
        self.normType = normType
        return self

    def scaleGradByFreq(self) -> LookupTable:
        """``m:scaleGradByFreq()``: divide a row's gradient by how often the input names it."""
        self.shouldScaleGradByFreq = True
        return self

    def accUpdateOnly(self) -> LookupTable:
        """``m:accUpdateOnly()``: keep no gradient buffer."""
        self.set_field("gradWeight", None)
        return self

    def _rows(self, input: torch.Tensor) -> torch.Tensor:
        """0-based row numbers, checked."""
        if not 1 <= input.dim() <= 2 or input.numel() == 0:
            raise TorchError("nn.LookupTable: the input must be a vector or a matrix")
        return indices(self, input, self.weight.shape[0])

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        rows = self._rows(input)
        if self.maxNorm is not None:
            with torch.no_grad():
                self._hold(rows)
        padding = self.paddingValue - 1 if 1 <= self.paddingValue <= self.weight.shape[0] else None
        return F.embedding(rows, self.weight, padding, scale_grad_by_freq=self.shouldScaleGradByFreq)

    def renorm(self, input: torch.Tensor) -> None:
        """Scale the rows that an input names down to ``maxNorm``."""
        with torch.no_grad():
            self._hold(self._rows(input))

    def _hold(self, rows: torch.Tensor) -> None:
        used = torch.unique(rows)
        weights = self.weight.data[used]
        p = 2 if self.normType is None else self.normType
        norms = weights.norm(p, dim=1, keepdim=True)
        scaled = weights * (self.maxNorm / (norms + 1e-7))
        self.weight.data[used] = torch.where(norms > self.maxNorm, scaled, weights)

    def maxParamNorm(self, maxOutNorm: float | None = None, maxInNorm: float | None = None) -> None:
        """Here rows, of weights out of an index, are held to maxInNorm, columns to maxOutNorm or else maxInNorm."""
        limits = (self.maxOutNorm, maxOutNorm, self.maxInNorm, maxInNorm)
        limit_norms(self.weight.data, 1, next((limit for limit in limits if limit is not None), None))
        limit_norms(self.weight.data, 0, maxInNorm)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        """Indices have no gradient: zeros of the input's type."""
        if older("LookupTable gradInput"):
            return self.weight.data.new_empty(0)
        return torch.zeros_like(input)

    # The gradient touches the rows used and no others.

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        weight = self.own_gradient("weight")
        if weight is None:
            return
        rows = self._rows(input).reshape(-1)
        gradient = gradOutput.reshape(rows.numel(), -1)
        if self.shouldScaleGradByFreq:
            counts = torch.bincount(rows, minlength=weight.shape[0])[rows]
            gradient = gradient / counts.unsqueeze(1).to(gradient.dtype)
        if 1 <= self.paddingValue <= weight.shape[0]:
            kept = rows != self.paddingValue - 1
            rows, gradient = rows[kept], gradient[kept]
        touched_rows.accumulate(weight, rows, gradient, scale)

    def gradient(self, name: str) -> torch.Tensor | None:
        buffer = super().gradient(name)
        touched_rows.forget(buffer)
        return buffer

    def sharedAccUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        self.defaultAccUpdateGradParameters(input, gradOutput, lr)

    def clearState(self) -> Module:
        self.clear("_count", "_input")
        return super().clearState()

    def get_field(self, name: str) -> Any:
        if name in ("_count", "_input") and name not in self.__dict__:
            dtype = types.BY_NAME["Int" if name == "_count" else "Long"].dtype
            self.__dict__[name] = torch.empty(0, dtype=dtype)
        return super().get_field(name)


@layer("nn.MulConstant", keeps_rank=True)
class MulConstant(Module):
    """``nn.MulConstant(constant[, inplace])``: ``y = constant * x``, any shape.

    In place the input is the output; the backward divides it back and scales gradOutput in its place.
    """

    resizes_as_grad_output = True
    traced = False
    rows_alone = (1, 99)
    fields: ClassVar[tuple[str, ...]] = ("constant_scalar", "inplace")

    def __init__(self, constant_scalar: float, inplace: bool = False) -> None:
        super().__init__()
        if not isinstance(constant_scalar, (int, float)):
            raise TorchError("nn.MulConstant: the constant must be a number")
        self.constant_scalar = constant_scalar
        self.inplace = inplace

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return input * self.constant_scalar

    def updateOutput(self, input: torch.Tensor) -> torch.Tensor:
        if self.inplace:
            return self.keep_output(input.data.mul_(self.constant_scalar))
        return super().updateOutput(input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        gradOutput = fit(self, "gradOutput", gradOutput, input)
        if self.inplace:
            input.div_(self.constant_scalar)
            return gradOutput.mul_(self.constant_scalar)
        return gradOutput * self.constant_scalar
