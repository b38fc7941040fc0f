"""Checks of the parameters of the distributions."""

from __future__ import annotations

import torch

from torch7py.ops import types
from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.ops.mersenne import to_long

__all__ = ["bounds", "geometric_p", "not_half", "probability", "stdv"]


def not_half(tensor: torch.Tensor, name: str) -> None:
    """Refuse a HalfTensor: of tensors in half precision only cutorch's can be filled."""
    number_type = types.of_layer(tensor)
    if number_type.host.name == "Half" and not number_type.is_cuda:
        raise TorchError(f"{number_type.tensor} has no {name}")


def stdv(value: float) -> None:
    if not value > 0:
        raise ArgumentError(f"standard deviation must be strictly positive, got {value:g}")


def geometric_p(value: float) -> None:
    if not 0 < value < 1:
        raise ArgumentError(f"probability must be > 0 and < 1, got {value:g}")


def probability(value: float) -> None:
    if not 0 <= value <= 1:
        raise ArgumentError(f"probability must be >= 0 and <= 1, got {value:g}")


def bounds(arguments: tuple[float, ...]) -> tuple[int, int]:
    """The lowest integer and the count of integers: from 1 to b for (b), from a to b for (a, b).

    Both are C longs: a lowest number and a count, which is below 2^64.
    """
    if len(arguments) == 1:
        low, high = 1, to_long(arguments[0])
        if high <= 0:
            raise ArgumentError(f"upper bound must be strictly positive, got {high}")
    else:
        low, high = to_long(arguments[0]), to_long(arguments[1])
        if high < low:
            raise ArgumentError(f"upper bound must be larger than lower bound, got {low} and {high}")
    count = (high + 1 - low) % 2**64
    if count == 0:
        raise ArgumentError("bounds cover all 64-bit numbers")
    return low, count
