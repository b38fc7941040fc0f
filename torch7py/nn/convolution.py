"""Convolutions of images and volumes. Those of sequences are in temporal.py, the full ones in convolution_full.py."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import torch

from torch7py.nn import convolution_gemm as gemm
from torch7py.nn import half_kernels
from torch7py.nn.arguments import size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import check_type, number
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.nn.trace import same_sizes
from torch7py.nn.window import Window, Windowed, text_of
from torch7py.ops.errors import TorchError
from torch7py.ops.quirks import older
from torch7py.ops.random import uniform_

__all__ = [
    "Convolution",
    "KernelConvolution",
    "Layout",
    "Plan",
    "SpatialConvolution",
    "SpatialConvolutionMM",
    "SpatialDilatedConvolution",
    "VolumetricConvolution",
    "VolumetricDilatedConvolution",
    "draw_uniform",
]

Geometry = tuple[Sequence[int], Sequence[int], Sequence[int], bool, Sequence[int], int]


def draw_uniform(layer: Module, inputs: float, stdv: float | None) -> None:
    """Draw weight, then bias from ``uniform(-s, s)``: s is ``1 / sqrt(inputs)``, or gives the deviation asked for."""
    bound = 1 / math.sqrt(inputs) if stdv is None else stdv * math.sqrt(3)
    for name in ("weight", "bias"):
        parameter = layer.get_field(name)
        if parameter is not None:
            uniform_(parameter.data, -bound, bound)


class Plan(NamedTuple):
    """Which parts of a convolution's work are done by products of matrices."""

    output: bool
    gradient: bool
    weight: bool


