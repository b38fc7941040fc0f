"""nn's pooling under inn's names, affine maps, local response normalization and spatial pyramids."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.activation import Identity
from torch7py.nn.arguments import argument_text, gradient_of, size_text
from torch7py.nn.arithmetic import AddConstant
from torch7py.nn.base import Module
from torch7py.nn.checks import check_type, number, truthy
from torch7py.nn.concat import Concat
from torch7py.nn.container import ConcatTable, Sequential
from torch7py.nn.elementary import Power, Square
from torch7py.nn.linear import MulConstant
from torch7py.nn.normalization_local import SpatialCrossMapLRN
from torch7py.nn.pooling_average import SpatialAveragePooling
from torch7py.nn.pooling_max import SpatialAdaptiveMaxPooling, SpatialMaxPooling
from torch7py.nn.registry import layer
from torch7py.nn.shape import Contiguous, View
from torch7py.nn.table_math import CDivTable
from torch7py.ops.errors import TorchError

__all__ = [
    "CeilAveragePooling",
    "CeilMaxPooling",
    "ConstAffine",
    "MeanSubtraction",
    "SpatialCrossResponseNormalization",
    "SpatialPyramidPooling",
    "SpatialSameResponseNormalization",
]


@layer("inn.SpatialMaxPooling")
class CeilMaxPooling(SpatialMaxPooling):
    """``inn.SpatialMaxPooling(kW, kH[, dW, dH, padW, padH])``: ``nn.SpatialMaxPooling`` after ``m:ceil()``. Shapes are
    those of that layer.
    """

    ceil_mode = True

    def start(self) -> None:
        super().start()
        self.ceil_mode = True

    def pool(self, input: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        self.ceil_mode = True
        return super().pool(input)


@layer("inn.SpatialAveragePooling")
class CeilAveragePooling(SpatialAveragePooling):
    """``inn.SpatialAveragePooling(kW, kH[, dW, dH, padW, padH])``: ``nn.SpatialAveragePooling`` after ``m:ceil()``.
    Shapes are those of that layer.
    """

    ceil_mode = True

    def __init__(self, kW: int, kH: int, dW: int = 1, dH: int = 1, padW: int = 0, padH: int = 0) -> None:
        super().__init__(kW, kH, dW, dH, padW, padH)
        self.ceil_mode = True

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        self.ceil_mode = True
        return super().forward(input)


@layer("inn.SpatialCrossResponseNormalization")
class SpatialCrossResponseNormalization(SpatialCrossMapLRN):
    """``inn.SpatialCrossResponseNormalization(size[, alpha, beta, k])``: ``nn.SpatialCrossMapLRN``. Shapes are those of
    that layer.
    """


@layer("inn.MeanSubtraction", keeps_rank=True)
class MeanSubtraction(Module):
    """``inn.MeanSubtraction(mean)``: the input less a mean image. gradInput is gradOutput itself.

    Shapes: ``(planes, h, w)``, or a batch of such. The mean is one image for all, or a batch as large as the input;
    of a batch of another size the first image counts.
    """

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("mean",)
    mean: torch.Tensor

    def __init__(self, mean: torch.Tensor) -> None:
        super().__init__()
        if not isinstance(mean, torch.Tensor):
            raise TorchError("inn.MeanSubtraction: the mean must be a tensor")
        self.__dict__["mean"] = mean

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if not isinstance(input, torch.Tensor) or input.dim() not in (3, 4):
            raise TorchError(
                f"{self.class_name}: the input must have 3 or 4 dimensions, not {argument_text(input)}"
            )
        check_type(self, "the input", input, self.mean)
        mean = self.mean
        if input.dim() == 4 and mean.dim() == 4 and len(mean) not in (1, len(input)):
            mean = mean[0]
        one = input.shape[-3:]
        if mean.numel() == one.numel():
            return input - mean.reshape(one)
        if mean.numel() != input.numel():
            raise TorchError(
                f"{self.class_name}: a mean of {size_text(mean)} does not fit an input of {size_text(input)}"
            )
        return input - mean.reshape(input.shape)

    def updateGradInput(self, input: torch.Tensor, gradOutput: torch.Tensor) -> Any:
        return gradOutput


@layer("inn.ConstAffine", keeps_rank=True)
class ConstAffine(Module):
    """``inn.ConstAffine(nOutputPlane[, inplace])``: each plane times a number and plus another, which are not learned.

    Shapes: ``(batch, nOutputPlane)`` or ``(batch, nOutputPlane, h, w)``. The numbers are the fields ``a``, at first
    1, and ``b``, at first 0. The argument inplace does nothing in the original either; where a program
    sets the field of that name the output is the input, and gradInput gradOutput.
    """

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("a", "b", "inplace")
    inplace: bool | None = False

    def __init__(self, nOutputPlane: int, inplace: bool | None = None) -> None:
        super().__init__()
        planes = int(number("inn.ConstAffine", "nOutputPlane", nOutputPlane))
        self.__dict__.update(a=self.new(planes), b=self.new(planes))
        self.inplace = False
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        """``m:reset()``: a becomes 1, b 0."""
        self.a.fill_(1)
        self.b.zero_()

    def _columns(self, input: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        planes = self.a.numel()
        if input.dim() not in (2, 4) or input.shape[1] != planes:
            raise TorchError(
                f"{self.class_name}: the input of {size_text(input)} has not 2 or 4 dimensions with {planes} planes"
            )
        check_type(self, "the input", input, self.a)
        shape = (1, planes, *(1 for _ in input.shape[2:]))
        return self.a.view(shape), self.b.view(shape)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        a, b = self._columns(input)
        return input * a + b

    def updateOutput(self, input: torch.Tensor) -> Any:
        if not truthy(self.inplace):
            return super().updateOutput(input)
        a, b = self._columns(input)
        return self.keep_output(input.data.mul_(a).add_(b))

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        a, _ = self._columns(input)
        gradient = gradient_of(self, gradOutput, input.shape)
        return gradient.mul_(a) if truthy(self.inplace) else gradient * a


@layer("inn.SpatialPyramidPooling", takes="tensor", parts="fixed")
class SpatialPyramidPooling(Concat):
    """``inn.SpatialPyramidPooling({w1, h1}, {w2, h2}, ...)``: the largest elements of images divided into parts, for
    each pair of numbers of parts, all in one vector.

    Shapes: ``(planes, h, w)`` -> ``(planes * (w1 h1 + w2 h2 + ...))``, or both as a batch. The pairs may also be in one
    table.
    """

    fields: ClassVar[tuple[str, ...]] = ("pyr",)

    def __init__(self, *levels: Any) -> None:
        super().__init__(1)
        if len(levels) == 1 and isinstance(levels[0], list) and levels[0] and isinstance(levels[0][0], list):
            levels = tuple(levels[0])
        if not levels or not all(isinstance(level, list) and len(level) >= 2 for level in levels):
            raise TorchError("inn.SpatialPyramidPooling expects tables of two numbers")
        self.__dict__["pyr"] = [list(level) for level in levels]
        for level in levels:
            flat = View(-1).setNumInputDims(3)
            self.add(Sequential(SpatialAdaptiveMaxPooling(level[0], level[1]), flat, Contiguous()))

    def _check(self, input: torch.Tensor) -> None:
        if not isinstance(input, torch.Tensor) or input.dim() not in (3, 4):
            raise TorchError(
                f"{self.class_name}: the input must have 3 or 4 dimensions, not {argument_text(input)}"
            )

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        self._check(input)
        return torch.cat([module(input) for module in self.child_list()], input.dim() - 3)

    def updateOutput(self, input: torch.Tensor) -> torch.Tensor:
        self._check(input)
        self.dimension = input.dim() - 2
        return super().updateOutput(input)


@layer("inn.SpatialSameResponseNormalization", takes="tensor", gives="tensor", keeps_rank=True, parts="fixed")
class SpatialSameResponseNormalization(Sequential):
    """``inn.SpatialSameResponseNormalization([size, alpha, beta])``: ``x / (1 + alpha * mean x^2)^beta``, the mean
    being over size x size pixels of the same plane.

    Shapes: ``(planes, h, w)``, or a batch of such. size is 3, alpha 5e-5, beta 0.75 by default; what is outside an
    image counts as 0 in the mean. It is a Sequential of nn's layers.
    """

    fields: ClassVar[tuple[str, ...]] = ("size", "alpha", "beta")

    def __init__(
        self, size: float | None = None, alpha: float | None = None, beta: float | None = None
    ) -> None:
        super().__init__()
        name = "inn.SpatialSameResponseNormalization"
        self.size = 3 if size is None else number(name, "size", size)
        self.alpha = 5e-5 if alpha is None else number(name, "alpha", alpha)
        self.beta = 0.75 if beta is None else number(name, "beta", beta)
        width, pad = int(self.size), int(self.size) // 2
        below = Sequential(Square(), SpatialAveragePooling(width, width, 1, 1, pad, pad))
        below.add(MulConstant(self.alpha, True)).add(AddConstant(1, True)).add(Power(self.beta))
        self.add(ConcatTable(Identity(), below)).add(CDivTable())
