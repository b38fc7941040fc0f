"""Convolutions between chosen pairs of planes; connections.py makes tables of pairs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar

import torch

from torch7py.nn import half_kernels
from torch7py.nn.arguments import size_text
from torch7py.nn.checks import check_type, number
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.nn.window import Windowed
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.ops.random import scalar, uniform_

__all__ = ["SpatialConvolutionMap", "SpatialFullConvolutionMap"]


class _Map(Windowed):
    """What the two have in common: a weight for each row of the table of connections."""

    traced = True
    graph_of = "memory"
    fields: ClassVar[tuple[str, ...]] = ("kW", "kH", "dW", "dH", "connTable", "nInputPlane", "nOutputPlane")

    def __init__(self, conMatrix: torch.Tensor, kW: int, kH: int, dW: int = 1, dH: int = 1) -> None:
        super().__init__()
        if not isinstance(conMatrix, torch.Tensor) or conMatrix.dim() != 2 or conMatrix.shape[1] != 2:
            raise TorchError(f"{self.torch7_name}: the connections must be a tensor of n x 2")
        for axis, size, step in (("W", kW, dW), ("H", kH, dH)):
            setattr(self, "k" + axis, number(self.torch7_name, "k" + axis, size))
            setattr(self, "d" + axis, number(self.torch7_name, "d" + axis, step))
        self.check_window()
        self.connTable = conMatrix
        if not conMatrix.is_meta and int(conMatrix.min()) < 1:
            raise TorchError(f"{self.torch7_name}: planes are counted from 1")
        self.nInputPlane, self.nOutputPlane = (int(column.max()) for column in conMatrix.unbind(1))
        self.add_parameter("weight", self.new(conMatrix.shape[0], int(kH), int(kW)))
        self.add_parameter("bias", self.new(self.nOutputPlane))
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        """``m:reset([stdv])``: draw the parameters, by default for the number of planes that lead to each output."""
        if stdv is not None:
            bound = stdv * math.sqrt(3)
            uniform_(self.weight.data, -bound, bound)
            uniform_(self.bias.data, -bound, bound)
            return
        outputs = [int(row) - 1 for row in self.connTable[:, 1].tolist()]
        bounds = [
            1 / math.sqrt(self.kW * self.kH * outputs.count(plane)) if plane in outputs else math.inf
            for plane in range(self.nOutputPlane)
        ]
        for window, plane in zip(self.weight.data, outputs, strict=True):
            uniform_(window, -bounds[plane], bounds[plane])
        generator = state.current().generator
        drawn = [scalar.uniform(generator, -bound, bound) for bound in bounds]
        self.bias.data.copy_(torch.tensor(drawn, dtype=torch.float64))

    def pairs(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The input and the output plane of each connection, from 0 on."""
        table = self.connTable.to(self.weight.device).long() - 1
        return table[:, 0], table[:, 1]

    def checked(self, input: torch.Tensor) -> torch.Tensor:
        """The input as a batch of the planes that are connected."""
        batch = self.as_batch(input)
        check_type(self, "the input", input, self.weight)
        single = input.dim() == len(self.grid) + 1
        if batch.shape[1] < self.nInputPlane or (batch.shape[1] > self.nInputPlane and not single):
            raise TorchError(
                f"{self.class_name}: the input of {size_text(input)} has {batch.shape[1]} planes, "
                f"not {self.nInputPlane}"
            )
        return batch[:, : self.nInputPlane]

    def connected(self, kernel: Callable[..., torch.Tensor], batch: torch.Tensor) -> torch.Tensor:
        inputs, outputs = self.pairs()
        return _connected(
            batch, self.weight, self.bias, kernel=kernel, step=self.along("d"), inputs=inputs, outputs=outputs
        )


def _sum_of_connections(
    batch: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor,
    *,
    kernel: Callable[..., torch.Tensor],
    step: tuple[int, ...],
    inputs: torch.Tensor,
    outputs: torch.Tensor,
) -> torch.Tensor:
    """Every connection's own convolution, added up in their order.

    One convolution with weights of 0 between all other planes is up to four times as fast, but a NaN or an infinity
    in one plane would go from there to all others.
    """
    parts = kernel(batch[:, inputs], weight.unsqueeze(1), stride=step, groups=len(weight))
    sums = bias.view(1, -1, 1, 1).expand(len(parts), -1, *parts.shape[2:])
    return sums.index_add(1, outputs, parts)


_connected = half_kernels.in_float(_sum_of_connections)


@layer(
    "nn.SpatialConvolutionMap",
    keeps_rank=True,
    parameters="weight:3~computed() bias:1~computed()",
    example="C H W",
)
class SpatialConvolutionMap(_Map):
    """``nn.SpatialConvolutionMap(connTable, kW, kH[, dW, dH])``: ``nn.SpatialConvolution`` between chosen planes.

    Each row ``{i, o}`` of connTable leads from input plane i to output plane o with a window of its own: ``weight`` is
    ``(rows, kH, kW)``. Shapes: ``(planes, h, w)``, or a batch of such; a single example may have more planes than are
    connected. A window is drawn from ``uniform(-s, s)``, ``s = 1 / sqrt(kW kH n)``, where n connections lead to its
    output plane, and that plane's bias after it.
    """

    lua_methods = names("decayParameters")

    def decayParameters(self, decay: float) -> None:
        """``m:decayParameters(decay)``: shrink weight and bias by this part of them."""
        for parameter in (self.weight, self.bias):
            parameter.data.add_(parameter.data, alpha=-decay)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        batch = self.checked(input)
        if any(size < kernel for size, kernel in zip(batch.shape[2:], self.along("k"), strict=True)):
            raise self.too_small(input, self.along("k"))
        return self.like_input(self.connected(torch.conv2d, batch), input)


@layer(
    "nn.SpatialFullConvolutionMap",
    keeps_rank=True,
    parameters="weight:3~computed() bias:1~computed()",
    example="C H W",
)
class SpatialFullConvolutionMap(_Map):
    """``nn.SpatialFullConvolutionMap(connTable, kW, kH[, dW, dH])``: ``nn.SpatialFullConvolution`` between chosen
    planes, as ``nn.SpatialConvolutionMap`` chooses them.

    Shapes: ``(planes, h, w)`` -> ``(nOutputPlane, (h - 1) dH + kH, (w - 1) dW + kW)``; no batch.
    """

    exact_gradient = True

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if input.dim() != 3 or input.numel() == 0:
            raise TorchError(f"{self.class_name}: the input must have 3 dimensions, not {size_text(input)}")
        batch = self.checked(input)
        return self.like_input(self.connected(torch.conv_transpose2d, batch), input)