class Convolution(Windowed):
    """What all convolutions have in common: their arguments, parameters, sizes and texts.

    ``axes`` is the order in which their arguments and texts name the dimensions of the grid.
    """

    traced = True
    fields: ClassVar[tuple[str, ...]] = ("nInputPlane", "nOutputPlane")
    lua_buffers: ClassVar[tuple[str, ...]] = ("finput", "fgradInput")  # there after a forward, always empty
    lua_methods = names("noBias")
    axes: ClassVar[str] = "WH"
    shows_bias: ClassVar[bool] = True
    weight_dims: ClassVar[int | None] = None  # 4: a matrix becomes that at the first forward

    weight: Any
    bias: Any

    def set_up(self, planes: tuple[float, float], **numbers: Sequence[float | None]) -> None:
        """Keep the constructor's arguments, given along ``axes``: None stands for the value before it, at first 0."""
        self.nInputPlane, self.nOutputPlane = planes
        for what, count in zip(("nInputPlane", "nOutputPlane"), planes, strict=True):
            if number(self.torch7_name, what, count) < 1:
                raise TorchError(f"{self.torch7_name}: {what} must be at least 1")
        for field, values in numbers.items():
            value: float = 0
            for axis, argument in zip(self.axes, values, strict=True):
                value = value if argument is None else number(self.torch7_name, field + axis, argument)
                setattr(self, field + axis, value)
        self.check_window()

    def add_parameters(self, *weight_sizes: float) -> None:
        self.add_parameter("weight", self.new(*map(int, weight_sizes)))
        self.add_parameter("bias", self.new(int(self.nOutputPlane)))

    def reset(self, stdv: float | None = None) -> Any:
        """``m:reset([stdv])``: draw the parameters with this standard deviation."""
        draw_uniform(
            self, math.prod(getattr(self, "k" + axis) for axis in self.axes) * self.nInputPlane, stdv
        )

    def noBias(self) -> Any:
        """``m:noBias()``: drop the bias."""
        self.set_field("bias", None)
        self.set_field("gradBias", None)
        return self

    # -- the maths ----------------------------------------------------------------------------------------

    def parts(self, input: Any) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The input itself, and what beside it says how large the output is to be."""
        return input, None

    def output_grid(self, batch: torch.Tensor, target: torch.Tensor | None) -> list[int]:
        """The sizes of the output's planes."""
        window = self.window()
        sizes = zip(batch.shape[2:], window.pad, window.extents, window.step, strict=True)
        grid = [(size + 2 * pad - extent) // step + 1 for size, pad, extent, step in sizes]
        if min(grid) < 1:
            raise self.too_small(batch, [e - 2 * p for e, p in zip(window.extents, window.pad, strict=True)])
        return grid

    def checked(self, input: Any) -> tuple[torch.Tensor, torch.Tensor | None, list[int]]:
        """The input as a batch, what is beside it, and the sizes of the output."""
        source, target = self.parts(input)
        batch = self.as_batch(source, int(self.nInputPlane))
        check_type(self, "the input", source, self.weight)
        shape = [batch.shape[0], int(self.nOutputPlane), *self.output_grid(batch, target)]
        return batch, target, shape

    def prepare(self) -> None:
        """What the first forward changes about the layer."""
        for name in self.lua_buffers:
            if self.__dict__.get(name) is None:
                self.__dict__[name] = self.new()
        if self.weight_dims == 4 and self.weight.dim() == 2:  # files of old versions have a matrix
            self._unfold_weight()

    def updateOutput(self, input: Any) -> Any:
        self.prepare()
        return super().updateOutput(input)

    def _unfold_weight(self) -> None:
        sizes = (int(self.nOutputPlane), int(self.nInputPlane), *self.along("k"))
        buffer = self.gradient("weight")
        self.set_field("weight", self.weight.data.view(sizes))
        if buffer is not None and buffer.dim() == 2:
            self.set_field("gradWeight", buffer.view(sizes))

    def clearState(self) -> Module:
        self.clear(*self.lua_buffers, "_input", "_gradOutput")
        self.__dict__.pop("_seen", None)
        return super().clearState()

    # -- text ---------------------------------------------------------------------------------------------

    def shown(self, field: str) -> list[Any]:
        return [getattr(self, field + axis) for axis in self.axes]

    def further_text(self) -> str:
        """What a subclass shows after the padding."""
        return ""

    def describe(self) -> str:
        if len(self.grid) == 3 and older("volumetric text"):
            return self.class_name
        text = f"{self.class_name}({self.nInputPlane} -> {self.nOutputPlane}, {text_of(self.shown('k'), 'x')}"
        padded = any(self.shown("pad"))
        if padded or any(step != 1 for step in self.shown("d")):
            text += f", {text_of(self.shown('d'))}"
        if padded:
            text += f", {text_of(self.shown('pad'))}"
        text += self.further_text() + ")"
        return text if self.bias is not None or not self.shows_bias else text + " without bias"


class Layout(NamedTuple):
    """What follows from the sizes of a call and the settings of the layer; it holds while ``key`` stays the same."""

    key: tuple[Any, ...]
    shape: torch.Size  # of the output, as a batch
    grid: tuple[int, ...]  # of the output
    sizes: tuple[int, ...]  # of the input's planes
    kernel: torch.Size
    window: Window
    geometry: Geometry
    plan: Plan


class KernelConvolution(Convolution):
    """A convolution that is one of PyTorch's, with its gradients."""

    traced = False
    transient: ClassVar[tuple[str, ...]] = (*Convolution.transient, "_layout", "_seen")
    # Whether the weight's gradient goes by what the input was at the forward, as where the original keeps its windows,
    # which it does on the CPU alone. A copy is a hundredth of the time of a 3x3 convolution of 32 planes.
    keeps_input: ClassVar[bool] = False

    def geometry(self, target: torch.Tensor | None) -> Geometry:
        """What PyTorch's kernel wants to know: step, padding, dilation, transposed, output padding, groups."""
        zeros = (0,) * len(self.grid)
        return self.along("d"), self.along("pad"), self.dilation(), False, zeros, 1

    def kernel(self) -> torch.Tensor:
        """The weight as ``(nOutputPlane, nInputPlane, *window)``."""
        weight: torch.Tensor = self.weight
        sizes = (int(self.nOutputPlane), int(self.nInputPlane), *self.along("k"))
        if weight.numel() != math.prod(sizes):
            raise TorchError(
                f"{self.class_name}: the weight is {size_text(weight)}, not {text_of(sizes, 'x')}"
            )
        return weight.view(sizes)

    def forward(self, input: Any) -> torch.Tensor:
        batch, target, _ = self.checked(input)
        output = half_kernels.convolution(batch, self.kernel(), self.bias, *self.geometry(target))
        return self.like_input(output, self.parts(input)[0])

    # -- the same without a graph, on the CPU by products of matrices where that is faster (convolution_gemm.py) ----

    def settings(self) -> tuple[Any, ...]:
        return (*super().settings(), self.nInputPlane, self.nOutputPlane)

    def layout(self, input: Any) -> tuple[torch.Tensor, Layout]:
        """The input as a batch without a graph, checked, and how the work on it is laid out."""
        source, target = self.parts(input)
        weight: torch.Tensor = self.weight
        beside = None if target is None else target.shape
        key = (self.settings(), source.shape, source.dtype, source.device, beside, weight.shape, weight.dtype)
        held: Layout | None = self.__dict__.get("_layout")
        if held is None or held.key != key:
            batch, target, shape = self.checked(input)
            held = self.__dict__["_layout"] = Layout(
                key,
                torch.Size(shape),
                tuple(shape[2:]),
                tuple(batch.shape[2:]),
                self.kernel().shape,
                self.window(),
                self.geometry(target),
                self.plan(batch, shape),
            )
        batch = source.data
        return batch if batch.dim() == len(held.shape) else batch.unsqueeze(0), held

    def updateOutput(self, input: Any) -> Any:
        self.prepare()
        batch, layout = self.layout(input)
        bias = None if self.bias is None else self.bias.data
        kernel = self.weight.data.view(layout.kernel)
        if layout.plan.output:
            output = self.output_by_products(batch, kernel, bias, layout)
        else:
            output = half_kernels.convolution(batch, kernel, bias, *layout.geometry)
        if self.keeps_input and batch.is_cpu:
            seen = self.__dict__.get("_seen")
            if seen is not None and same_sizes(seen, batch):
                seen.copy_(batch)
            else:
                self.__dict__["_seen"] = batch.clone(memory_format=torch.contiguous_format)
        return self.keep_output(self.like_input(output, self.parts(input)[0]), input)

    def seen(self, batch: torch.Tensor) -> torch.Tensor:
        """What the weight's gradient goes by, in a backward for this batch."""
        seen: torch.Tensor | None = self.__dict__.get("_seen")
        return batch if seen is None or not same_sizes(seen, batch) else seen

    def plan(self, batch: torch.Tensor, shape: Sequence[int]) -> Plan:
        """What is done by products."""
        few, many = self.measure(batch, batch.shape[1], shape[2:])
        if batch.dtype == torch.float32:
            spread = batch.device.type == "cpu" and batch.shape[1] <= 3
        else:
            rows = batch.shape[1] * math.prod(self.along("k"))
            spread = many and gemm.is_tall(rows, math.prod(shape[2:]), len(batch), batch.element_size())
        return Plan(few or many, few or spread, few or many)

    def measure(self, batch: torch.Tensor, planes: int, grid: Sequence[int]) -> tuple[bool, bool]:
        """Whether products are done because the columns are few, or in double because they have many rows."""
        if batch.device.type != "cpu" or batch.dtype not in (torch.float32, torch.float64):
            return False, False
        rows = planes * math.prod(self.along("k"))
        few = batch.shape[0] * rows * math.prod(grid) * batch.element_size() <= gemm.FEW
        return few, batch.dtype == torch.float64 and rows >= gemm.MANY

    def output_by_products(
        self, batch: torch.Tensor, kernel: torch.Tensor, bias: torch.Tensor | None, layout: Layout
    ) -> torch.Tensor:
        return gemm.correlate(batch, kernel, bias, layout.window, layout.grid)

    def gradient_by_products(
        self, gradient: torch.Tensor, kernel: torch.Tensor, layout: Layout
    ) -> torch.Tensor:
        return gemm.spread(gradient, kernel, layout.window, layout.sizes)

    def add_by_products(
        self,
        buffer: torch.Tensor,
        batch: torch.Tensor,
        gradient: torch.Tensor,
        layout: Layout,
        scale: float,
    ) -> None:
        gemm.add_kernel_gradient(buffer, batch, gradient, layout.window, scale)

    def nested(self, gradient: torch.Tensor, input: Any) -> Any:
        """The input's gradient, a batch, in the nesting and rank of the input."""
        return self.like_input(gradient, input)

    def differentiate(
        self, input: Any, gradOutput: torch.Tensor, scale: float, for_input: bool, for_parameters: bool
    ) -> Any:
        """Return the gradient of the input and add those of the parameters, as far as they are wanted."""
        batch, layout = self.layout(input)
        gradient = self.gradient_batch(
            gradOutput, input[0] if isinstance(input, list) else input, layout.shape
        ).data
        weight = self.gradient("weight") if for_parameters else None
        bias = self.gradient("bias") if for_parameters and self.bias is not None else None
        plan = layout.plan
        kernel = self.weight.data.view(layout.kernel)
        result = None
        if for_input and plan.gradient:
            result = self.gradient_by_products(gradient, kernel, layout)
        if weight is not None and plan.weight:
            rows = weight.view(weight.shape[0], -1) if weight.is_contiguous() else None
            if rows is None:
                raise TorchError(f"{self.class_name}: gradWeight has gaps in memory")
            self.add_by_products(rows, self.seen(batch), gradient, layout, scale)
        wanted = (for_input and not plan.gradient, weight is not None and not plan.weight, False)
        if any(wanted):
            whole, part, _ = half_kernels.convolution_backward(
                gradient, self.seen(batch), kernel, None, *layout.geometry, wanted
            )
            result = whole if wanted[0] else result
            if wanted[1]:
                weight.add_(part.view(weight.shape), alpha=scale)  # type: ignore[union-attr]
        if bias is not None:
            bias.add_(gradient.sum((0, *range(2, gradient.dim()))), alpha=scale)
        return None if result is None else self.nested(result, input)

    def grad_input(self, input: Any, gradOutput: torch.Tensor) -> Any:
        return self.differentiate(input, gradOutput, 1, True, False)

    def accGradParameters(self, input: Any, gradOutput: torch.Tensor, scale: float = 1) -> None:
        self.differentiate(input, gradOutput, scale, False, True)

    def backward(self, input: Any, gradOutput: torch.Tensor, scale: float = 1) -> Any:
        """All gradients at once."""
        if "_marked" in self.__dict__:
            return super().backward(input, gradOutput, scale)
        gradient = self.differentiate(input, gradOutput, scale, self.gradInput is not None, True)
        return None if gradient is None else self.keep_grad_input(gradient, gradOutput)


class _Spatial(KernelConvolution):
    """Two dimensions. Files of old versions have one field ``padding`` for both, or none."""

    fields: ClassVar[tuple[str, ...]] = ("kW", "kH", "dW", "dH", "padW", "padH", *Convolution.lua_buffers)
    padW: float = 0
    padH: float = 0

    def __init__(
        self,
        nInputPlane: int,
        nOutputPlane: int,
        kW: int,
        kH: int,
        dW: int = 1,
        dH: int = 1,
        padW: int = 0,
        padH: int | None = None,
    ) -> None:
        super().__init__()
        self.set_up((nInputPlane, nOutputPlane), k=(kW, kH), d=(dW, dH), pad=(padW, padH))
        self.add_parameters(*self.weight_sizes())
        self.reset()

    def weight_sizes(self) -> tuple[float, ...]:
        return (self.nOutputPlane, self.nInputPlane, self.kH, self.kW)

    def set_field(self, name: str, value: Any) -> Any:
        if name == "padding":
            self.padW = self.padH = value
            return value
        return super().set_field(name, value)


@layer(
    "nn.SpatialConvolution",
    keeps_rank=True,
    parameters="weight:4~uniform(1/sqrt(kW*kH*nInputPlane)) bias:1~uniform(1/sqrt(kW*kH*nInputPlane))",
    example="nInputPlane H W",
)
class SpatialConvolution(_Spatial):
    """``nn.SpatialConvolution(nInputPlane, nOutputPlane, kW, kH[, dW, dH, padW, padH])``: correlation with windows.

    Shapes: ``(nInputPlane, h, w)`` -> ``(nOutputPlane, (h + 2 padH - kH) // dH + 1, (w + 2 padW - kW) // dW + 1)``,
    or both as a batch. The steps dW and dH are 1, padW is 0 and padH is padW by default; padding is with zeros.
    ``weight`` is ``(nOutputPlane, nInputPlane, kH, kW)``. Parameters are drawn from ``uniform(-s, s)``,
    ``s = 1 / sqrt(kW kH nInputPlane)``: weight, then bias.
    """

    weight_dims = 4
    keeps_input = True


@layer(
    "nn.SpatialConvolutionMM",
    keeps_rank=True,
    parameters="weight:2~uniform(1/sqrt(kW*kH*nInputPlane)) bias:1~uniform(1/sqrt(kW*kH*nInputPlane))",
    example="nInputPlane H W",
)
class SpatialConvolutionMM(_Spatial):
    """``nn.SpatialConvolutionMM(nInputPlane, nOutputPlane, kW, kH[, dW, dH, padW, padH])``: the same as
    ``nn.SpatialConvolution`` with a matrix ``weight``, ``(nOutputPlane, nInputPlane * kH * kW)``.
    """

    keeps_input = True

    def weight_sizes(self) -> tuple[float, ...]:
        return (self.nOutputPlane, self.nInputPlane * self.kH * self.kW)


@layer("nn.SpatialDilatedConvolution")
class SpatialDilatedConvolution(SpatialConvolution):
    """``nn.SpatialDilatedConvolution(nInputPlane, nOutputPlane, kW, kH[, dW, dH, padW, padH, dilationW, dilationH])``:
    ``nn.SpatialConvolution`` with gaps between the window's elements.

    The window's elements lie dilationW and dilationH apart (1), so that it covers ``dilationW * (kW - 1) + 1``
    columns.
    """

    keeps_input = False
    fields: ClassVar[tuple[str, ...]] = ("dilationW", "dilationH")

    def __init__(
        self,
        nInputPlane: int,
        nOutputPlane: int,
        kW: int,
        kH: int,
        dW: int = 1,
        dH: int = 1,
        padW: int = 0,
        padH: int | None = None,
        dilationW: int = 1,
        dilationH: int = 1,
    ) -> None:
        super().__init__(nInputPlane, nOutputPlane, kW, kH, dW, dH, padW, padH)
        self.dilationW, self.dilationH = dilationW, dilationH
        check_dilation(self)

    def dilation(self) -> tuple[int, ...]:
        return self.along("dilation")

    def further_text(self) -> str:
        return f", {text_of(self.shown('dilation'))}"


def check_dilation(layer: Windowed) -> None:
    if min(layer.along("dilation")) < 1:
        raise TorchError(f"{layer.class_name}: the dilation must be at least 1")


@layer(
    "nn.VolumetricConvolution",
    keeps_rank=True,
    parameters="weight:5~uniform(1/sqrt(kT*kW*kH*nInputPlane)) bias:1~uniform(1/sqrt(kT*kW*kH*nInputPlane))",
    example="nInputPlane T H W",
)
class VolumetricConvolution(KernelConvolution):
    """``nn.VolumetricConvolution(nInputPlane, nOutputPlane, kT, kW, kH[, dT, dW, dH, padT, padW, padH])``.

    ``nn.SpatialConvolution`` with time as a further dimension. Shapes: ``(nInputPlane, t, h, w)``, or a batch of
    such. padT is 0, padW is padT, padH is padW by default; ``weight`` is
    ``(nOutputPlane, nInputPlane, kT, kH, kW)``.
    """

    grid = "THW"
    axes = "TWH"
    keeps_input = True
    shows_bias = False
    fields: ClassVar[tuple[str, ...]] = (
        *("kT", "kW", "kH", "dT", "dW", "dH", "padT", "padW", "padH"),
        *Convolution.lua_buffers,
    )
    padT: float = 0
    padW: float = 0
    padH: float = 0

    def __init__(
        self,
        nInputPlane: int,
        nOutputPlane: int,
        kT: int,
        kW: int,
        kH: int,
        dT: int = 1,
        dW: int = 1,
        dH: int = 1,
        padT: int = 0,
        padW: int | None = None,
        padH: int | None = None,
    ) -> None:
        super().__init__()
        self.set_up((nInputPlane, nOutputPlane), k=(kT, kW, kH), d=(dT, dW, dH), pad=(padT, padW, padH))
        self.add_parameters(nOutputPlane, nInputPlane, kT, kH, kW)
        self.reset()


@layer("nn.VolumetricDilatedConvolution")
class VolumetricDilatedConvolution(VolumetricConvolution):
    """``nn.VolumetricDilatedConvolution(nInputPlane, nOutputPlane, kT, kW, kH[, dT, dW, dH, padT, padW, padH,
    dilationT, dilationW, dilationH])``: ``nn.VolumetricConvolution`` with gaps between the window's elements.
    """

    shows_bias = True
    keeps_input = False
    fields: ClassVar[tuple[str, ...]] = ("dilationT", "dilationW", "dilationH")

    def __init__(
        self,
        nInputPlane: int,
        nOutputPlane: int,
        kT: int,
        kW: int,
        kH: int,
        dT: int = 1,
        dW: int = 1,
        dH: int = 1,
        padT: int = 0,
        padW: int | None = None,
        padH: int | None = None,
        dilationT: int = 1,
        dilationW: int = 1,
        dilationH: int = 1,
    ) -> None:
        super().__init__(nInputPlane, nOutputPlane, kT, kW, kH, dT, dW, dH, padT, padW, padH)
        self.dilationT, self.dilationW, self.dilationH = dilationT, dilationW, dilationH
        check_dilation(self)

    def dilation(self) -> tuple[int, ...]:
        return self.along("dilation")

    def further_text(self) -> str:
        return f", {text_of(self.shown('dilation'))}"
