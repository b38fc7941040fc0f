"""Locally connected layers, convolutions over time by one matrix product, and nearest-neighbour upsampling."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn.arguments import argument_text, size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import check_type, number
from torch7py.nn.convolution import draw_uniform
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.nn.temporal import TemporalConvolution
from torch7py.ops.errors import TorchError

__all__ = ["LocallyConnected", "TemporalConvolutionFB", "UnfoldedTemporalConvolution", "Upsample"]


@layer(
    "nn.LocallyConnected",
    package="fbnn",
    parameters="weight:6~uniform(1/sqrt(kW*kH*nInputPlane)) bias:3~uniform(1/sqrt(kW*kH*nInputPlane))",
    keeps_rank=True,
)
class LocallyConnected(Module):
    """``nn.LocallyConnected(nInputPlane, iW, iH, nOutputPlane, kW, kH[, dW, dH])``: a convolution with separate
    weights for each output position.

    Shapes: ``(nInputPlane, iH, iW)`` -> ``(nOutputPlane, oH, oW)``, or both as a batch; ``oW = (iW - kW) // dW + 1``.
    ``weight`` is ``(nOutputPlane, oH, oW, nInputPlane, kH, kW)``, ``bias`` ``(nOutputPlane, oH, oW)``, both drawn from
    ``uniform(-s, s)``, ``s = 1 / sqrt(kW kH nInputPlane)``. On the GPU the original stored the weights in another
    order; here the order is always this one, and weights saved there are refused.
    """

    fields: ClassVar[tuple[str, ...]] = tuple("nInputPlane iW iH nOutputPlane kW kH dW dH".split())
    lua_methods = names("outputSize")
    nInputPlane: Any
    nOutputPlane: Any

    def __init__(
        self,
        nInputPlane: int,
        iW: int,
        iH: int,
        nOutputPlane: int,
        kW: int,
        kH: int,
        dW: int = 1,
        dH: int = 1,
    ) -> None:
        super().__init__()
        sizes = {"nInputPlane": nInputPlane, "iW": iW, "iH": iH, "nOutputPlane": nOutputPlane}
        for name, value in (sizes | {"kW": kW, "kH": kH, "dW": dW, "dH": dH}).items():
            if number(self.torch7_name, name, value) < 1:
                raise TorchError(f"{self.torch7_name}: {name} must be at least 1")
            self.__dict__[name] = value
        if kW > iW or kH > iH:
            raise TorchError(f"{self.torch7_name}: the kernel must not be larger than the image")
        oW, oH = self.outputSize()
        self.add_parameter("weight", self.new(int(nOutputPlane), oH, oW, int(nInputPlane), int(kH), int(kW)))
        self.add_parameter("bias", self.new(int(nOutputPlane), oH, oW))
        self.reset()

    def outputSize(self) -> tuple[int, int]:
        """``m:outputSize()``: the width and the height of the output."""
        return int((self.iW - self.kW) // self.dW + 1), int((self.iH - self.kH) // self.dH + 1)

    def reset(self, stdv: float | None = None) -> None:
        """``m:reset([stdv])``: draw the parameters with this standard deviation."""
        draw_uniform(self, self.kW * self.kH * self.nInputPlane, stdv)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        sizes = (int(self.nInputPlane), int(self.iH), int(self.iW))
        if input.dim() not in (3, 4) or tuple(input.shape[-3:]) != sizes or input.numel() == 0:
            expected = "x".join(map(str, sizes))
            raise TorchError(
                f"{self.class_name}: the input is {size_text(input)}, not {expected} or a batch of it"
            )
        check_type(self, "the input", input, self.weight)
        oW, oH = self.outputSize()
        expected_weight = (int(self.nOutputPlane), oH, oW, int(self.nInputPlane), int(self.kH), int(self.kW))
        if tuple(self.weight.shape) != expected_weight or tuple(self.bias.shape) != expected_weight[:3]:
            raise TorchError(
                f"{self.class_name}: the weight is {size_text(self.weight)}, not {'x'.join(map(str, expected_weight))}:"
                " the original has another order on a GPU, which is not supported"
            )
        batch = input if input.dim() == 4 else input.unsqueeze(0)
        columns = F.unfold(batch, (int(self.kH), int(self.kW)), stride=(int(self.dH), int(self.dW)))
        # one product for each position: (position, out, window) x (position, window, batch)
        out = expected_weight[0]
        weight = self.weight.permute(1, 2, 0, 3, 4, 5).reshape(oH * oW, out, -1)
        products = torch.bmm(weight, columns.permute(2, 1, 0)).permute(2, 1, 0)
        output: torch.Tensor = products.reshape(len(batch), out, oH, oW) + self.bias
        return output if input.dim() == 4 else output[0]


@layer("nn.UnfoldedTemporalConvolution", package="fbnn", example="L nin")
class UnfoldedTemporalConvolution(TemporalConvolution):
    """``nn.UnfoldedTemporalConvolution(nin, nout, kw[, dW, pad])``: ``nn.TemporalConvolution`` between pad (0) frames
    of zeros.

    Shapes: ``(frames, nin)`` -> ``(frames + 2 pad - kw + 1, nout)``, or both as a batch. dW must be 1. ``weight`` is
    ``(nout, kw * nin)``, drawn as ``nn.Linear``'s. The linear layer inside the original (``m.linear``) is not a layer
    of its own here.
    """

    torch7_parent = "nn.Module"
    traced = True
    fields: ClassVar[tuple[str, ...]] = ("pad",)
    lua_methods = names("noBias")

    def __init__(self, nin: int, nout: int, kw: int, dW: int | None = None, pad: int | None = None) -> None:
        if dW is not None and dW != 1:
            raise TorchError("nn.UnfoldedTemporalConvolution: dW must be 1")
        super().__init__(nin, nout, kw, 1)
        self.pad = 0 if pad is None else number(self.torch7_name, "pad", pad)

    def noBias(self) -> Any:
        """``m:noBias()``: drop the bias."""
        self.set_field("bias", None)
        self.set_field("gradBias", None)
        return self

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        pad = int(self.pad)
        return super().forward(F.pad(input, (0, 0, pad, pad)) if pad and input.numel() else input)

    grad_input = Module.grad_input
    accGradParameters = Module.accGradParameters


@layer(
    "nn.TemporalConvolutionFB",
    package="fbcunn",
    parameters="weight:3~uniform(1/sqrt(kW*inputFrameSize)) bias:1~uniform(1/sqrt(kW*inputFrameSize))",
)
class TemporalConvolutionFB(TemporalConvolution):
    """``nn.TemporalConvolutionFB(inputFrameSize, outputFrameSize, kW[, dW])``: ``nn.TemporalConvolution`` with a
    weight of ``(outputFrameSize, kW, inputFrameSize)``. Shapes are those of that layer.
    """

    torch7_parent = "nn.Module"
    traced = True

    def __init__(self, inputFrameSize: int, outputFrameSize: int, kW: int, dW: int = 1) -> None:
        super().__init__(inputFrameSize, outputFrameSize, kW, dW)
        self.add_parameter(
            "weight", self.weight.data.view(int(outputFrameSize), int(kW), int(inputFrameSize))
        )

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return F.linear(self._rows(input), self.weight.flatten(1), self.bias)

    grad_input = Module.grad_input
    accGradParameters = Module.accGradParameters


@layer("nn.Upsample", package="fbnn", keeps_rank=True)
class Upsample(Module):
    """``nn.Upsample(factor)``: each pixel as factor x factor ones. Shapes: ``(planes, h, w)`` -> ``(planes, factor h,
    factor w)``, or both as a batch.
    """

    fields: ClassVar[tuple[str, ...]] = ("factor", "buffer")

    def __init__(self, factor: int) -> None:
        super().__init__()
        if number(self.torch7_name, "factor", factor) < 1 or int(factor) != factor:
            raise TorchError("nn.Upsample: the factor must be a whole number of at least 1")
        self.factor = factor
        self.keep("buffer", self.new())

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if not isinstance(input, torch.Tensor) or input.dim() not in (3, 4) or input.numel() == 0:
            raise TorchError(
                f"{self.class_name}: the input must have 3 or 4 dimensions, not {argument_text(input)}"
            )
        factor = int(self.factor)
        return input.repeat_interleave(factor, -1).repeat_interleave(factor, -2)

    def describe(self) -> str:
        return f"{self.class_name}(factor {int(self.factor)})"
