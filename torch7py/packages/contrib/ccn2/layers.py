"""ccn2: layers of cuda-convnet2, whose images have the batch as their last dimension."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn.arguments import argument_text, size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import check_type, number, truthy
from torch7py.nn.convolution import draw_uniform
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError
from torch7py.ops.support import restricted, unsupported

__all__ = [
    "SpatialAvgPooling",
    "SpatialConvolution",
    "SpatialConvolutionLocal",
    "SpatialCrossMaxPooling",
    "SpatialCrossResponseNormalization",
    "SpatialMaxPooling",
]

restricted("ccn2.SpatialCrossResponseNormalization", "blocked is an error")
for _name in ("SpatialContrastNormalization", "SpatialResizeBilinear", "SpatialResponseNormalization"):
    unsupported(f"ccn2.{_name}", "an error: none of the 91 projects uses it")


class _BatchLast(Module):
    """A layer over square images ``(planes, h, h, batch)``; ``compute`` has the batch in front."""

    def compute(self, batch: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if not isinstance(input, torch.Tensor) or input.dim() != 4 or input.numel() == 0:
            raise TorchError(
                f"{self.class_name}: the input must be planes x h x h x batch, not {argument_text(input)}"
            )
        if input.shape[1] != input.shape[2]:
            raise TorchError(f"{self.class_name}: the images must be square, not {size_text(input)}")
        return self.compute(input.permute(3, 0, 1, 2)).permute(1, 2, 3, 0).contiguous()


def _steps(size: int, window: int, step: int) -> int:
    """The number of windows, the last of which may reach beyond the image."""
    return math.ceil((size - window) / step + 1)


def _padded(batch: torch.Tensor, pad: int, window: int, step: int) -> torch.Tensor:
    """Images with zeros around, as many as the windows reach over."""
    size = batch.shape[-1]
    count = _steps(size + 2 * pad, window, step)
    beyond = max(0, (count - 1) * step + window - size - pad)
    return F.pad(batch, (pad, beyond, pad, beyond))


class _Convolution(_BatchLast):
    """The base class of both convolutions."""

    nInputPlane: Any
    nOutputPlane: Any
    kH: Any
    dH: Any
    padding: Any

    def take(self, nInputPlane: float, nOutputPlane: float, kH: float, dH: float, padding: float) -> None:
        name = self.torch7_name
        sizes = {"nInputPlane": nInputPlane, "nOutputPlane": nOutputPlane, "kH": kH, "dH": dH}
        for what, value in sizes.items():
            if number(name, what, value) < 1:
                raise TorchError(f"{name}: {what} must be at least 1")
        if nInputPlane > 3 and nInputPlane % 4:
            raise TorchError(f"{name}: nInputPlane must be 1, 2, 3 or a multiple of 4")
        if nOutputPlane % 16:
            raise TorchError(f"{name}: nOutputPlane must be a multiple of 16")
        self.__dict__.update(sizes, padding=padding)

    def reset(self, stdv: float | None = None) -> None:
        """``m:reset([stdv])``: draw the parameters with this standard deviation."""
        draw_uniform(self, self.kH * self.kH * self.nInputPlane / self.__dict__.get("groups", 1), stdv)

    def windows_in(self, batch: torch.Tensor) -> torch.Tensor:
        """The images, checked, with all that the windows reach over."""
        if batch.shape[1] != self.nInputPlane:
            raise TorchError(
                f"{self.class_name}: the input has {batch.shape[1]} planes, not {int(self.nInputPlane)}"
            )
        check_type(self, "the input", batch, self.weight)
        if batch.shape[-1] + 2 * self.padding < self.kH:
            raise TorchError(
                f"{self.class_name}: the images of {batch.shape[-1]} are smaller than the kernel of {int(self.kH)}"
            )
        return _padded(batch, int(self.padding), int(self.kH), int(self.dH))


@layer("ccn2.SpatialConvolution", parameters="weight:2~computed() bias:1~computed()", keeps_rank=True)
class SpatialConvolution(_Convolution):
    """``ccn2.SpatialConvolution(nInputPlane, nOutputPlane, kH[, dH, padding, groups, partialSum])``: a convolution by
    square windows.

    Shapes: ``(nInputPlane, h, h, batch)`` -> ``(nOutputPlane, oh, oh, batch)``, ``oh = ceil((h + 2 padding - kH) / dH
    + 1)``; a last window may reach beyond the padding, where everything is 0. ``weight`` is ``(nInputPlane / groups *
    kH * kH, nOutputPlane)``. nInputPlane is 1, 2, 3 or a multiple of 4, nOutputPlane a multiple of 16. Parameters are
    drawn from ``uniform(-s, s)``, ``s = 1 / sqrt(kH kH nInputPlane / groups)``.
    """

    fields: ClassVar[tuple[str, ...]] = (
        *("nInputPlane", "nOutputPlane", "kH", "dH"),
        *("groups", "padding", "partialSum"),
    )
    groups: Any = 1

    def __init__(
        self,
        nInputPlane: int,
        nOutputPlane: int,
        kH: int,
        dH: int = 1,
        padding: int = 0,
        groups: int = 1,
        partialSum: int | None = None,
    ) -> None:
        super().__init__()
        self.take(nInputPlane, nOutputPlane, kH, dH, padding)
        if nInputPlane % groups or nOutputPlane % groups:
            raise TorchError("ccn2.SpatialConvolution: the planes do not go evenly into the groups")
        self.groups, self.partialSum = groups, partialSum
        self.add_parameter("weight", self.new(int(nInputPlane * kH * kH // groups), int(nOutputPlane)))
        self.add_parameter("bias", self.new(int(nOutputPlane)))
        self.reset()

    def compute(self, batch: torch.Tensor) -> torch.Tensor:
        kH, groups = int(self.kH), int(self.groups or 1)
        weight = self.weight.t().reshape(int(self.nOutputPlane), -1, kH, kH)
        return F.conv2d(self.windows_in(batch), weight, self.bias, stride=int(self.dH), groups=groups)


@layer("ccn2.SpatialConvolutionLocal", parameters="weight:2~computed() bias:1~computed()", keeps_rank=True)
class SpatialConvolutionLocal(_Convolution):
    """``ccn2.SpatialConvolutionLocal(nInputPlane, nOutputPlane, iH, kH[, dH, padding])``: a convolution with separate
    weights for each output position.

    Shapes: ``(nInputPlane, iH, iH, batch)`` -> ``(nOutputPlane, oH, oH, batch)``, as for ``ccn2.SpatialConvolution``.
    ``weight`` is ``(oH * oH * nInputPlane * kH * kH, nOutputPlane)``, ``bias`` ``(nOutputPlane * oH * oH)``.
    """

    fields: ClassVar[tuple[str, ...]] = ("nInputPlane", "nOutputPlane", "kH", "dH", "padding", "oH")

    def __init__(
        self, nInputPlane: int, nOutputPlane: int, iH: int, kH: int, dH: int = 1, padding: int = 0
    ) -> None:
        super().__init__()
        self.take(nInputPlane, nOutputPlane, kH, dH, padding)
        self.oH = _steps(int(iH + 2 * padding), int(kH), int(dH))
        positions = self.oH * self.oH
        self.add_parameter("weight", self.new(positions * int(nInputPlane * kH * kH), int(nOutputPlane)))
        self.add_parameter("bias", self.new(positions * int(nOutputPlane)))
        self.reset()

    def compute(self, batch: torch.Tensor) -> torch.Tensor:
        columns = F.unfold(self.windows_in(batch), int(self.kH), stride=int(self.dH))
        positions = int(self.oH) ** 2
        if columns.shape[2] != positions:
            raise TorchError(
                f"{self.class_name}: the images of {batch.shape[-1]} are not of the size it was made for"
            )
        weight = self.weight.view(positions, -1, int(self.nOutputPlane))
        output: torch.Tensor = torch.bmm(columns.permute(2, 0, 1), weight).permute(1, 2, 0)
        output = output + self.bias.view(1, -1, positions)
        return output.reshape(len(batch), -1, int(self.oH), int(self.oH))


class _Pool(_BatchLast):
    """Pooling in square windows, of which the last may reach beyond the image."""

    fields: ClassVar[tuple[str, ...]] = ("kW", "dW")

    def __init__(self, kW: int, dW: int | None = None) -> None:
        super().__init__()
        self.kW, self.dW = number(self.torch7_name, "kW", kW), kW if dW is None else dW

    def check(self, batch: torch.Tensor) -> tuple[int, int]:
        if batch.shape[-1] < self.kW:
            raise TorchError(
                f"{self.class_name}: the images of {batch.shape[-1]} are smaller than the window of {int(self.kW)}"
            )
        return int(self.kW), int(self.dW)


@layer("ccn2.SpatialMaxPooling", keeps_rank=True)
class SpatialMaxPooling(_Pool):
    """``ccn2.SpatialMaxPooling(kW[, dW])``: the largest element of each window. Shapes: ``(planes, h, h, batch)`` ->
    ``(planes, oh, oh, batch)``, ``oh = ceil((h - kW) / dW + 1)``; dW is kW by default.
    """

    def compute(self, batch: torch.Tensor) -> torch.Tensor:
        return F.max_pool2d(batch, *self.check(batch), ceil_mode=True)


@layer("ccn2.SpatialAvgPooling", keeps_rank=True)
class SpatialAvgPooling(_Pool):
    """``ccn2.SpatialAvgPooling(kW[, dW])``: the mean of each window's elements inside the image. Shapes: those of
    ``ccn2.SpatialMaxPooling``.
    """

    def compute(self, batch: torch.Tensor) -> torch.Tensor:
        return F.avg_pool2d(batch, *self.check(batch), ceil_mode=True)


@layer("ccn2.SpatialCrossMaxPooling", keeps_rank=True)
class SpatialCrossMaxPooling(_BatchLast):
    """``ccn2.SpatialCrossMaxPooling(kD[, dD])``: the largest of every kD planes, pixel by pixel. Shapes: ``(planes,
    h, h, batch)`` -> ``(oplanes, h, h, batch)``, ``oplanes = ceil((planes - kD) / dD + 1)``; dD is kD by default.
    """

    fields: ClassVar[tuple[str, ...]] = ("kD", "dD")

    def __init__(self, kD: int, dD: int | None = None) -> None:
        super().__init__()
        self.kD, self.dD = number(self.torch7_name, "kD", kD), kD if dD is None else dD

    def compute(self, batch: torch.Tensor) -> torch.Tensor:
        if batch.shape[1] < self.kD:
            raise TorchError(f"{self.class_name}: {batch.shape[1]} planes are fewer than {int(self.kD)}")
        rows = batch.flatten(2).unsqueeze(1)  # planes and pixels as one image's rows and columns
        pooled = F.max_pool2d(rows, (int(self.kD), 1), (int(self.dD), 1), ceil_mode=True)
        return pooled.view(len(batch), -1, *batch.shape[2:])


@layer("ccn2.SpatialCrossResponseNormalization", keeps_rank=True)
class SpatialCrossResponseNormalization(_BatchLast):
    """``ccn2.SpatialCrossResponseNormalization(size[, addScale, powScale, minDiv, blocked])``: ``x / (minDiv +
    addScale / size * sum x^2)^powScale``, the sum being over size planes around.

    Shapes: ``(planes, h, h, batch)``. addScale is 1e-4, powScale 0.75, minDiv 1 by default; blocked is not supported;
    the field ``addScale`` is divided by size.
    """

    fields: ClassVar[tuple[str, ...]] = ("size", "addScale", "powScale", "minDiv", "blocked")

    def __init__(
        self,
        size: int,
        addScale: float = 0.0001,
        powScale: float = 0.75,
        minDiv: float = 1.0,
        blocked: bool | None = None,
    ) -> None:
        super().__init__()
        if number(self.torch7_name, "size", size) < 1 or truthy(blocked):
            raise TorchError(f"{self.torch7_name}: size must be at least 1, and blocked is not supported")
        self.size, self.addScale, self.powScale = size, addScale / size, powScale
        self.minDiv, self.blocked = minDiv, False

    def compute(self, batch: torch.Tensor) -> torch.Tensor:
        size = int(self.size)
        squares = F.pad(batch.square(), (0, 0, 0, 0, size // 2, size - 1 - size // 2))
        sums = squares.unfold(1, size, 1).sum(-1)
        return batch * (self.minDiv + self.addScale * sums).pow(-self.powScale)
