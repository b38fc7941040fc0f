"""Results that lie as the original's do: one element after the other, whatever the strides of an input."""

from __future__ import annotations

import torch

from torch7py.ops.memory import contiguous_strides

__all__ = ["dense"]


def dense(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor, or a copy, with the strides of a new tensor of its sizes.

    PyTorch hands the strides of an input on to a result, and counts a dimension of size 1 as dense with any stride.
    """
    if not tensor.is_contiguous():
        return tensor.contiguous()
    if 1 not in tensor.shape:
        return tensor
    strides = contiguous_strides(tensor.shape)
    return tensor if tensor.stride() == strides else tensor.as_strided(tensor.shape, strides)
