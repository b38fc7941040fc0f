"""Pooling of sequences: the k largest of each column, and the k longest rows."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import gradient_of, size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import number
from torch7py.nn.registry import layer
from torch7py.nn.window_max import whole_indices
from torch7py.ops import state
from torch7py.ops.errors import TorchError

__all__ = ["GroupKMaxPooling", "KMaxPooling", "TemporalKMaxPooling"]


def largest_in_order(values: torch.Tensor, k: int) -> torch.Tensor:
    """The rows, from 0 and in ascending order, of the k largest elements of each column (dimension -2)."""
    order = values.detach().sort(dim=-2, descending=True, stable=True).indices
    indices: torch.Tensor = order.narrow(-2, 0, k).sort(-2).values
    return indices


class _KMax(Module):
    """A layer that keeps k rows, or a share of the rows where that is more."""

    traced = False
    rounding: ClassVar[Any] = math.floor
    places: ClassVar[str] = "switches"
    fields: ClassVar[tuple[str, ...]] = ("k", "k_dynamic")

    def __init__(self, k: int, k_dynamic: float | None = None) -> None:
        super().__init__()
        self.k = number(self.torch7_name, "k", k)
        self.k_dynamic = -1 if k_dynamic is None else number(self.torch7_name, "k_dynamic", k_dynamic)
        self.keep(self.places, torch.empty(0, dtype=torch.int64, device=self.new().device))

    def kept(self, input: torch.Tensor) -> int:
        """How many rows of an input are kept."""
        if input.dim() not in self.ranks() or input.numel() == 0:
            allowed = " or ".join(map(str, self.ranks()))
            raise TorchError(
                f"{self.class_name}: the input must have {allowed} dimensions, not {size_text(input)}"
            )
        k, rows = int(self.k), input.shape[-2]
        if self.k_dynamic > 0:
            k = max(k, int(type(self).rounding(self.k_dynamic * rows)))
        return k

    def ranks(self) -> tuple[int, ...]:
        return (2, 3)

    def clearState(self) -> Module:
        self.clear(self.places)
        return super().clearState()


@layer("nn.KMaxPooling", package="fbnn", keeps_rank=True)
class KMaxPooling(_KMax):
    """``nn.KMaxPooling(k[, k_dynamic])``: the k largest of each column, in the order of the rows (Kalchbrenner et al.,
    2014).

    Shapes: ``(rows, columns)`` -> ``(k, columns)``; k is ``max(k, floor(k_dynamic * rows))``. Of fewer than k rows the
    output holds all, and zeros below. In Lua ``m:updateOutput(input, {length = LongTensor{n}})`` takes the first n rows
    alone and returns ``{output = ..., info = {length = ...}}``. ``switches`` has the rows, from 0. Of equal values the
    first counts.
    """

    fields: ClassVar[tuple[str, ...]] = ("switches", "input_length", "output_length")
    input_length: torch.Tensor | None = None
    output_length: torch.Tensor | None = None

    def ranks(self) -> tuple[int, ...]:
        return (2,)

    def forward(self, input: torch.Tensor, length: int | None = None) -> torch.Tensor:
        k = self.kept(input)
        rows = input.shape[0] if length is None else int(length)
        if not 0 < rows <= input.shape[0]:
            raise TorchError(f"{self.class_name}: a length of {rows} for an input of {size_text(input)}")
        count = min(k, rows)
        indices = largest_in_order(input[:rows], count)
        self.note("switches", torch.nn.functional.pad(indices, (0, 0, 0, k - count)))
        self.note("input_length", torch.tensor([rows]))
        self.note("output_length", torch.tensor([count]))
        return torch.nn.functional.pad(input.gather(0, indices), (0, 0, 0, k - count))

    def updateOutput(self, input: torch.Tensor, input_info: Any = None) -> Any:
        if input_info is None:
            return super().updateOutput(input)
        length = input_info.get("length") if isinstance(input_info, dict) else None
        if not isinstance(length, torch.Tensor) or length.numel() != 1:
            raise TorchError(f"{self.class_name}: argument 2 must be a table with a tensor of one length")
        self.keep_output(self.noted(self.forward, input, int(length.item())))
        return {"output": self.output, "info": {"length": self.output_length}}

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        indices = whole_indices(self, field="switches")
        gradient = gradient_of(self, gradOutput, indices.shape)
        count = int(self.output_length.item()) if self.output_length is not None else len(indices)
        result = torch.zeros_like(input, memory_format=torch.contiguous_format)
        return result.scatter_(0, indices[:count], gradient[:count])


@layer("nn.GroupKMaxPooling", package="fbnn", keeps_rank=True)
class GroupKMaxPooling(_KMax):
    """``nn.GroupKMaxPooling(k[, k_dynamic])``: the k rows of the largest 2-norm, in the order of the rows.

    Shapes: ``(rows, columns)`` -> ``(k, columns)``, or both as a batch; k is ``max(k, floor(k_dynamic * rows))``. Of
    fewer than k rows the output holds all, and zeros below. ``switches`` has the rows, from 0. Of equal norms the first
    counts.
    """

    fields: ClassVar[tuple[str, ...]] = ("switches",)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        k = self.kept(input)
        count = min(k, input.shape[-2])
        indices = largest_in_order(input.norm(2, -1, keepdim=True), count)
        missing = (0, 0, 0, k - count)
        self.note("switches", torch.nn.functional.pad(indices, missing).squeeze(-1))
        rows = input.gather(-2, indices.expand(*indices.shape[:-1], input.shape[-1]))
        return torch.nn.functional.pad(rows, missing)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        switches = whole_indices(self, field="switches")
        gradient = gradient_of(self, gradOutput, (*switches.shape, input.shape[-1]))
        count = min(switches.shape[-1], input.shape[-2])
        indices = switches[..., :count].unsqueeze(-1).expand(*switches.shape[:-1], count, input.shape[-1])
        result = torch.zeros_like(input, memory_format=torch.contiguous_format)
        return result.scatter_(-2, indices, gradient[..., :count, :])


@layer("nn.TemporalKMaxPooling", package="fbnn", keeps_rank=True)
class TemporalKMaxPooling(_KMax):
    """``nn.TemporalKMaxPooling(k[, k_dynamic])``: the k largest of all frames, element by element, in the order of the
    input.

    Shapes: ``(frames, size)`` -> ``(k, size)``, or both as a batch; k is ``max(k, ceil(k_dynamic * frames))``,
    k_dynamic being from 0 to 1. ``indices`` has the frames, from 0. In the original a layer of fbcunn, for a GPU
    alone.
    """

    rounding = math.ceil
    places = "indices"
    fields: ClassVar[tuple[str, ...]] = ("indices",)

    def __init__(self, k: int, k_dynamic: float | None = None) -> None:
        super().__init__(k, k_dynamic)
        if k_dynamic is not None and not 0 <= k_dynamic <= 1:
            raise TorchError("nn.TemporalKMaxPooling: k_dynamic must be from 0 to 1")
        if state.current().gpu is not None:
            self.torch7_cuda()

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        k = self.kept(input)
        if k > input.shape[-2]:
            raise TorchError(
                f"{self.class_name}: cannot take {k} frames of the {input.shape[-2]} in the input"
            )
        indices = largest_in_order(input, k)
        self.note("indices", indices)
        return input.gather(-2, indices)

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        indices = whole_indices(self)
        gradient = gradient_of(self, gradOutput, indices.shape)
        result = torch.zeros_like(input, memory_format=torch.contiguous_format)
        return result.scatter_(-2, indices, gradient)
