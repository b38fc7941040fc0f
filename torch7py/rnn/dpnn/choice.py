"""Bounds and choices: Clip, ArgMax, CategoricalEntropy."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.activation import Identity
from torch7py.nn.arguments import axis, size_text
from torch7py.nn.arithmetic import AddConstant
from torch7py.nn.base import Module
from torch7py.nn.checks import fit, number
from torch7py.nn.container import ConcatTable, Sequential
from torch7py.nn.copying import TensorMap
from torch7py.nn.elementary import Log
from torch7py.nn.gradient import ChangedGradient
from torch7py.nn.linear import MulConstant
from torch7py.nn.pointwise import Pointwise
from torch7py.nn.reduce import Sum
from torch7py.nn.registry import layer
from torch7py.nn.table_math import CMulTable
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.rnn.dpnn.inner import WithModule

__all__ = ["ArgMax", "CategoricalEntropy", "Clip"]


class _Bounded(torch.autograd.Function):
    """Elements within bounds; the gradient as it is, beyond them too."""

    generate_vmap_rule = True

    @staticmethod
    def forward(input: torch.Tensor, low: float, high: float) -> torch.Tensor:
        output = torch.where(input > high, high, input)
        return torch.where(output < low, low, output).to(input.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
        """Nothing is kept."""

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        return gradients[0], None, None


@layer("nn.Clip", package="dpnn", keeps_rank=True)
class Clip(Pointwise):
    """``nn.Clip(minval, maxval)``: each element within these bounds, any shape. gradInput is gradOutput."""

    resizes_as_grad_output = True
    fields: ClassVar[tuple[str, ...]] = ("minval", "maxval")

    def __init__(self, minval: float, maxval: float) -> None:
        super().__init__()
        self.minval = number("nn.Clip", "minval", minval)
        self.maxval = number("nn.Clip", "maxval", maxval)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return _Bounded.apply(input, self.minval, self.maxval)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return gradOutput


@layer("nn.ArgMax", package="dpnn")
class ArgMax(Module):
    """``nn.ArgMax([dim, nInputDim, asLong])``: the 1-based index of the largest element along dimension dim (1).

    Shapes: the input's without that dimension; a vector gives one element. An input of more than nInputDim dimensions
    is a batch, which dim does not count. The output is a LongTensor, with asLong false of the layer's own type; of
    equal elements the first counts. The gradient is 0.
    """

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("dim", "nInputDim", "asLong")

    def __init__(self, dim: int = 1, nInputDim: int = 9999, asLong: bool = True) -> None:
        super().__init__()
        self.dim = dim
        self.nInputDim = nInputDim
        self.asLong = asLong
        self._start_output()

    def _start_output(self) -> None:
        if self.asLong:
            self.keep("output", torch.empty(0, dtype=torch.int64, device=state.current().device))

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        dim = axis(self, self.dim + (input.dim() > self.nInputDim), input)
        index = input.argmax(dim, keepdim=input.dim() == 1) + 1
        return index if self.asLong else index.to(self.number_type.dtype)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(input, memory_format=torch.contiguous_format)

    def convert(self, convert: TensorMap, type_name: str | None, seen: set[int] | None = None) -> None:
        super().convert(convert, type_name, seen)
        self._start_output()


@layer("nn.CategoricalEntropy", package="dpnn", keeps_rank=True, parts="fixed", shares_memory=True)
class CategoricalEntropy(WithModule):
    """``nn.CategoricalEntropy([scale, minEntropy])``: makes categories equally likely over a batch.

    Shapes: ``(batch, categories)``, rows of probabilities; the output is the input. The gradient gains that of -scale
    (1) times the entropy of the batch's mean distribution, over the size of the batch where ``sizeAverage`` (true): to
    go against it makes the entropy larger. With minEntropy it does so only below that. The entropy is in the field
    ``entropy`` after a backward.
    """

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("scale", "minEntropy", "_mul", "minusOne", "sizeAverage", "entropy")
    minEntropy: float | None = None

    def __init__(self, scale: float = 1, minEntropy: float | None = None) -> None:
        super().__init__()
        self.scale = number("nn.CategoricalEntropy", "scale", scale)
        self.minEntropy = minEntropy
        factor = self.__dict__["_mul"] = MulConstant(1)
        logarithm = Sequential(AddConstant(1e-6), Log())
        shares = ConcatTable(Identity(), logarithm)
        self._modules["module"] = Sequential(Sum(1), factor, shares, CMulTable(), Sum(), MulConstant(-1))
        self.__dict__["minusOne"] = self.new(1).fill_(-scale)
        self.sizeAverage = True

    def _check(self, input: torch.Tensor) -> None:
        if not isinstance(input, torch.Tensor) or input.dim() != 2:
            sizes = size_text(input) if isinstance(input, torch.Tensor) else "not a tensor"
            raise TorchError(f"{self.class_name}: the input must be a matrix, not {sizes}")

    def _gain(self, input: torch.Tensor) -> torch.Tensor | None:
        """What is added to the gradient."""
        network: Any = self.module
        network.get(2).constant_scalar = input.sum().reciprocal().item()
        self.entropy = network.updateOutput(input)[0].item()
        if self.minEntropy is not None and self.entropy >= self.minEntropy:
            return None
        gradient: torch.Tensor = network.updateGradInput(input, self.minusOne)
        return gradient / input.shape[0] if self.sizeAverage else gradient

    def _gain_of(self, input: torch.Tensor) -> torch.Tensor | None:
        """The same, written out: no field changes."""
        total = input.sum()
        shares = input.sum(0) / total
        logarithms = (shares + 1e-6).log()
        entropy = -(shares * logarithms).sum()
        if self.minEntropy is not None and entropy.item() >= self.minEntropy:
            return None
        slopes = -(logarithms + shares / (shares + 1e-6)) / total * self.minusOne
        gradient = slopes.expand(input.shape)
        return gradient / input.shape[0] if self.sizeAverage else gradient

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        self._check(input)
        return ChangedGradient.apply(input, 1.0, self._gain_of(input))

    def updateOutput(self, input: torch.Tensor) -> Any:
        self._check(input)
        return self.keep_output(input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        self._check(input)
        gradient = fit(self, "gradOutput", gradOutput, input)
        gain = self._gain(input.data)
        return gradient.clone() if gain is None else gradient + gain
