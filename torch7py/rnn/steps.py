"""The steps of a sequence as one tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

__all__ = ["alike", "joined"]

T = torch.Tensor


def joined(tensors: Sequence[T]) -> T:
    """``torch.stack`` that copies nothing when the tensors lie one after the other."""
    first = tensors[0]
    size = first.numel()
    if first.is_contiguous() and size:
        at, step = first.data_ptr(), size * first.element_size()
        follows = all(
            t.data_ptr() == at + n * step and t.is_contiguous() and t.shape == first.shape
            for n, t in enumerate(tensors)
        )
        room = (first.untyped_storage().nbytes() // first.element_size()) - first.storage_offset()
        if follows and size * len(tensors) <= room:
            return first.as_strided((len(tensors), *first.shape), (size, *first.stride()))
    return torch.stack(list(tensors))


def alike(steps: Sequence[Any] | T) -> T | None:
    """The steps of a sequence joined; None when they are not tensors of one size and type."""
    if isinstance(steps, torch.Tensor):
        return steps.data
    first = steps[0]
    if not isinstance(first, torch.Tensor) or not first.numel():
        return None
    kind = (first.shape, first.dtype, first.device)
    if not all(isinstance(s, torch.Tensor) and (s.shape, s.dtype, s.device) == kind for s in steps[1:]):
        return None
    return joined([step.data for step in steps])
