"""The Dropout that the rnn package puts in the place of nn's."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from torch7py.nn.arguments import size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import fit
from torch7py.nn.dropout import Dropout
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError
from torch7py.ops.rounding import format_number
from torch7py.rnn import generation

__all__ = ["LazyDropout"]


@layer("nn.Dropout", package="rnn", replaces=True)
class LazyDropout(Dropout):
    """``nn.Dropout([p, v1, inplace, lazy, mono])``: nn's, with one mask for several forwards.

    Any shape. With ``lazy`` a new mask is drawn only at the first forward after a backward (or ``clearState``);
    with ``mono`` one mask serves every example of a batch.
    """

    fields = ("lazy", "mono", "flag")

    def __init__(
        self,
        p: float = 0.5,
        v1: bool = False,
        inplace: bool | None = None,
        lazy: bool = False,
        mono: bool = False,
    ) -> None:
        super().__init__(p, v1, inplace)
        self.lazy = lazy
        self.mono = mono
        self.flag = True

    def draws(self) -> bool:
        return self.p > 0 and self.training

    def mask_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        return (1, *shape[1:]) if self.mono else tuple(shape)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if self.draws():
            if self.lazy and not self.flag:
                return input * self._noise(input)
            mask = self.draw(self.mask_shape(input.shape), input)
            if self.lazy or self.noting:  # the steps of a sequence share a lazy mask, whoever calls
                self.keep("noise", mask)
                self.flag = False
            return input * mask
        if self.p > 0 and not self.v2:
            return input * (1 - self.p)
        return input.clone()

    def _noise(self, input: torch.Tensor) -> torch.Tensor:
        if self.mono:
            return self.noise.data[:1]
        if self.noise.shape != input.shape:
            raise TorchError(
                f"{self.class_name}: the mask of the first step is {size_text(self.noise)}, this step's input "
                f"{size_text(input)}; where batches change their size, it must be mono"
            )
        return self.noise.data

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        self.flag = self.flag or self.lazy
        if self.mono and self.p > 0 and self.training:
            gradOutput = fit(self, "gradOutput", gradOutput, input)
            return gradOutput.mul_(self._noise(input)) if self.inplace else gradOutput * self._noise(input)
        return super().grad_input(input, gradOutput)

    def clearState(self) -> Module:
        self.flag = True
        return super().clearState()

    def describe(self) -> str:
        if not generation.current().replaces_dropout:
            return super().describe()
        return f"{self.class_name}({format_number('%.1f', self.p)}, {'lazy' if self.lazy else 'busy'})"
