"""Layers that hand their input on and do something beside: Copy, GradientReversal, WhiteNoise, PrintSize, ..."""

from __future__ import annotations

import sys
from typing import Any

import torch

from torch7py.nn.arguments import dims_of, gradient_of
from torch7py.nn.base import Module
from torch7py.nn.copying import TensorMap
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.ops import state, types
from torch7py.ops.errors import TorchError
from torch7py.ops.printing import storage_to_string
from torch7py.ops.random import normal_

__all__ = ["Constant", "Copy", "GradientReversal", "L1Penalty", "PrintSize", "WhiteNoise", "ZeroGrad"]


class _Penalized(torch.autograd.Function):
    """Its input; the gradient is ``factor * gradient + addition``."""

    @staticmethod
    def forward(ctx: Any, input: torch.Tensor, factor: float, addition: torch.Tensor | None) -> torch.Tensor:
        ctx.factor = factor
        ctx.addition = addition
        return input.view_as(input)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        gradient = gradients[0] * ctx.factor if ctx.factor else torch.zeros_like(gradients[0])
        return (gradient if ctx.addition is None else gradient.add_(ctx.addition)), None, None


def with_gradient(input: torch.Tensor, factor: float, addition: torch.Tensor | None = None) -> torch.Tensor:
    """The input as a function whose gradient is ``factor * gradient + addition``."""
    result: torch.Tensor = _Penalized.apply(input, factor, addition)  # type: ignore[no-untyped-call]
    return result


@layer("nn.GradientReversal")
class GradientReversal(Module):
    """``nn.GradientReversal([lambda])``: the input; the gradient is multiplied by ``-lambda`` (1). Any shape."""

    traced = False
    fields = ("lambda",)
    lua_methods = names("setLambda")

    def __init__(self, lambda_: float = 1) -> None:
        super().__init__()
        self.setLambda(lambda_)

    def setLambda(self, lambda_: float) -> None:
        """``m:setLambda(lambda)``"""
        self.__dict__["lambda"] = lambda_

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return with_gradient(input, -self.__dict__["lambda"])

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return gradient_of(self, gradOutput, input.shape) * -self.__dict__["lambda"]


@layer("nn.ZeroGrad")
class ZeroGrad(Module):
    """``nn.ZeroGrad()``: the input; its gradient is zeros. Any shape."""

    traced = False

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return with_gradient(input, 0)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(input)


@layer("nn.L1Penalty")
class L1Penalty(Module):
    """``nn.L1Penalty(l1weight[, sizeAverage, provideOutput])``: the input; its L1 norm is added to the loss.

    Any shape. ``loss`` is ``l1weight * sum |x|``, with sizeAverage divided by the number of elements, and its
    derivative is added to the gradient; with provideOutput false (true by default) it is the gradient.
    """

    traced = False
    fields = ("l1weight", "sizeAverage", "provideOutput", "loss")

    def __init__(self, l1weight: float, sizeAverage: bool = False, provideOutput: bool = True) -> None:
        super().__init__()
        self.l1weight = l1weight
        self.sizeAverage = sizeAverage
        self.provideOutput = provideOutput

    def get_field(self, name: str) -> Any:
        value = super().get_field(name)
        return value.item() if name == "loss" and isinstance(value, torch.Tensor) else value

    def _weight(self, input: torch.Tensor) -> float:
        return self.l1weight / input.numel() if self.sizeAverage else self.l1weight

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        weight = self._weight(input)
        self.__dict__["loss"] = input.detach().abs().sum() * weight
        return with_gradient(input, 1 if self.provideOutput else 0, input.detach().sign() * weight)

    def updateOutput(self, input: torch.Tensor) -> torch.Tensor:
        self.forward(input)
        self.__dict__["output"] = input
        return input

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        slope = input.sign() * self._weight(input)
        return slope.add_(gradient_of(self, gradOutput, input.shape)) if self.provideOutput else slope

    def clearState(self) -> Module:
        self.__dict__["output"] = self.new()  # the old one is the input
        self.clear("gradInput")
        return self


@layer("nn.WhiteNoise")
class WhiteNoise(Module):
    """``nn.WhiteNoise([mean, std])``: the input with normal noise added, of mean 0 and deviation 0.1.

    Any shape. In evaluation the mean is added, and there is no backward. The noise is Torch7's for the same seed.
    """

    traced = False
    fields = ("mean", "std", "noise")

    def __init__(self, mean: float = 0, std: float = 0.1) -> None:
        super().__init__()
        self.mean = mean
        self.std = std
        self.keep("noise", self.new())

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return input + self.mean
        noise = torch.empty_like(input, requires_grad=False, memory_format=torch.contiguous_format)
        return input + self.keep("noise", normal_(noise, self.mean, self.std)).data

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        if not self.training:
            raise TorchError("nn.WhiteNoise has no backward in evaluation")
        return gradient_of(self, gradOutput, input.shape).clone()

    def clearState(self) -> Module:
        self.clear("noise")
        return super().clearState()

    def describe(self) -> str:
        return f"{self.class_name} mean: {self.mean:f}, std: {self.std:f}"


