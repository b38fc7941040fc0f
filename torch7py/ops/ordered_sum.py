"""Sums whose terms are added one after the other, as the original's loops add them."""

from __future__ import annotations

import numpy as np
import torch

__all__ = ["BLOCK", "ordered_sum"]

BLOCK = 1 << 16  # elements whose running sums are held at once


def ordered_sum(x: torch.Tensor, dtype: torch.dtype | None = None) -> torch.Tensor:
    """The sum of all elements in their order, rounded at each step to ``dtype``, or to their own type.

    PyTorch adds in several lanes, which gives other last digits. It does so here too where the sum is to have a
    gradient, and on devices that have no such order.
    """
    dtype = dtype or x.dtype
    if x.requires_grad or x.device.type != "cpu" or dtype not in (torch.float64, torch.float32):
        return x.sum(dtype=dtype)
    running = _in_double if dtype == torch.float64 else _in_single
    flat = x.detach().reshape(-1)
    total = torch.zeros(1, dtype=dtype)
    for start in range(0, flat.numel(), BLOCK):
        block = flat[start : start + BLOCK]
        total = running(torch.cat((total, block.to(dtype))) if start else block)
    return total[0]


def _in_double(x: torch.Tensor) -> torch.Tensor:
    return x.cumsum(0, dtype=torch.float64)[-1:]


def _in_single(x: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(np.add.accumulate(x.numpy(), dtype=np.float32)[-1:].copy())
