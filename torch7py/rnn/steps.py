"""The steps of a sequence as one tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

__all__ = ["alike", "joined", "rebound"]

T = torch.Tensor


def joined(tensors: Sequence[T]) -> T:
    """``torch.stack`` that copies nothing when the tensors lie one after the other."""
    first = tensors[0]
    size = first.numel()
    if size and first.is_contiguous():
        at, step = first.data_ptr(), size * first.element_size()
        places = [t.data_ptr() for t in tensors]
        if places == list(range(at, at + len(tensors) * step, step)):
            shape, strides = first.shape, first.stride()
            room = (first.untyped_storage().nbytes() // first.element_size()) - first.storage_offset()
            if size * len(tensors) <= room and all(
                t.shape == shape and t.stride() == strides for t in tensors
            ):
                return first.as_strided((len(tensors), *shape), (size, *strides))
    return torch.stack(list(tensors))


def alike(steps: Sequence[Any] | T) -> T | None:
    """The steps of a sequence joined; None when they are not tensors of one size and type."""
    if isinstance(steps, torch.Tensor):
        return steps.data
    first = steps[0]
    if not isinstance(first, torch.Tensor) or not first.numel():
        return None
    shape, dtype, device = first.shape, first.dtype, first.device
    for step in steps:
        if not isinstance(step, torch.Tensor) or step.shape != shape or step.dtype is not dtype:
            return None
        if step.device != device:
            return None
    return joined([step.data for step in steps])


def rebound(known: list[T], steps: T) -> list[T]:
    """A tensor for each step, the same objects as before, which take over the memory of these.

    So a script that kept the results of the last sequence sees those of this one, as it did when the modules of the
    steps overwrote their outputs; and memory that nobody reads any more is free at once, not when Lua has collected.
    """
    for number, step in enumerate(steps.unbind()):
        if number == len(known):
            known.append(step)
        elif known[number].dtype == step.dtype and known[number].device == step.device:
            known[number].data = step
        else:
            known[number] = step
    return known[: len(steps)]
