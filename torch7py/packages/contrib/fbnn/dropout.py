"""Dropout with a probability for each column, of all columns from a random one on, and without rescaling."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import argument_text
from torch7py.nn.base import Module
from torch7py.nn.checks import any_true, fit, number
from torch7py.nn.dropout import Dropout
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.ops.random import dropout_mask, scalar

__all__ = ["FasterDropout", "IndividualDropout", "NestedDropout"]

# The original takes its masks from threads that draw ahead, of which no seed is the program's: nobody can repeat them.


class _Masked(Module):
    """A layer that multiplies by a mask in training and has no backward in evaluation."""

    traced = False

    def draw(self, input: torch.Tensor) -> torch.Tensor:
        """A new mask for this input."""
        raise NotImplementedError

    def evaluated(self, input: torch.Tensor) -> torch.Tensor:
        """The output in evaluation."""
        return input.clone()

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return self.evaluated(input)
        return input * self.note("noise", self.draw(input))

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        if not self.training:
            raise TorchError(f"{self.class_name}: there is no backward in evaluation")
        mask = fit(self, "the mask of the last forward", self.noise, input)
        return fit(self, "gradOutput", gradOutput, input) * mask

    def clearState(self) -> Module:
        self.clear("noise")
        return super().clearState()


@layer("fbnn.Dropout", draws=True, differs_in_training=True, begins_training=True, keeps_rank=True)
class FasterDropout(_Masked):
    """``fbnn.Dropout([p])``: zero each element with probability p (0.5) in training; evaluation multiplies by 1 - p.

    Any shape. The masks come from the program's own stream; those of the original do not follow its seed.
    """

    fields: ClassVar[tuple[str, ...]] = ("p", "noise")
    lua_methods = names("setp")

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= number("fbnn.Dropout", "p", p) < 1:
            raise TorchError("fbnn.Dropout: p must be at least 0 and below 1")
        self.set_training()
        self.p = p
        self.keep("noise", self.new())

    def setp(self, p: float) -> None:
        """``m:setp(p)``"""
        self.p = p

    def draw(self, input: torch.Tensor) -> torch.Tensor:
        return dropout_mask(state.current().generator, input.shape, self.p, input.dtype).to(input.device)

    def evaluated(self, input: torch.Tensor) -> torch.Tensor:
        return input * (1 - self.p)


@layer("fbnn.IndividualDropout", draws=True, differs_in_training=True, begins_training=True, keeps_rank=True)
class IndividualDropout(_Masked):
    """``fbnn.IndividualDropout(p)``: zero the elements of column d with probability p[d], divide the others by ``1 -
    p[d]``.

    Shapes: ``(batch, n)``, p a tensor of n elements. Evaluation changes nothing. The field ``p`` holds 1 - p, as a
    FloatTensor. The masks come from the program's own stream; those of the original do not follow its seed.
    """

    fields: ClassVar[tuple[str, ...]] = ("p", "noise", "noisegpu", "pgpu")
    lua_methods = names("setp")
    noise: torch.Tensor

    def __init__(self, p: torch.Tensor) -> None:
        super().__init__()
        if not isinstance(p, torch.Tensor) or any_true((p < 0) | (p >= 1)):
            raise TorchError("fbnn.IndividualDropout: p must be a tensor of numbers from 0 to below 1")
        self.setp(p)
        self.set_training()
        self.keep("noise", self.new())

    def setp(self, p: torch.Tensor) -> None:
        """``m:setp(p)``"""
        self.__dict__["p"] = (1 - p.double()).float().flatten()

    def draw(self, input: torch.Tensor) -> torch.Tensor:
        if self.p.is_meta:
            return torch.ones_like(input)
        generator = state.current().generator
        columns = [dropout_mask(generator, (len(input),), 1 - q, input.dtype) / q for q in self.p.tolist()]
        return torch.stack(columns, 1).to(input.device)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if input.dim() != 2 or input.shape[1] != self.p.numel():
            raise TorchError(
                f"{self.class_name}: the input must have {self.p.numel()} columns, not {argument_text(input)}"
            )
        return super().forward(input)


@layer("fbnn.NestedDropout")
class NestedDropout(Dropout):
    """``fbnn.NestedDropout(p)``: zero all columns behind the b-th, b drawn for each row from a geometric distribution
    (Rippel, Gelbart and Adams, 2014).

    Shapes: ``(batch, n)``. Column k is divided by the probability that is left for it, ``1 - sum_{i <= k} p (1 -
    p)^(i - 1)``. Evaluation changes nothing and has no backward. b is ``torch.geometric(1 - p)``.
    """

    fields: ClassVar[tuple[str, ...]] = ("logp", "log1p")

    def __init__(self, p: float) -> None:
        if not 0 < number("fbnn.NestedDropout", "p", p) < 1:
            raise TorchError("fbnn.NestedDropout: p must be above 0 and below 1")
        super().__init__(p)
        self.logp, self.log1p = math.log(p), math.log(1 - p)

    def draw_rows(self, input: torch.Tensor) -> torch.Tensor:
        """The mask of an input."""
        rows, columns = input.shape
        generator = state.current().generator
        last = torch.tensor([scalar.geometric(generator, 1 - self.p) for _ in range(rows)])
        number_of = torch.arange(columns, dtype=torch.float64)
        left = 1 - (number_of * self.log1p + self.logp).exp().cumsum(0)
        mask = (number_of < last.unsqueeze(1)) / left
        return mask.to(input)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if input.dim() != 2 or input.numel() == 0:
            raise TorchError(f"{self.class_name}: the input must be a matrix, not {argument_text(input)}")
        if not self.training:
            return input.clone()
        return input * self.note("noise", self.draw_rows(input))

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> Any:
        if not self.training:
            raise TorchError(f"{self.class_name}: there is no backward in evaluation")
        mask = fit(self, "the mask of the last forward", self.noise, input)
        return fit(self, "gradOutput", gradOutput, input) * mask
