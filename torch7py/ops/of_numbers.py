"""Functions of numbers with the digits of the default tensor type, by functions of tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from torch7py.ops import state

__all__ = ["of_numbers"]


def of_numbers(function: Callable[..., Any]) -> Callable[..., float]:
    """A function of numbers, computed by a function of tensors: in double, from and to the default tensor type."""

    def apply(*values: float) -> float:
        dtype = state.current().default_type.dtype
        result = function(*(torch.tensor(value, dtype=dtype).double() for value in values))
        return result.to(dtype).item()

    return apply
