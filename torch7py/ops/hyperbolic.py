"""``tanh`` of every element, computed by the faster of two libraries.

PyTorch calls MKL, whose vector functions run at half their speed or less on processors that Intel has not made: 4.9 ns
an element in double and 2.5 in float on a Zen 4, where numpy's take 1.8 and 0.45. Both are within 1.4 units in the last
place, and in that they differ. PyTorch's is used for few elements, as the call of numpy costs as much, and where
PyTorch has several threads, which numpy does not use.
"""

from __future__ import annotations

import numpy as np
import torch

from torch7py.ops.memory import array_of

__all__ = ["tanh", "tanh_"]

FEW = 1 << 11
SHARED = 1 << 15  # elements from which on PyTorch uses several threads
TYPES = frozenset({torch.float64, torch.float32})


def tanh(x: torch.Tensor, *, out: torch.Tensor | None = None) -> torch.Tensor:
    """``tanh`` of each element, without a graph; ``out``, of the same size and type, may be ``x`` itself."""
    count = x.numel()
    if (
        count < FEW
        or x.dtype not in TYPES
        or not x.is_cpu
        or (count >= SHARED and torch.get_num_threads() > 1)
        or (out is not None and (out.shape != x.shape or (not out.is_contiguous() and 0 in out.stride())))
    ):
        return torch.tanh(x.detach(), out=out)
    x = x.detach()
    if out is None:
        out = torch.empty_like(x)
    np.tanh(array_of(x), array_of(out))
    return out


def tanh_(x: torch.Tensor) -> torch.Tensor:
    """The same in place."""
    return tanh(x, out=x)
