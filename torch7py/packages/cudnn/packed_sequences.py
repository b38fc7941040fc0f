"""Sequences of several lengths as one tensor: the rows of all steps one after the other, without rows for sequences
that have ended.

The longest sequence comes first, so the batches of the steps do not grow: step i has the first ``sizes[i]`` sequences.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch

from torch7py.ops.errors import TorchError

__all__ = ["checked", "packed", "padded"]

T = torch.Tensor


def checked(name: str, input: list[Any], columns: int) -> tuple[T, list[int]]:
    """The rows, of ``columns`` each, and the sizes of a packed input for the layer called ``name``."""
    if len(input) != 2 or not isinstance(input[0], T) or not isinstance(input[1], list) or not input[1]:
        raise TorchError(f"{name}: a packed input is a tensor and a table of the batch sizes of the steps")
    value, sizes = input[0], [int(size) for size in input[1]]
    if value.dim() != 2 or value.shape[1] != columns or sum(sizes) != value.shape[0]:
        raise TorchError(
            f"{name}: a packed input has two dimensions, (sum of lengths {sum(sizes)}, {columns})"
        )
    if any(a < b for a, b in itertools.pairwise(sizes)) or sizes[-1] < 1:
        raise TorchError(f"{name}: the batch sizes of the steps must not grow, and be at least 1")
    return value, sizes


def packed(value: T, lengths: Sequence[float]) -> tuple[T, list[int]]:
    """The rows of ``(steps, batch, ...)`` within the lengths, which must not grow; and the sizes of the steps."""
    counts = [int(length) for length in lengths]
    if len(counts) != value.shape[1]:
        raise TorchError(
            f"lengths array has incorrect size (expected: {value.shape[1]} but found: {len(counts)})"
        )
    if any(a < b for a, b in itertools.pairwise(counts)):
        raise TorchError("lengths array has to be sorted in decreasing order")
    if not counts or counts[-1] < 1 or counts[0] > value.shape[0]:
        raise TorchError(f"the lengths must be from 1 to {value.shape[0]}")
    sizes = [sum(count > step for count in counts) for step in range(counts[0])]
    return torch.cat([value[step, :size] for step, size in enumerate(sizes)]), sizes


def padded(data: T, listed: Sequence[float]) -> tuple[T, list[int]]:
    """The tensor ``(steps, batch, ...)`` with zeros beyond the lengths, and the lengths."""
    sizes = [int(size) for size in listed]
    result = data.new_zeros((len(sizes), sizes[0], *data.shape[1:]))
    at = 0
    for step, size in enumerate(sizes):
        result[step, :size] = data[at : at + size]
        at += size
    return result, [sum(size > position for size in sizes) for position in range(sizes[0])]
