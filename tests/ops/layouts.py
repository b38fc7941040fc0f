"""Hypothesis strategies: tensors of any type, shape, strides and offset, and what numpy says of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

__all__ = ["ALL", "FLOATING", "INTEGER", "array", "in_layout", "shapes", "tensors"]

FLOATING = (torch.float64, torch.float32)
INTEGER = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)
ALL = FLOATING + INTEGER


def shapes(low: int = 1, high: int = 4, largest: int = 4) -> SearchStrategy[tuple[int, ...]]:
    return st.lists(st.integers(1, largest), min_size=low, max_size=high).map(tuple)


@st.composite
def in_layout(draw: DrawFn, values: torch.Tensor) -> torch.Tensor:
    """The same values with other strides and an offset: dimensions swapped in memory, with gaps, inside of more."""
    dims = values.dim()
    order = draw(st.permutations(range(dims)))
    steps = draw(st.tuples(*[st.integers(1, 2)] * dims))
    offset = draw(st.integers(0, 3))
    spread = [values.shape[d] * steps[d] for d in order]
    count = int(np.prod(spread))
    memory = torch.full((offset + count + 2,), 77, dtype=values.dtype)
    whole = memory[offset : offset + count].view(spread)
    back = [order.index(d) for d in range(dims)]
    made = whole.permute(back)[tuple(slice(None, None, step) for step in steps)]
    made.copy_(values)
    return made


@st.composite
def tensors(
    draw: DrawFn,
    dtypes: Sequence[torch.dtype] = ALL,
    shape: SearchStrategy[tuple[int, ...]] | None = None,
    nonzero: bool = False,
) -> torch.Tensor:
    """A tensor of small numbers, halves among them where the type has them, so that sums are exact."""
    dtype = draw(st.sampled_from(dtypes))
    sizes = draw(shape if shape is not None else shapes())
    source = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = int(np.prod(sizes))
    low = 0 if dtype == torch.uint8 else -8
    values = source.integers(low, 9, count)
    if nonzero:
        values[values == 0] = 3
    made = torch.tensor(values, dtype=torch.float64).reshape(sizes)
    if dtype.is_floating_point:
        made = made / 2
    return draw(in_layout(made.to(dtype)))


def array(x: torch.Tensor) -> Any:
    """A copy of a tensor's elements."""
    return x.numpy().copy()
