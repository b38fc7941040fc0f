"""The dot product of two vectors, equal to the original's to the last bit for few elements.

A line search magnifies roundoff: from a difference of 2e-16 in one product, 20 calls of ``optim.cg`` on four
variables end 4 % apart. The BLAS under Torch7 adds the products of fewer than 16 doubles in order,
with fused multiply-adds. For longer vectors this is PyTorch's product.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from fractions import Fraction

import torch

from torch7py.ops import memory

__all__ = ["dot", "multiply_add"]

FEW = 16


def _exactly(a: float, b: float, c: float) -> float:
    """a * b + c, rounded once."""
    try:
        return float(Fraction(a) * Fraction(b) + Fraction(c))
    except (ValueError, OverflowError):  # infinite or not a number
        return a * b + c


def _pythons(a: float, b: float, c: float) -> float:
    """``math.fma``, which raises an error where the result is NaN or too large."""
    try:
        return float(math.fma(a, b, c))  # type: ignore[attr-defined,unused-ignore]
    except (ValueError, OverflowError):
        return _exactly(a, b, c)


def _multiply_add() -> Callable[[float, float, float], float]:
    """The fastest fused multiply-add: Python's since 3.13, else the C library's, else one by fractions."""
    if hasattr(math, "fma"):
        return _pythons
    try:
        function = ctypes.CDLL(None).fma
    except (OSError, AttributeError, TypeError):  # no C library
        return _exactly
    function.argtypes, function.restype = (ctypes.c_double,) * 3, ctypes.c_double
    return function


multiply_add = _multiply_add()


def dot(a: torch.Tensor, b: torch.Tensor) -> float:
    """The sum of the products of the elements of two tensors with the same number of elements."""
    if a.dim() != 1 or b.dim() != 1:
        a, b = a.reshape(-1), b.reshape(-1)
    if a.numel() != b.numel():
        memory.fit(a, b)
    if a.numel() >= FEW or a.dtype != torch.float64 or a.device.type != "cpu":
        return torch.dot(a, b).item()
    total = 0.0
    for x, y in zip(a.tolist(), b.tolist(), strict=True):
        total = multiply_add(x, y, total)
    return total
