"""Whether the elements of tensors can be read: not while PyTorch only traces operations on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

__all__ = ["in_transform", "numbers_known"]


def in_transform(_innermost: Callable[[], Any] = torch._C._functorch.peek_interpreter_stack) -> bool:
    """Whether a function transform (``torch.func``) is active, whose tensors do not outlive it."""
    return _innermost() is not None


def numbers_known(*tensors: torch.Tensor) -> bool:
    """Whether the elements of these tensors can be read: no export or transform is active, none is on meta."""
    if torch.compiler.is_compiling() or in_transform():
        return False
    return not any(tensor.is_meta for tensor in tensors)
