"""Whether the numbers of tensors are known where code runs: not while PyTorch only traces what is done to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

__all__ = ["in_transform", "numbers_known"]


def in_transform(_innermost: Callable[[], Any] = torch._C._functorch.peek_interpreter_stack) -> bool:
    """Whether a function transform (``torch.func``) is at work, whose tensors do not outlive it."""
    return _innermost() is not None


def numbers_known(*tensors: torch.Tensor) -> bool:
    """Whether code can look at the numbers of these tensors: nothing is exported or transformed, none is on meta."""
    if torch.compiler.is_compiling() or in_transform():
        return False
    return not any(tensor.is_meta for tensor in tensors)
