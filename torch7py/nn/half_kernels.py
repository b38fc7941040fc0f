"""PyTorch's kernels that on the CPU have no half precision, or are far slower in it, computed in float.

Sums run in float and are rounded once, at the end: as cuDNN does by default (``CUDNN_DATA_FLOAT``), and as cutorch's
products on GPUs without half arithmetic. That is never further from the exact result than a sum in half precision. A
gradient by ``torch.ops.aten.convolution_backward`` took 80 times as long in half precision as in float.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

__all__ = [
    "avg_pool3d",
    "avg_pool3d_backward",
    "convolution",
    "convolution_backward",
    "in_float",
]


def in_float(kernel: Callable[..., Any], *others_too: torch.dtype) -> Callable[..., Any]:
    """A kernel that computes half-precision tensors on the CPU in float."""
    dtypes = (torch.float16, *others_too)

    def call(first: torch.Tensor, *others: Any, **named: Any) -> Any:
        if first.dtype not in dtypes or first.device.type != "cpu":
            return kernel(first, *others, **named)
        others = tuple(other.float() if isinstance(other, torch.Tensor) else other for other in others)
        result = kernel(first.float(), *others, **named)
        if isinstance(result, torch.Tensor):
            return result.to(first.dtype)
        return tuple(None if part is None else part.to(first.dtype) for part in result)

    return call


convolution = in_float(torch.convolution)
convolution_backward = in_float(torch.ops.aten.convolution_backward)
avg_pool3d = in_float(F.avg_pool3d, torch.bfloat16)
avg_pool3d_backward = in_float(torch.ops.aten.avg_pool3d_backward, torch.bfloat16)
