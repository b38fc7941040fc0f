"""Convolutions whose windows are not shared by the whole image: by place, and by input plane."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn.arguments import size_text
from torch7py.nn.checks import check_type
from torch7py.nn.convolution import Convolution
from torch7py.nn.registry import layer
from torch7py.nn.window import text_of
from torch7py.ops.errors import TorchError

__all__ = ["SpatialConvolutionLocal", "SpatialDepthWiseConvolution"]


@layer(
    "nn.SpatialConvolutionLocal",
    keeps_rank=True,
    parameters="weight:6~uniform(1/sqrt(kW*kH*nInputPlane)) bias:3~uniform(1/sqrt(kW*kH*nInputPlane))",
    example="nInputPlane iH iW",
)
class SpatialConvolutionLocal(Convolution):
    """``nn.SpatialConvolutionLocal(nInputPlane, nOutputPlane, iW, iH, kW, kH[, dW, dH, padW, padH])``: a window of its
    own for every place.

    Shapes: ``(nInputPlane, iH, iW)`` -> ``(nOutputPlane, oH, oW)``, or both as a batch; the sizes of the output are
    those of ``nn.SpatialConvolution``. ``weight`` is ``(oH, oW, nOutputPlane, nInputPlane, kH, kW)`` and ``bias``
    ``(nOutputPlane, oH, oW)``, drawn as for ``nn.SpatialConvolution``.
    """

    exact_gradient = True
    graph_of = "forward"

    fields: ClassVar[tuple[str, ...]] = (
        *("kW", "kH", "iW", "iH", "dW", "dH", "padW", "padH", "oW", "oH"),
        *Convolution.lua_buffers,
    )

    def __init__(
        self,
        nInputPlane: int,
        nOutputPlane: int,
        iW: int,
        iH: int,
        kW: int,
        kH: int,
        dW: int = 1,
        dH: int = 1,
        padW: int = 0,
        padH: int | None = None,
    ) -> None:
        super().__init__()
        self.set_up((nInputPlane, nOutputPlane), k=(kW, kH), i=(iW, iH), d=(dW, dH), pad=(padW, padH))
        sizes = zip(self.along("i"), self.along("pad"), self.along("k"), self.along("d"), strict=True)
        self.oH, self.oW = ((size + 2 * pad - kernel) // step + 1 for size, pad, kernel, step in sizes)
        if min(self.oH, self.oW) < 1:
            raise TorchError(
                f"{self.torch7_name}: from images of {self.iH}x{self.iW} come out {self.oH}x{self.oW}"
            )
        self.add_parameter(
            "weight", self.new(self.oH, self.oW, *map(int, (nOutputPlane, nInputPlane, kH, kW)))
        )
        self.add_parameter("bias", self.new(int(nOutputPlane), self.oH, self.oW))
        self.reset()

    def noBias(self) -> Any:
        raise TorchError(f"{self.class_name} has no noBias")

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        batch = self.as_batch(input)
        sizes = (int(self.nInputPlane), *self.along("i"))
        if tuple(batch.shape[1:]) != sizes:
            raise TorchError(
                f"{self.class_name}: the input is {size_text(input)}, not {text_of(sizes, 'x')} or a batch of it"
            )
        check_type(self, "the input", input, self.weight)
        # one product for each place: (place, out, window) x (place, window, batch)
        columns = F.unfold(batch, self.along("k"), padding=self.along("pad"), stride=self.along("d"))
        positions = int(self.oH) * int(self.oW)
        weight = self.weight.view(positions, int(self.nOutputPlane), -1)
        products = torch.bmm(weight, columns.permute(2, 1, 0)).permute(2, 1, 0)
        output = products.reshape(batch.shape[0], *self.bias.shape) + self.bias
        return self.like_input(output, input)


@layer(
    "nn.SpatialDepthWiseConvolution",
    keeps_rank=True,
    example="nInputPlane H W",
    parameters="weight:*~uniform(1/sqrt(kW*kH*nInputPlane)) bias:2~uniform(1/sqrt(kW*kH*nInputPlane))",
)
class SpatialDepthWiseConvolution(Convolution):
    """``nn.SpatialDepthWiseConvolution(nInputPlane, nOutputPlane, kW, kH[, dW, dH, padW, padH])``: every input plane
    gets nOutputPlane windows and output planes of its own.

    Shapes: ``(nInputPlane, h, w)`` -> ``(nInputPlane * nOutputPlane, oh, ow)``, first the planes from the first
    input plane, or both as a batch; oh and ow are those of ``nn.SpatialConvolution``. ``weight`` is
    ``(nOutputPlane, nInputPlane * kH * kW)``, from the first forward on ``(nOutputPlane, nInputPlane, kH, kW)``;
    ``bias`` is ``(nOutputPlane, nInputPlane)``. Both are drawn as for ``nn.SpatialConvolution``.

    With nOutputPlane equal to nInputPlane every second ``accGradParameters`` of the original mixes up its gradients, as
    it copies them over themselves; the numbers here are the original's. Python's ``.grad`` is free of that.
    """

    exact_gradient = True

    graph_of = "forward"
    weight_dims = 4
    copies_parameters = True  # as products of many matrices by one do
    fields: ClassVar[tuple[str, ...]] = ("kW", "kH", "dW", "dH", "padW", "padH", *Convolution.lua_buffers)

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
        self.add_parameter("weight", self.new(int(nOutputPlane), int(nInputPlane * kH * kW)))
        self.add_parameter("bias", self.new(int(nOutputPlane), int(nInputPlane)))
        self.reset()

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        batch, _, shape = self.checked(input)
        planes = int(self.nInputPlane)
        columns = F.unfold(batch, self.along("k"), padding=self.along("pad"), stride=self.along("d"))
        columns = columns.view(batch.shape[0], planes, -1, columns.shape[2])
        weight = self.weight.view(int(self.nOutputPlane), planes, -1).transpose(0, 1)
        output = weight @ columns  # (planes, out, window) x (batch, planes, window, places)
        if self.bias is not None:
            output = output + self.bias.t().unsqueeze(2)
        return self.like_input(output.reshape(batch.shape[0], -1, *shape[2:]), input)

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        super().accGradParameters(input, gradOutput, scale)
        self._mix_up()

    def _mix_up(self) -> None:
        if self.nInputPlane != self.nOutputPlane:
            return
        self.__dict__["_second"] = not self.__dict__.get("_second", True)
        weight, bias = self.gradient("weight"), self.gradient("bias")
        if not self._second:
            return
        if weight is not None:
            below = torch.ones(weight.shape[:2], dtype=torch.bool, device=weight.device).tril()
            weight.copy_(torch.where(below[..., None, None], weight, weight.transpose(0, 1)))
        if bias is not None:
            bias.copy_(bias.t().clone())
