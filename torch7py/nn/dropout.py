"""Dropout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch

from torch7py.nn.base import Module
from torch7py.nn.checks import fit
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.ops.quirks import older
from torch7py.ops.random import dropout_mask
from torch7py.ops.rounding import format_number

__all__ = ["Dropout"]


@layer("nn.Dropout", keeps_rank=True, draws=True, differs_in_training=True, begins_training=True)
class Dropout(Module):
    """``nn.Dropout([p, v1, inplace, stochasticInference])``: zero each element with probability p (0.5).

    Any shape. In training the rest is divided by ``1 - p``; with ``v1`` it is not, and evaluation multiplies by
    ``1 - p`` instead. ``stochasticInference`` drops in evaluation too. The mask is Torch7's for the same seed.
    """

    resizes_as_grad_output = True
    traced = False
    fields: ClassVar[tuple[str, ...]] = ("p", "inplace", "stochastic_inference", "v2", "noise")
    lua_methods = names("setp")

    def __init__(
        self,
        p: float = 0.5,
        v1: bool = False,
        inplace: bool | None = None,
        stochasticInference: bool | None = None,
    ) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise TorchError("nn.Dropout: p must be at least 0 and below 1")
        self.set_training()
        self.p = p
        self.inplace = inplace
        self.stochastic_inference = stochasticInference
        self.v2 = not v1
        self.keep("noise", self.new())

    def setp(self, p: float) -> None:
        """``m:setp(p)``"""
        self.p = p

    def draws(self) -> bool:
        """Whether a forward draws a mask."""
        return bool((self.p > 0 or older("Dropout of 0")) and (self.training or self.stochastic_inference))

    def mask_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The shape of the mask for an input of this shape."""
        return tuple(shape)

    def draw(self, shape: Sequence[int], like: torch.Tensor) -> torch.Tensor:
        """What an input is multiplied by, anew."""
        mask = dropout_mask(state.current().generator, shape, self.p, like.dtype).to(like.device)
        return mask.div_(1 - self.p) if self.v2 else mask

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if self.draws():
            return input * self.note("noise", self.draw(self.mask_shape(input.shape), input))
        if self.p > 0 and not self.v2:
            return input * (1 - self.p)
        return input.clone()

    def updateOutput(self, input: torch.Tensor) -> torch.Tensor:
        if self.inplace:
            return self.keep_output(input.data.copy_(self.noted(self.forward, input.data)))
        return super().updateOutput(input)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        """The mask of the last forward applies; out of training it does not, as in Torch7."""
        if not self.training and older("Dropout evaluation"):
            raise TorchError(f"{self.class_name}: no backward in evaluation, as of 2015")
        factor: torch.Tensor | float = 1
        gradOutput = fit(self, "gradOutput", gradOutput, input)
        if self.p > 0:
            if self.training:
                factor = fit(self, "the mask of the last forward", self.noise, input)
            elif not self.v2:
                factor = 1 - self.p
        return gradOutput.mul_(factor) if self.inplace else gradOutput * factor

    def clearState(self) -> Module:
        self.clear("noise")
        return super().clearState()

    def describe(self) -> str:
        return f"{self.class_name}({format_number('%f', self.p)})"
