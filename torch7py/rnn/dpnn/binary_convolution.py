"""SpatialBinaryConvolution: a convolution by weights of 1 and -1 (Rastegari et al., 2016)."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn import half_kernels
from torch7py.nn.convolution import SpatialConvolution
from torch7py.nn.once_differentiable import once
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError

__all__ = ["SpatialBinaryConvolution"]


class _Binary(torch.autograd.Function):
    """The layer's output, and its own gradients, which are not the derivatives."""

    @staticmethod
    def forward(
        ctx: Any, layer: SpatialBinaryConvolution, input: torch.Tensor, weight: torch.Tensor
    ) -> torch.Tensor:
        ctx.owner = ctx.layer = layer
        ctx.save_for_backward(input, weight)
        signs, alphas, _ = layer.binarized(weight.detach())
        return layer.by_planes(layer.convolved(input, signs), alphas)

    @staticmethod
    @once
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        input, weight = (tensor.detach() for tensor in ctx.saved_tensors)
        signs, _, betas = ctx.layer.binarized(weight)
        with torch.enable_grad():
            x, w = input.requires_grad_(), signs.requires_grad_()
            for_input, for_weight = torch.autograd.grad(ctx.layer.convolved(x, w), (x, w), gradients[0])
        return None, ctx.layer.by_planes(for_input, betas), for_weight.view(weight.shape)


@layer(
    "nn.SpatialBinaryConvolution",
    package="dpnn",
    parameters="weight:4~uniform(1/sqrt(kW*kH*nInputPlane))",
    begins_training=True,
)
class SpatialBinaryConvolution(SpatialConvolution):
    """``nn.SpatialBinaryConvolution(nInputPlane, nOutputPlane, kW, kH[, dW, dH, padW, padH])``: a convolution by the
    signs of its weights, without bias.

    Shapes: those of ``nn.SpatialConvolution``. The output's planes are multiplied by the mean absolute weight of each.
    The gradients are those of the convolution by signs: gradInput's planes are multiplied by the mean absolute weight
    of each input plane, gradWeight by nothing. In training the field ``weight`` holds the signs from a forward until
    accGradParameters brings the weights back.
    """

    fields: ClassVar[tuple[str, ...]] = ("iwh", "owh", "tempWeight", "alphas", "gradInputAlphas")
    tempWeight: torch.Tensor | None = None

    def __init__(
        self,
        nInputPlane: int,
        nOutputPlane: int,
        kW: int,
        kH: int,
        dW: int | None = None,
        dH: int | None = None,
        padW: int | None = None,
        padH: int | None = None,
    ) -> None:
        across, down = (1 if step is None else step for step in (dW, dH))
        super().__init__(nInputPlane, nOutputPlane, kW, kH, across, down, padW or 0, padH)
        self.noBias()
        self.iwh = self.nInputPlane * self.kW * self.kH
        self.owh = self.nOutputPlane * self.kW * self.kH
        self.set_training()

    # -- the maths ----------------------------------------------------------------------------------------

    def binarized(self, weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The signs, the mean absolute weight of each output plane, and of each input plane."""
        planes = weight.view(int(self.nOutputPlane), int(self.nInputPlane), -1)
        sizes = planes.abs()
        signs = torch.where(weight >= 0, 1, torch.where(weight < 0, -1, weight)).to(weight.dtype)
        return signs, sizes.sum((1, 2)) / self.iwh, sizes.sum((0, 2)) / self.owh

    def convolved(self, input: torch.Tensor, signs: torch.Tensor) -> torch.Tensor:
        """The convolution by other weights than the layer's."""
        batch, target, _ = self.checked(input)
        kernel = signs.view(int(self.nOutputPlane), int(self.nInputPlane), *self.along("k"))
        return self.like_input(half_kernels.convolution(batch, kernel, None, *self.geometry(target)), input)

    @staticmethod
    def by_planes(images: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
        return images * factors.view(-1, 1, 1)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return _Binary.apply(self, input, self.weight)

    # -- Torch7's protocol: the weights are the signs meanwhile -------------------------------------------

    def updateOutput(self, input: torch.Tensor) -> Any:
        weight = self.weight.data
        signs, alphas, betas = self.binarized(weight)
        self.keep("tempWeight", weight.clone())
        self.keep("alphas", alphas)
        self.keep("gradInputAlphas", betas)
        weight.copy_(signs)
        super().updateOutput(input)
        output = self.keep_output(self.by_planes(self.output.data, alphas), input)
        if not self.training:
            weight.copy_(self.tempWeight)
        return output

    def _check_forward(self) -> torch.Tensor:
        if self.tempWeight is None:
            raise TorchError(f"{self.class_name}: a backward without a forward")
        return self.tempWeight

    def updateGradInput(self, input: torch.Tensor, gradOutput: torch.Tensor) -> Any:
        self._check_forward()
        if super().updateGradInput(input, gradOutput) is None:
            return None
        return self.keep_grad_input(self.by_planes(self.gradInput.data, self.gradInputAlphas), gradOutput)

    def accGradParameters(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> None:
        kept = self._check_forward()
        super().accGradParameters(input, gradOutput, scale)
        self.weight.data.copy_(kept)

    def backward(self, input: torch.Tensor, gradOutput: torch.Tensor, scale: float = 1) -> Any:
        self.updateGradInput(input, gradOutput)
        self.accGradParameters(input, gradOutput, scale)
        return self.gradInput

    def describe(self) -> str:
        return "Binary Convolution: " + super().describe()
