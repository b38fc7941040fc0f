"""When an operation on large tensors is left to a kernel."""

from __future__ import annotations

import torch

from torch7py.kernels import available
from torch7py.ops import memory
from torch7py.ops.known import numbers_known

__all__ = ["fits", "uses_threads"]

SHARED = 1 << 15  # elements from which on PyTorch uses several threads


def fits(*tensors: torch.Tensor) -> bool:
    """Whether a kernel may work on the memory of these tensors: contiguous, on the CPU, the first one large.

    It may not where PyTorch has to record operations, for a gradient or for an exported program.
    """
    return (
        memory.LARGE <= tensors[0].numel() < 2**31
        and all(
            tensor.device.type == "cpu"
            and tensor.is_contiguous()
            and not (tensor.requires_grad and torch.is_grad_enabled())
            for tensor in tensors
        )
        and available()
        and numbers_known()
    )


def uses_threads(tensor: torch.Tensor) -> bool:
    """Whether PyTorch splits an operation on this tensor among several threads; a kernel runs in one."""
    return tensor.numel() >= SHARED and torch.get_num_threads() > 1
