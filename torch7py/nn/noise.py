"""Noise on the input in training: whole feature maps dropped, normal noise. Dropout has its own file."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import fit, truthy
from torch7py.nn.object import names
from torch7py.nn.pointwise import Pointwise
from torch7py.nn.registry import layer
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.ops.random import draw_for_batch, dropout_mask, normal_
from torch7py.ops.rounding import format_number

__all__ = ["SpatialDropout", "VolumetricDropout", "WhiteNoise"]


class _MapDropout(Module):
    """Dropout of whole feature maps. A subclass says how many dimensions a map has."""

    resizes_as_grad_output = True
    traced = False
    fields: ClassVar[tuple[str, ...]] = ("p", "stochastic_inference", "noise")
    lua_methods = names("setp")
    map_dims: int

    def __init__(self, p: float = 0.5, stochasticInference: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise TorchError(f"{self.torch7_name}: p must be from 0 to 1")
        self.p = p
        self.stochastic_inference = stochasticInference
        self.set_training()
        self.keep("noise", self.new())

    def setp(self, p: float) -> None:
        """``m:setp(p)``"""
        self.p = p

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if not (self.training or truthy(self.stochastic_inference)):
            return input * (1 - self.p)
        maps = input.dim() - self.map_dims
        if not 1 <= maps <= 2 or input.numel() == 0:
            raise TorchError(
                f"{self.class_name}: the input must have {self.map_dims + 1} or {self.map_dims + 2} dimensions, "
                f"not {size_text(input)}"
            )
        shape = (*input.shape[:maps], *[1] * self.map_dims)
        mask = dropout_mask(state.current().generator, shape, self.p, input.dtype).to(input.device)
        return input * self.note("noise", mask)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        if not self.training:
            raise TorchError(f"{self.class_name}: there is a gradient in training only")
        gradOutput = fit(self, "gradOutput", gradOutput, input)
        maps = input.dim() - self.map_dims
        if self.noise.shape[:maps] != input.shape[:maps]:
            raise TorchError(
                f"{self.class_name}: the mask of the last forward is {size_text(self.noise)}, "
                f"which does not fit an input of {size_text(input)}"
            )
        return gradOutput * self.noise

    def clearState(self) -> Module:
        self.clear("noise")
        return super().clearState()

    def describe(self) -> str:
        return f"{self.class_name}({format_number('%f', self.p)})"


@layer(
    "nn.SpatialDropout",
    keeps_rank=True,
    draws=True,
    differs_in_training=True,
    begins_training=True,
    example="C H W",
)
class SpatialDropout(_MapDropout):
    """``nn.SpatialDropout([p, stochasticInference])``: zero each feature map with probability p (0.5).

    Shapes: ``(channels, h, w)``, ``(batch, channels, h, w)``. The rest stays as it is; evaluation multiplies by
    ``1 - p``, unless ``stochasticInference`` drops there too. There is no gradient in evaluation.
    """

    map_dims = 2


@layer(
    "nn.VolumetricDropout",
    keeps_rank=True,
    draws=True,
    differs_in_training=True,
    begins_training=True,
    example="C T H W",
)
class VolumetricDropout(_MapDropout):
    """``nn.VolumetricDropout([p, stochasticInference])``: ``nn.SpatialDropout`` with one more dimension.

    Shapes: ``(channels, t, h, w)``, ``(batch, channels, t, h, w)``.
    """

    map_dims = 3


@layer("nn.WhiteNoise", keeps_rank=True, draws=True, differs_in_training=True)
class WhiteNoise(Pointwise):
    """``nn.WhiteNoise([mean, std])``: add ``normal(mean, std)`` noise (0 and 0.1), any shape.

    Evaluation adds the mean alone and has no gradient.
    """

    resizes_as_grad_output = True
    rows_alone = None  # it draws random numbers, step after step

    fields: ClassVar[tuple[str, ...]] = ("mean", "std", "noise")

    def __init__(self, mean: float = 0, std: float = 0.1) -> None:
        super().__init__()
        self.mean = mean
        self.std = std
        self.keep("noise", self.new())

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return input + self.mean

        def draw(shape: tuple[int, ...]) -> torch.Tensor:
            noise = torch.empty(shape, dtype=input.dtype, device=input.device)
            return normal_(noise, self.mean, self.std)

        return input + self.note("noise", draw_for_batch(input.shape, draw))

    def updateOutput(self, input: Any) -> Any:
        return self.noted(super().updateOutput, input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        if not self.training:
            raise TorchError(f"{self.class_name}: there is a gradient in training only")
        return gradOutput.clone()

    def clearState(self) -> Module:
        self.clear("noise")
        return self

    def describe(self) -> str:
        return (
            f"{self.class_name} mean: {format_number('%f', self.mean)}, std: {format_number('%f', self.std)}"
        )
