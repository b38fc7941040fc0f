"""When an operation on large tensors is left to a kernel, and which of a kernel's versions it needs."""

from __future__ import annotations

import torch

from torch7py.kernels import available
from torch7py.ops import memory
from torch7py.ops.known import numbers_known

__all__ = ["fits", "is_shared_out"]

SHARED = 1 << 15  # elements from which on PyTorch uses several threads


def fits(*tensors: torch.Tensor) -> bool:
    """Whether a kernel may work on the memory of these: contiguous tensors on the CPU, the first one large.

    Not where PyTorch is to remember how results were made, for a gradient or for an exported program.
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


def is_shared_out(tensor: torch.Tensor) -> bool:
    """Whether PyTorch has several threads do an operation on this, where a kernel has one."""
    return tensor.numel() >= SHARED and torch.get_num_threads() > 1
