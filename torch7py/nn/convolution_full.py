"""Full convolutions: every input element spreads its window over the output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch

from torch7py.nn import convolution_gemm as gemm
from torch7py.nn.convolution import Convolution, Geometry, KernelConvolution, Layout, Plan
from torch7py.nn.registry import layer
from torch7py.nn.window import text_of
from torch7py.ops.errors import TorchError
from torch7py.ops.quirks import older

__all__ = ["SpatialFullConvolution", "VolumetricFullConvolution"]


class _Full(KernelConvolution):
    """A convolution the other way round. The input may be a table ``{input, target}``, see the classes."""

    def check_adjustment(self) -> None:
        if any(adjust > step - 1 for adjust, step in zip(self.along("adj"), self.along("d"), strict=True)):
            adjustment, steps = text_of(self.shown("adj")), text_of(self.shown("d"))
            raise TorchError(
                f"{self.torch7_name}: the adjustment {adjustment} must be below the step {steps}"
            )

    def parts(self, input: Any) -> tuple[torch.Tensor, torch.Tensor | None]:
        if isinstance(input, torch.Tensor):
            return input, None
        tensors = isinstance(input, list) and all(isinstance(part, torch.Tensor) for part in input)
        if not tensors or len(input) != 2 or input[1].dim() < len(self.grid):
            raise TorchError(
                f"{self.class_name}: the input must be a tensor, or a table of it and one of the output's size"
            )
        return input[0], input[1]

    def _adjustment(self, target: torch.Tensor | None) -> tuple[int, ...]:
        if target is None:
            return self.along("adj")
        wanted = target.shape[-len(self.grid) :]
        sizes = zip(wanted, self.along("pad"), self.along("k"), self.along("d"), strict=True)
        return tuple((size + 2 * pad - kernel) % step for size, pad, kernel, step in sizes)

    def geometry(self, target: torch.Tensor | None) -> Geometry:
        return self.along("d"), self.along("pad"), self.dilation(), True, self._adjustment(target), 1

    def kernel(self) -> torch.Tensor:
        weight: torch.Tensor = self.weight
        return weight

    def output_grid(self, batch: torch.Tensor, target: torch.Tensor | None) -> list[int]:
        fields = (self.along("d"), self.along("pad"), self.along("k"), self._adjustment(target))
        grid = [
            (size - 1) * step - 2 * pad + kernel + adjust
            for size, step, pad, kernel, adjust in zip(batch.shape[2:], *fields, strict=True)
        ]
        if min(grid) < 1:
            raise TorchError(
                f"{self.class_name}: planes of {text_of(batch.shape[2:], 'x')} give an output of "
                f"{text_of(grid, 'x')}, which is too small"
            )
        return grid

    def plan(self, batch: torch.Tensor, shape: Sequence[int]) -> Plan:
        few, many = self.measure(batch, shape[1], batch.shape[2:])
        return Plan(few, few or many, few or many)

    def output_by_products(
        self, batch: torch.Tensor, kernel: torch.Tensor, bias: torch.Tensor | None, layout: Layout
    ) -> torch.Tensor:
        output = gemm.spread(batch, kernel, layout.window, layout.grid)
        return output if bias is None else output.add_(bias.view(-1, *[1] * len(self.grid)))

    def gradient_by_products(
        self, gradient: torch.Tensor, kernel: torch.Tensor, layout: Layout
    ) -> torch.Tensor:
        return gemm.correlate(gradient, kernel, None, layout.window, layout.sizes)

    def add_by_products(
        self,
        buffer: torch.Tensor,
        batch: torch.Tensor,
        gradient: torch.Tensor,
        layout: Layout,
        scale: float,
    ) -> None:
        gemm.add_kernel_gradient(buffer, gradient, batch, layout.window, scale)

    def nested(self, gradient: torch.Tensor, input: Any) -> Any:
        source, target = self.parts(input)
        gradient = self.like_input(gradient, source)
        if target is None:
            return gradient
        # nothing comes from the target; the original too gives one zero, spread over its size
        return [gradient, target.new_zeros(1).expand(target.shape)]


@layer(
    "nn.SpatialFullConvolution",
    keeps_rank=True,
    parameters="weight:4~uniform(1/sqrt(kW*kH*nInputPlane)) bias:1~uniform(1/sqrt(kW*kH*nInputPlane))",
    example="nInputPlane H W",
)
class SpatialFullConvolution(_Full):
    """``nn.SpatialFullConvolution(nInputPlane, nOutputPlane, kW, kH[, dW, dH, padW, padH, adjW, adjH])``: the
    transpose of ``nn.SpatialConvolution``.

    Shapes: ``(nInputPlane, h, w)`` -> ``(nOutputPlane, (h - 1) dH - 2 padH + kH + adjH, ...)``, or both as a batch.
    adjW and adjH (0) must be below the steps. With a table ``{input, target}`` they are chosen so that the output's
    planes get the size of target's, as far as they can; gradInput is then a table with zeros for target.
    ``weight`` is ``(nInputPlane, nOutputPlane, kH, kW)``, drawn as for ``nn.SpatialConvolution``.
    """

    fields: ClassVar[tuple[str, ...]] = (
        *("kW", "kH", "dW", "dH", "padW", "padH", "adjW", "adjH", "ones"),
        *Convolution.lua_buffers,
        "zeroScalar",
    )
    adjW: float = 0
    adjH: float = 0

    def __init__(
        self,
        nInputPlane: int,
        nOutputPlane: int,
        kW: int,
        kH: int,
        dW: int = 1,
        dH: int = 1,
        padW: int = 0,
        padH: int = 0,
        adjW: int = 0,
        adjH: int = 0,
    ) -> None:
        super().__init__()
        planes = (nInputPlane, nOutputPlane)
        self.set_up(planes, k=(kW, kH), d=(dW, dH), pad=(padW, padH), adj=(adjW, adjH))
        self.check_adjustment()
        self.add_parameters(nInputPlane, nOutputPlane, kH, kW)
        self.keep("ones", self.new())
        self.reset()

    def describe(self) -> str:
        return self.class_name if older("SpatialFullConvolution text") else super().describe()

    def further_text(self) -> str:
        adjustment: Sequence[Any] = self.shown("adj")
        return f", {text_of(adjustment)}" if any(adjustment) else ""


@layer(
    "nn.VolumetricFullConvolution",
    keeps_rank=True,
    parameters="weight:5~uniform(1/sqrt(kT*kW*kH*nInputPlane)) bias:1~uniform(1/sqrt(kT*kW*kH*nInputPlane))",
    example="nInputPlane T H W",
)
class VolumetricFullConvolution(_Full):
    """``nn.VolumetricFullConvolution(nInputPlane, nOutputPlane, kT, kW, kH[, dT, dW, dH, padT, padW, padH, adjT, adjW,
    adjH])``: ``nn.SpatialFullConvolution`` with time as a further dimension.

    Shapes: ``(nInputPlane, t, h, w)``, or a batch of such. ``weight`` is ``(nInputPlane, nOutputPlane, kT, kH, kW)``.
    """

    grid = "THW"
    axes = "TWH"
    shows_bias = False
    fields: ClassVar[tuple[str, ...]] = (
        *("kW", "kH", "kT", "dW", "dH", "dT", "padW", "padH", "padT", "adjW", "adjH", "adjT", "ones"),
        *Convolution.lua_buffers,
        "zeroScalar",
    )

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
        padW: int = 0,
        padH: int = 0,
        adjT: int = 0,
        adjW: int = 0,
        adjH: int = 0,
    ) -> None:
        super().__init__()
        self.set_up(
            (nInputPlane, nOutputPlane),
            k=(kT, kW, kH),
            d=(dT, dW, dH),
            pad=(padT, padW, padH),
            adj=(adjT, adjW, adjH),
        )
        self.check_adjustment()
        self.add_parameters(nInputPlane, nOutputPlane, kT, kH, kW)
        for name in ("ones", *self.lua_buffers):
            self.keep(name, self.new())
        self.reset()

    def further_text(self) -> str:
        adjustment: Sequence[Any] = self.shown("adj")
        return f", {text_of(adjustment)}" if any(adjustment) else ""
