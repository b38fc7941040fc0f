"""Torch7's random functions, bit for bit.

Four files turn a Generator's words into numbers, one for every kind of result:

- ``scalar``: one number, as ``torch.uniform(a, b)`` returns;
- ``draw``: a new 1-D tensor of n numbers, float64 or int64;
- ``fill``: the elements of an existing tensor of any number type, as ``x:uniform(a, b)`` sets them;
- ``choose``: permutations and samples of categories.

All use the same stream: n numbers drawn at once equal n numbers drawn one by one.

The functions in this file are for layers: they draw from the current State's generator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from torch7py.ops import state
from torch7py.ops.mersenne import Generator
from torch7py.ops.random import choose, draw, fill, scalar

__all__ = ["choose", "draw", "draw_for_batch", "dropout_mask", "fill", "normal_", "scalar", "uniform_"]


def uniform_(tensor: torch.Tensor, a: float = 0.0, b: float = 1.0) -> torch.Tensor:
    """Fill a tensor from [a, b) with the current State's generator, and return it."""
    return fill.uniform(state.current().generator, tensor, a, b)


def normal_(tensor: torch.Tensor, mean: float = 0.0, stdv: float = 1.0) -> torch.Tensor:
    """Fill a tensor with normal numbers from the current State's generator, and return it."""
    return fill.normal(state.current().generator, tensor, mean, stdv)


def draw_for_batch(shape: Sequence[int], draw: Callable[[tuple[int, ...]], torch.Tensor]) -> torch.Tensor:
    """A tensor of this shape: ``draw`` of it, or its part of what is drawn for the whole batch.

    Several processes that share a batch draw from equal generators. Each draws for the whole batch and takes its rows,
    so that all numbers are those of one process, and all generators are equal afterwards.
    """
    part = state.current().batch_part
    axis_and_share = None if part is None else part.batch_axis(shape)
    if part is None or axis_and_share is None:
        return draw(tuple(shape))
    axis, share = axis_and_share
    whole = (*shape[:axis], part.total * share, *shape[axis + 1 :])
    return draw(whole).narrow(axis, part.start * share, part.length * share).contiguous()


def dropout_mask(
    generator: Generator, shape: Sequence[int], p: float, dtype: torch.dtype = torch.float64
) -> torch.Tensor:
    """A CPU tensor of this shape, 1 where an element is kept and 0 where it is dropped with probability p."""

    def draw(shape: tuple[int, ...]) -> torch.Tensor:
        return fill.bernoulli(generator, torch.empty(shape, dtype=dtype, device="cpu"), 1 - p)

    return draw_for_batch(shape, draw)
