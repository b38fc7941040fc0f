"""Learned or fixed numbers added to the input or multiplied with it; MulConstant is in linear.py."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import check_flag, check_type, fit, spread, truthy
from torch7py.nn.pointwise import Pointwise
from torch7py.nn.registry import layer
from torch7py.nn.trace import Trace
from torch7py.ops import types
from torch7py.ops.errors import TorchError
from torch7py.ops.memory import Storage
from torch7py.ops.random import uniform_

__all__ = ["Add", "AddConstant", "CAdd", "CMul", "Mul"]


def _draw(parameter: torch.Tensor, count: int, stdv: float | None) -> None:
    """A parameter from ``uniform(-s, s)``; s is ``1 / sqrt(count)``, or what makes the standard deviation stdv."""
    bound = 1 / math.sqrt(count) if stdv is None else stdv * math.sqrt(3)
    uniform_(parameter.data, -bound, bound)


def _sizes(layer_name: str, sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """Sizes given as numbers or as one LongStorage."""
    if len(sizes) == 1 and isinstance(sizes[0], Storage):
        return sizes[0].sizes()
    if not sizes or not all(isinstance(n, (int, float)) and n >= 1 for n in sizes):
        raise TorchError(f"{layer_name} expects sizes")
    return tuple(int(n) for n in sizes)


@layer("nn.Add", keeps_rank=True, example="inputSize", parameters="bias:1~uniform(1/sqrt(elements))")
class Add(Module):
    """``nn.Add(inputSize[, scalar])``: ``y = x + b``, a learned number for each element of an example.

    Shapes: ``(inputSize)`` or ``(batch, ...)`` with inputSize elements in an example. With ``scalar`` one number
    is added to all elements of any shape. b is drawn from ``uniform(-s, s)``, ``s = 1 / sqrt(inputSize)``.
    """

    resizes_as_grad_output = True
    traced = False
    fields: ClassVar[tuple[str, ...]] = ("scalar", "_ones")

    def __init__(self, inputSize: Any, scalar: bool | None = None) -> None:
        super().__init__()
        self.scalar = scalar
        size = (1,) if truthy(scalar) else _sizes("nn.Add", (inputSize,))
        self.add_parameter("bias", self.new(*size))
        self.keep("_ones", self.new(1).fill_(1))
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        _draw(self.bias, self.bias.shape[0], stdv)

    @property
    def rows_alone(self) -> tuple[int, int] | None:  # type: ignore[override]
        if truthy(self.scalar):
            return 1, 99
        return (2, 2) if self.bias.dim() == 1 else None

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        check_type(self, "the input", input, self.bias)
        if truthy(self.scalar):
            return input + self.bias
        if input.shape == self.bias.shape:
            return input + self.bias
        if input.dim() < 2 or input.numel() != input.shape[0] * self.bias.numel():
            raise TorchError(
                f"{self.class_name}: an input of {size_text(input)} does not fit {size_text(self.bias)} numbers"
            )
        return input + self.bias.view(1, *input.shape[1:])

    # Its gradients are that of the output and a sum: a graph costs more.

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return fit(self, "gradOutput", gradOutput, input).clone(memory_format=torch.contiguous_format)

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        buffer = self.gradient("bias")
        if buffer is None:
            return
        gradOutput = fit(self, "gradOutput", gradOutput, input)
        if truthy(self.scalar):
            buffer.add_(gradOutput.sum(), alpha=scale)
        elif input.shape == self.bias.shape:
            buffer.add_(gradOutput, alpha=scale)
        else:
            buffer.add_(gradOutput.sum(0).view(buffer.shape), alpha=scale)


@layer("nn.AddConstant", keeps_rank=True)
class AddConstant(Pointwise):
    """``nn.AddConstant(constant[, inplace])``: ``y = x + constant``.

    The constant is a number, for any shape, or a vector of n elements for ``(n)`` and ``(batch, n)``. In place
    the input is the output, and the backward takes the constant off it again.
    """

    resizes_as_grad_output = True
    fields: ClassVar[tuple[str, ...]] = ("constant_scalar", "inplace")

    def __init__(self, constant_scalar: float | torch.Tensor, ip: bool = False) -> None:
        super().__init__()
        self.constant_scalar = constant_scalar
        self.inplace = check_flag("nn.AddConstant", "inplace", ip)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return input + self._constant(input)

    def _constant(self, input: torch.Tensor) -> Any:
        constant = self.constant_scalar
        if isinstance(constant, torch.Tensor):
            if input.dim() > 2 or constant.dim() != 1 or input.shape[-1] != constant.shape[0]:
                raise TorchError(
                    f"{self.class_name}: an input of {size_text(input)} does not fit a constant of "
                    f"{size_text(constant)}"
                )
        elif not isinstance(constant, (int, float)):
            raise TorchError(f"{self.class_name}: the constant must be a number or a vector")
        return constant

    def overwrite(self, input: torch.Tensor) -> torch.Tensor:
        return input.add_(self._constant(input))

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        if self.inplace:
            input.data.sub_(self._constant(input))
            return gradOutput
        return gradOutput.clone()


@layer("nn.CAdd", keeps_rank=True, parameters="bias:*~uniform(1/sqrt(elements))")
class CAdd(Module):
    """``nn.CAdd(size, ...)``: ``y = x + b`` with a learned b of these sizes (numbers, or one LongStorage).

    Shapes: an input of as many elements as b; or of as many dimensions, b being repeated where its size is 1;
    or ``(batch, ...)`` with as many elements in an example. b is drawn from ``uniform(-s, s)``, ``s = 1 / sqrt(n)``
    for n elements.
    """

    resizes_as_grad_output = True
    cleared_by_type = True

    scratch = ("_output", "_bias", "_expand", "_repeat", "_gradBias", "_gradOutput")
    fields: ClassVar[tuple[str, ...]] = ("size", *scratch)

    def __init__(self, *sizes: Any) -> None:
        super().__init__()
        size = _sizes("nn.CAdd", sizes)
        self.size = Storage.of_values(types.LONG, torch.tensor(size))
        self.add_parameter("bias", self.new(*size))
        self.keep("output", self.new(*size))
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        _draw(self.bias, self.bias.numel(), stdv)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return input + spread(self, self.bias, input)

    def clearState(self) -> Module:
        self.clear(*self.scratch)
        return super().clearState()


@layer("nn.Mul", keeps_rank=True, parameters="weight:1~uniform(1)")
class Mul(Module):
    """``nn.Mul()``: ``y = w x`` with one learned number w, any shape. w is drawn from ``uniform(-1, 1)``."""

    traced = False

    def __init__(self) -> None:
        super().__init__()
        self.add_parameter("weight", self.new(1))
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        _draw(self.weight, self.weight.shape[0], stdv)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        check_type(self, "the input", input, self.weight)
        return input * self.weight

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return fit(self, "gradOutput", gradOutput, input) * self.weight.data

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        gradient = self.gradient("weight")
        if gradient is not None:
            gradOutput = fit(self, "gradOutput", gradOutput, input)
            gradient.add_(torch.dot(input.reshape(-1), gradOutput.reshape(-1)), alpha=scale)


@layer("nn.CMul", keeps_rank=True, parameters="weight:*~uniform(1/sqrt(elements))")
class CMul(Module):
    """``nn.CMul(size, ...)``: ``y = w x`` element by element with a learned w of these sizes.

    Sizes, shapes and first values as for ``nn.CAdd``.
    """

    exact_gradient = True

    cleared_by_type = True

    scratch = ("_input", "_output", "_weight", "_gradWeight", "_expand", "_repeat", "_sum")
    fields: ClassVar[tuple[str, ...]] = ("size", "_gradInput", "_gradOutput", *scratch)

    def __init__(self, *sizes: Any) -> None:
        super().__init__()
        size = _sizes("nn.CMul", sizes)
        self.size = Storage.of_values(types.LONG, torch.tensor(size))
        self.add_parameter("weight", self.new(*size))
        self.keep("output", self.new(*size))
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        _draw(self.weight, self.weight.numel(), stdv)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return input * spread(self, self.weight, input)

    def trace(self, input: Any) -> Trace:
        trace = super().trace(input)
        # A weight that is an example's of a batch meets gradOutput as rows, as one of all elements does.
        trace.exact &= self.weight.dim() == input.dim() and self.weight.numel() != input.numel()
        return trace

    def clearState(self) -> Module:
        self.clear(*self.scratch)
        return super().clearState()
