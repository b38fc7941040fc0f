"""Elementwise operations on expanded tensors, which have the same element at several places.

Torch7 goes through the places of a tensor in their order and does to each what the operation says, so an element is
changed as often as it has places: ``x:expand(3, 4):add(1)`` adds 4. PyTorch refuses to write to such tensors. Here the
places are taken in turns, each of which meets every element once.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import torch

__all__ = ["by_rows_in_turns", "in_turns", "into_in_turns", "repeated_dims", "turns"]


def repeated_dims(x: torch.Tensor) -> list[int]:
    """The dimensions along which a tensor has the same elements at all places."""
    return [
        d
        for d, (size, stride) in enumerate(zip(x.shape, x.stride(), strict=True))
        if size > 1 and stride == 0
    ]


def turns(x: torch.Tensor, dims: list[int] | None = None) -> Iterator[Callable[[Any], Any]]:
    """For each turn, in order, what gives the places of a tensor of ``x``'s sizes that come then.

    The tensor may be of another size in a dimension that is not among ``dims``.
    """
    dims = repeated_dims(x) if dims is None else dims
    for turn in itertools.product(*(range(x.shape[dim]) for dim in dims)):

        def part(value: Any, turn: tuple[int, ...] = turn) -> Any:
            if isinstance(value, torch.Tensor):
                for dim, place in zip(dims, turn, strict=True):
                    value = value.narrow(dim, place, 1)
            return value

        yield part


def _must_be_refusal(error: RuntimeError) -> None:
    """Raise an error again that is not PyTorch's refusal of an expanded tensor, before it has done anything."""
    if "single memory location" not in str(error):
        raise error


def in_turns(error: RuntimeError, inplace: Callable[..., Any], x: torch.Tensor, *values: Any) -> None:
    """``inplace(x, *values)``, which PyTorch has refused with this error."""
    _must_be_refusal(error)
    for part in turns(x):
        inplace(part(x), *map(part, values))


def into_in_turns(error: RuntimeError, out: torch.Tensor, function: Callable[..., Any], *values: Any) -> None:
    """``out``, expanded and of the size of the values, becomes ``function(*values)``, which was refused likewise."""
    _must_be_refusal(error)
    for part in turns(out):
        part(out).copy_(function(*map(part, values)))


def by_rows_in_turns(
    inplace: Callable[..., Any], x: torch.Tensor, dim: int, index: torch.Tensor, *values: Any
) -> None:
    """``inplace(x, dim, index, *values)`` for an expanded ``x``, where ``index`` has places along ``dim``, from 0.

    Tensors of as many dimensions as ``x`` have its sizes in the others.
    """
    dims = repeated_dims(x)
    if dim in dims:  # all places are one
        dims.remove(dim)
        x, index = x.narrow(dim, 0, 1), torch.zeros_like(index)
    for part in turns(x, dims):
        places = part(index) if index.dim() == x.dim() > 1 else index
        inplace(part(x), dim, places, *map(part, values))
