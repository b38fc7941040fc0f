"""The steps of a sequence as one tensor."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from operator import attrgetter
from typing import Any

import torch

from torch7py.ops.tracing import numbers_known

__all__ = ["alike", "joined", "nearly", "rebound", "together", "unstack_steps"]

T = torch.Tensor
SHAPE, DTYPE = attrgetter("shape"), attrgetter("dtype")


def whole(first: T, count: int) -> T | None:
    """A tensor together with as many of its size that follow it in memory; None if the storage ends before."""
    size = first.numel()
    room = first.untyped_storage().nbytes() // first.element_size() - first.storage_offset()
    if size * count > room:
        return None
    return first.data.as_strided((count, *first.shape), (size, *first.stride()))


def joined(tensors: Sequence[T]) -> T:
    """``torch.stack``, without a copy if the tensors follow each other in memory."""
    joint = alike(tensors)
    return torch.stack(list(tensors)) if joint is None else joint


def alike(steps: Sequence[Any] | T) -> T | None:
    """The stacked steps of a sequence; None if they are not tensors of one size and type."""
    if isinstance(steps, torch.Tensor):
        return steps.data
    first, count = steps[0], len(steps)
    if not all(map(isinstance, steps, repeat(torch.Tensor))):
        return None
    size = first.numel()
    # A sequence goes through here at every Sequencer that it passes, there and back.
    if (
        not size
        or list(map(SHAPE, steps)) != [first.shape] * count
        or list(map(DTYPE, steps)).count(first.dtype) != count
    ):
        return None
    at, step_bytes = first.data_ptr(), size * first.element_size()
    in_a_row = range(at, at + count * step_bytes, step_bytes)
    if list(map(T.data_ptr, steps)) == list(in_a_row) and all(map(T.is_contiguous, steps)):
        joint = whole(first, count)
        if joint is not None:
            return joint
    if any(step.device != first.device for step in steps):
        return None
    return torch.stack([step.data for step in steps])


def nearly(one: T, other: T) -> bool:
    """Whether two computations of the same value gave equal results up to rounding.

    The error allowed is relative to the largest element: a small element may be a difference of large ones. Values
    that are unknown (on meta) count as equal.
    """
    if not numbers_known(one, other):
        return one.shape == other.shape
    close = 1e-9 if one.dtype == torch.float64 else 1e-5
    finite = other[torch.isfinite(other)]
    scale = float(finite.abs().max()) if finite.numel() else 0.0
    return torch.allclose(one, other, rtol=close, atol=close * scale, equal_nan=True)


def together(steps: Sequence[Any] | T) -> T | list[T] | None:
    """The stacked steps, which may be tables of equally many tensors: then a list of stacked tensors."""
    if isinstance(steps, torch.Tensor) or not isinstance(steps[0], list):
        return alike(steps)
    count = len(steps[0])
    if not count or any(not isinstance(step, list) or len(step) != count for step in steps):
        return None
    joint = [alike(column) for column in zip(*steps, strict=True)]
    columns = [column for column in joint if column is not None]
    return columns if len(columns) == count else None


def unstack_steps(whole: T | list[T]) -> list[Any]:
    """The steps of a stacked sequence."""
    if isinstance(whole, torch.Tensor):
        return list(whole.unbind())
    return [list(step) for step in zip(*(part.unbind() for part in whole), strict=True)]


def rebound(known: list[T], steps: T) -> list[T]:
    """Let the tensors of the last sequence's steps take over the memory of these.

    So a script that kept the results of the last sequence sees those of this one, as when the modules overwrote their
    outputs; and memory that nobody reads any more is free at once, not when Lua collects garbage.
    """
    parts = steps.unbind()
    dtype, device = steps.dtype, steps.device
    for number, (tensor, part) in enumerate(zip(known, parts, strict=False)):
        if tensor.dtype is dtype and tensor.device == device:
            tensor.data = part
        else:
            known[number] = part
    known.extend(parts[len(known) :])
    return known[: len(parts)]
