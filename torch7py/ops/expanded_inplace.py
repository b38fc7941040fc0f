"""In-place operations on expanded tensors, in which several positions share an element.

Torch7 visits the positions of a tensor in order and applies the operation at each, so an element changes as often as it
has positions: ``x:expand(3, 4):add(1)`` adds 4. PyTorch refuses to write to such tensors. Here the operation is applied
once for each repetition, to a view that contains every element once.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import torch

__all__ = ["apply_indexed", "apply_inplace", "apply_into", "repeated_dims", "repetitions"]


def repeated_dims(x: torch.Tensor) -> list[int]:
    """The dimensions along which all positions share the same elements."""
    return [
        d
        for d, (size, stride) in enumerate(zip(x.shape, x.stride(), strict=True))
        if size > 1 and stride == 0
    ]


def repetitions(x: torch.Tensor, dims: list[int] | None = None) -> Iterator[Callable[[Any], Any]]:
    """For every repetition of the elements of ``x``, in order, a function that selects its positions in a tensor.

    That tensor has the sizes of ``x``, except in dimensions that are not among ``dims``. Other values are returned as
    they are.
    """
    dims = repeated_dims(x) if dims is None else dims
    for indices in itertools.product(*(range(x.shape[dim]) for dim in dims)):

        def select(value: Any, indices: tuple[int, ...] = indices) -> Any:
            if isinstance(value, torch.Tensor):
                for dim, index in zip(dims, indices, strict=True):
                    value = value.narrow(dim, index, 1)
            return value

        yield select


def _raise_unless_refused(error: RuntimeError) -> None:
    """Raise an error again unless it is PyTorch's refusal of an expanded tensor, which comes before any change."""
    if "single memory location" not in str(error):
        raise error


def apply_inplace(error: RuntimeError, inplace: Callable[..., Any], x: torch.Tensor, *values: Any) -> None:
    """Compute ``inplace(x, *values)``, which PyTorch has refused with this error."""
    _raise_unless_refused(error)
    for select in repetitions(x):
        inplace(select(x), *map(select, values))


def apply_into(error: RuntimeError, out: torch.Tensor, function: Callable[..., Any], *values: Any) -> None:
    """Write ``function(*values)``, which was refused likewise, to ``out``, expanded and of the size of the values."""
    _raise_unless_refused(error)
    for select in repetitions(out):
        select(out).copy_(function(*map(select, values)))


def apply_indexed(
    inplace: Callable[..., Any], x: torch.Tensor, dim: int, index: torch.Tensor, *values: Any
) -> None:
    """Compute ``inplace(x, dim, index, *values)`` for an expanded ``x``; ``index`` counts along ``dim`` from 0.

    Tensors of as many dimensions as ``x`` have its sizes in the others.
    """
    dims = repeated_dims(x)
    if dim in dims:  # all indices along it mean the same elements
        dims.remove(dim)
        x, index = x.narrow(dim, 0, 1), torch.zeros_like(index)
    for select in repetitions(x, dims):
        selected = select(index) if index.dim() == x.dim() > 1 else index
        inplace(select(x), dim, selected, *map(select, values))