@layer("nn.PrintSize")
class PrintSize(Module):
    """``nn.PrintSize([prefix])``: the input, whose size is printed, as is gradOutput's in the backward.

    A tensor or a table, of which the number of entries is printed.
    """

    traced = False
    fields = ("prefix",)

    def __init__(self, prefix: str = "PrintSize") -> None:
        super().__init__()
        self.prefix = prefix

    def _print(self, what: str, value: Any) -> None:
        if isinstance(value, torch.Tensor):
            size = storage_to_string(torch.tensor(value.shape[: dims_of(value)]), types.LONG.storage)
        else:
            size = f"table of {len(value)}" if isinstance(value, list) else "missing size"
        sys.stdout.write(f"{self.prefix}:{what}\n\t{size}\t\n")
        sys.stdout.flush()

    def forward(self, input: Any) -> Any:
        self._print("input", input)
        return input

    def updateOutput(self, input: Any) -> Any:
        self.__dict__["output"] = self.forward(input)
        return input

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        self._print("gradOutput", gradOutput)
        self.__dict__["gradInput"] = gradOutput
        return gradOutput

    def clearState(self) -> Module:
        self.__dict__.update(output=self.new(), gradInput=self.new())  # the old ones are others'
        return self


@layer("nn.Copy")
class Copy(Module):
    """``nn.Copy([inputType, outputType, forceCopy, dontCast])``: the input in another type, such as
    ``'torch.FloatTensor'``; the gradient goes back to the input's.

    Any shape. Types left out are the default tensor type. With two equal types the input itself is the output
    unless forceCopy. With dontCast the layer's ``type()`` changes nothing.
    """

    traced = False
    fields = ("dontCast",)
    dontCast = False
    transfers = True  # False: the input itself is the output

    def __init__(
        self,
        intype: str | None = None,
        outtype: str | None = None,
        forceCopy: bool = False,
        dontCast: bool = False,
    ) -> None:
        super().__init__()
        self.dontCast = dontCast
        default = state.current().default_type
        source, target = (default if name is None else _type_named(name) for name in (intype, outtype))
        self.keep("gradInput", self.new().to(source.dtype))
        self.keep("output", self.new().to(target.dtype))
        self.transfers = forceCopy or source is not target

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return input.to(self.output.dtype, copy=True) if self.transfers else input

    def updateOutput(self, input: torch.Tensor) -> torch.Tensor:
        kept: torch.Tensor = super().updateOutput(input)
        return kept if self.transfers else input

    def updateGradInput(self, input: torch.Tensor, gradOutput: torch.Tensor) -> Any:
        kept = super().updateGradInput(input, gradOutput)
        return kept if self.transfers or kept is None else gradOutput

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        gradient = gradient_of(self, gradOutput, input.shape)
        return gradient.to(self.gradInput.dtype, copy=True) if self.transfers else gradient

    def convert(self, convert: TensorMap, type_name: str | None, seen: set[int] | None = None) -> None:
        if not self.dontCast:
            super().convert(convert, type_name, seen)


def _type_named(name: str) -> types.NumberType:
    found = types.BY_NAME.get(name.removeprefix("torch.").removesuffix("Tensor"))
    if found is None:
        raise TorchError(f"nn.Copy: unknown tensor type '{name}'")
    return found


@layer("nn.Constant")
class Constant(Module):
    """``nn.Constant(value[, nInputDim])``: the same tensor for every input.

    A number stands for a tensor of one element. Shapes: any -> the value's; an input of more than nInputDim
    dimensions is a batch -> ``(batch, ...)``. The gradient is zeros.
    """

    traced = False
    fields = ("value", "nInputDim")
    nInputDim: int | None = None

    def __init__(self, value: torch.Tensor | float, nInputDim: int | None = None) -> None:
        super().__init__()
        if isinstance(value, (int, float)):
            value = self.new(1).fill_(value)
        if not isinstance(value, torch.Tensor):
            raise TorchError("nn.Constant expects a number or a tensor")
        self.__dict__["value"] = value
        self.nInputDim = nInputDim

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        value: torch.Tensor = self.value.to(self.number_type.dtype, copy=True)
        if self.nInputDim is None or dims_of(input) <= self.nInputDim:
            return value
        return value.expand(input.shape[0], *value.shape).contiguous()

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(input)
