"""Pooling by sums of what is in a window: averages, weighted sums (subsampling) and p-norms."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn import half_kernels
from torch7py.nn.arguments import size_text
from torch7py.nn.checks import check_flag, check_type, number
from torch7py.nn.container import Sequential
from torch7py.nn.convolution import draw_uniform
from torch7py.nn.elementary import Power, Sqrt, Square
from torch7py.nn.linear import MulConstant
from torch7py.nn.object import names
from torch7py.nn.pooling import Pooling
from torch7py.nn.registry import layer
from torch7py.nn.window import Gridded, Windowed
from torch7py.ops.errors import TorchError

__all__ = [
    "FeatureLPPooling",
    "SpatialAdaptiveAveragePooling",
    "SpatialAveragePooling",
    "SpatialLPPooling",
    "SpatialSubSampling",
    "VolumetricAveragePooling",
]


@layer("nn.SpatialAveragePooling", keeps_rank=True, example="C H W")
class SpatialAveragePooling(Pooling):
    """``nn.SpatialAveragePooling(kW, kH[, dW, dH, padW, padH])``: the mean of each window.

    Shapes and ``m:ceil()`` as for ``nn.SpatialMaxPooling``; the steps are 1 by default. The zeros of the padding
    count as elements, but not after ``m:setCountExcludePad()``. A window that reaches beyond the padding is
    divided by what it has inside. Where a script sets the field ``divide`` to false, as files of old versions lack
    it, sums are given.
    """

    fields: ClassVar[tuple[str, ...]] = (
        *("kW", "kH", "dW", "dH", "padW", "padH"),
        *("ceil_mode", "count_include_pad", "divide"),
    )
    lua_methods = names("setCountIncludePad setCountExcludePad")
    padW: float = 0
    padH: float = 0
    count_include_pad: bool = True
    divide: Any = None

    def __init__(self, kW: int, kH: int, dW: int = 1, dH: int = 1, padW: int = 0, padH: int = 0) -> None:
        super().__init__()
        self.set_windows(k=(kW, kH), d=(dW, dH), pad=(padW, padH))
        self.ceil_mode = False
        self.count_include_pad = True
        self.divide = True

    def setCountIncludePad(self) -> Any:
        """``m:setCountIncludePad()``: the padding counts as elements."""
        self.count_include_pad = True
        return self

    def setCountExcludePad(self) -> Any:
        """``m:setCountExcludePad()``: only elements of the input count."""
        self.count_include_pad = False
        return self

    def _arguments(self) -> tuple[Any, ...]:
        window = self.window()
        return (
            *(window.kernel, window.step, window.pad),
            *(bool(self.ceil_mode), bool(self.count_include_pad), None),
        )

    def _factor(self) -> float:
        return 1 if self.divide else self.kW * self.kH

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        batch = self.as_batch(input)
        self.windows_of(batch)
        output = torch.ops.aten.avg_pool2d(batch, *self._arguments())
        factor = self._factor()
        return self.like_input(output if factor == 1 else output * factor, input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        batch = self.as_batch(input).data
        gradient = self.gradient_batch(gradOutput, input, (*batch.shape[:2], *self.windows_of(batch)))
        result = torch.ops.aten.avg_pool2d_backward(gradient, batch, *self._arguments())
        return self.like_input(result * self._factor(), input)


@layer("nn.VolumetricAveragePooling", keeps_rank=True, example="C T H W")
class VolumetricAveragePooling(Pooling):
    """``nn.VolumetricAveragePooling(kT, kW, kH[, dT, dW, dH])``: the mean of each window.

    Shapes: ``(planes, t, h, w)`` -> ``(planes, ot, oh, ow)``, or both as a batch;
    ``ow = floor((w - kW) / dW) + 1``. The steps are kT, kW and kH by default.
    """

    grid = "THW"
    axes = "TWH"
    fields: ClassVar[tuple[str, ...]] = ("kT", "kH", "kW", "dT", "dW", "dH")
    lua_methods = names(empty="clearState")
    # without fields of these names, but the texts ask for them
    padT = padW = padH = 0

    def __init__(
        self,
        kT: int,
        kW: int,
        kH: int,
        dT: int | None = None,
        dW: int | None = None,
        dH: int | None = None,
    ) -> None:
        super().__init__()
        step = [k if d is None else d for k, d in ((kT, dT), (kW, dW), (kH, dH))]
        self.set_windows(k=(kT, kW, kH), d=step)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        batch = self.as_batch(input)
        self.windows_of(batch)
        return self.like_input(half_kernels.avg_pool3d(batch, self.along("k"), self.along("d")), input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        batch = self.as_batch(input).data
        gradient = self.gradient_batch(gradOutput, input, (*batch.shape[:2], *self.windows_of(batch)))
        result = half_kernels.avg_pool3d_backward(
            gradient, batch, self.along("k"), self.along("d"), (0, 0, 0), False, True, None
        )
        return self.like_input(result, input)


@layer("nn.SpatialAdaptiveAveragePooling", keeps_rank=True, example="C H W")
class SpatialAdaptiveAveragePooling(Gridded):
    """``nn.SpatialAdaptiveAveragePooling(W, H)``: the mean of each of W times H parts of the plane.

    Shapes: ``(planes, h, w)`` -> ``(planes, H, W)``, or both as a batch. Part i of n reaches from
    ``floor(i * size / n)`` to ``ceil((i + 1) * size / n)``.
    """

    exact_gradient = True

    traced = True
    fields: ClassVar[tuple[str, ...]] = ("W", "H")
    lua_methods = names(empty="clearState")

    def __init__(self, W: int, H: int) -> None:
        super().__init__()
        self.W = number(self.torch7_name, "W", W)
        self.H = number(self.torch7_name, "H", H)
        if min(W, H) < 1:
            raise TorchError(f"{self.torch7_name}: W and H must be at least 1")

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        batch = self.as_batch(input)
        return self.like_input(F.adaptive_avg_pool2d(batch, (int(self.H), int(self.W))), input)


@layer(
    "nn.SpatialSubSampling",
    keeps_rank=True,
    parameters="weight:1~uniform(1/sqrt(kW*kH)) bias:1~uniform(1/sqrt(kW*kH))",
    example="nInputPlane H W",
)
class SpatialSubSampling(Windowed):
    """``nn.SpatialSubSampling(nInputPlane, kW, kH[, dW, dH])``: the sum of each window, times a weight, plus a bias.

    Shapes: ``(nInputPlane, h, w)`` -> ``(nInputPlane, (h - kH) // dH + 1, (w - kW) // dW + 1)``, or both as a
    batch. The steps are 1 by default. Each plane has one weight and one bias, drawn from ``uniform(-s, s)``,
    ``s = 1 / sqrt(kW kH)``.
    """

    traced = True
    graph_of = "memory"
    fields: ClassVar[tuple[str, ...]] = ("nInputPlane", "kW", "kH", "dW", "dH")

    def __init__(self, nInputPlane: int, kW: int, kH: int, dW: int = 1, dH: int = 1) -> None:
        super().__init__()
        arguments = {"nInputPlane": nInputPlane, "kW": kW, "kH": kH, "dW": dW, "dH": dH}
        for field, value in arguments.items():
            setattr(self, field, number(self.torch7_name, field, value))
        self.check_window()
        self.add_parameter("weight", self.new(int(nInputPlane)))
        self.add_parameter("bias", self.new(int(nInputPlane)))
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        """``m:reset([stdv])``: draw the parameters with this standard deviation."""
        draw_uniform(self, self.kW * self.kH, stdv)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        batch = self.as_batch(input, int(self.nInputPlane))
        check_type(self, "the input", input, self.weight)
        kernel = self.along("k")
        if any(size < k for size, k in zip(batch.shape[2:], kernel, strict=True)):
            raise self.too_small(input, kernel)
        sums = F.avg_pool2d(batch, kernel, self.along("d"), divisor_override=1)
        output = sums * self.weight.view(-1, 1, 1) + self.bias.view(-1, 1, 1)
        return self.like_input(output, input)


@layer(
    "nn.SpatialLPPooling",
    keeps_rank=True,
    takes="tensor",
    gives="tensor",
    example="C H W",
    parts="fixed",
    gradient_reads_output=True,
)
class SpatialLPPooling(Sequential):
    """``nn.SpatialLPPooling(nInputPlane, pnorm, kW, kH[, dW, dH])``: ``(sum x^p)^(1/p)`` over each window.

    Shapes: ``(planes, h, w)``, or a batch of such, as for ``nn.SpatialAveragePooling``. The steps are kW and kH by
    default. nInputPlane has no effect. It is a ``nn.Sequential`` of layers without parameters.
    """

    fields: ClassVar[tuple[str, ...]] = ("kW", "kH", "dW", "dH")

    def __init__(
        self, nInputPlane: int, pnorm: float, kW: int, kH: int, dW: int | None = None, dH: int | None = None
    ) -> None:
        super().__init__()
        self.kW, self.kH = kW, kH
        self.dW, self.dH = kW if dW is None else dW, kH if dH is None else dH
        self.add(Square() if pnorm == 2 else Power(pnorm))
        self.add(SpatialAveragePooling(kW, kH, self.dW, self.dH))
        self.add(MulConstant(kW * kH))
        self.add(Sqrt() if pnorm == 2 else Power(1 / pnorm))

    def reset(self, stdv: float | None = None) -> None:
        """There is nothing to draw."""

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        """There are no parameters."""

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        """There are no parameters."""

    def zeroGradParameters(self) -> None:
        """There are no parameters."""

    def updateParameters(self, learningRate: float) -> None:
        """There are no parameters."""


@layer("nn.FeatureLPPooling", keeps_rank=True, gradient_reads_output=True)
class FeatureLPPooling(Gridded):
    """``nn.FeatureLPPooling(width, stride, power[, batch_mode])``: ``(sum x^power)^(1/power)`` over planes.

    Shapes: ``(planes)``, ``(planes, h)`` or ``(planes, h, w)``, with ``batch_mode`` those as a batch; the planes become
    ``(planes - width) // stride + 1``. width is 2 to 16, stride 1 to 4. Where the
    output is 0 the gradient is 0. The original computes nothing without ``batch_mode``, which must be true or false.
    """

    fields: ClassVar[tuple[str, ...]] = ("width", "stride", "power", "batch_mode")

    def __init__(self, width: int, stride: int, power: float, batch_mode: bool | None = None) -> None:
        super().__init__()
        name = self.torch7_name
        if not 2 <= number(name, "width", width) <= 16:
            raise TorchError(f"{name}: width must be from 2 to 16")
        if not 1 <= number(name, "stride", stride) <= 4:
            raise TorchError(f"{name}: stride must be from 1 to 4")
        self.width, self.stride = width, stride
        self.power = number(name, "power", power)
        self.batch_mode = batch_mode

    def _windows(self, input: torch.Tensor) -> torch.Tensor:
        """A view of the planes of each window, in a last dimension."""
        dim = int(check_flag(self.class_name, "batch_mode", self.batch_mode))
        if not 1 + dim <= input.dim() <= 3 + dim or input.numel() == 0:
            raise TorchError(
                f"{self.class_name}: the input must have {1 + dim} to {3 + dim} dimensions, not {size_text(input)}"
            )
        if input.shape[dim] < self.width:
            raise TorchError(
                f"{self.class_name}: the input of {size_text(input)} has {input.shape[dim]} planes, "
                f"the window needs {self.width}"
            )
        return input.unfold(dim, int(self.width), int(self.stride))

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return self._windows(input).pow(self.power).sum(-1).pow(1 / self.power)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        windows = self._windows(input)
        output = self.output
        if output.shape != windows.shape[:-1]:
            raise TorchError(f"{self.class_name}: a backward without a forward of this input")
        if gradOutput.shape != output.shape:
            raise TorchError(
                f"{self.class_name}: gradOutput is {size_text(gradOutput)}, not {size_text(output)}"
            )
        slopes = (windows / output.unsqueeze(-1)).pow(self.power - 1)
        parts = (gradOutput.unsqueeze(-1) * slopes).masked_fill(output.unsqueeze(-1) == 0, 0)
        dim = 1 if self.batch_mode else 0
        result = torch.zeros_like(input, memory_format=torch.contiguous_format)
        for offset in range(int(self.width)):
            index = [slice(None)] * dim
            last = offset + (output.shape[dim] - 1) * int(self.stride) + 1
            elements = (*index, slice(offset, last, int(self.stride)))
            result[elements] += parts[..., offset]
        return result

    def describe(self) -> str:
        batch = int(bool(self.batch_mode))  # the original cannot format it
        return f"{self.class_name}(w{self.width} s{self.stride} power {self.power} batch {batch})"
