"""Sums, products and sums of squares of floating numbers in double, in one pass over them.

PyTorch adds floats up in float, or makes doubles of all of them first. Here a routine (``machine.py``) makes doubles of
some at a time and adds them up: ``whole`` of all elements of tensors, ``of_rows`` of each row of a matrix. Both are
None where there is no routine, or where PyTorch would use several threads.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable

import torch

from torch7py.kernels import available, kernel
from torch7py.ops import compiled, machine, memory

__all__ = ["of_rows", "whole"]

T = torch.Tensor

# Vectors, numbers, steps. Of float tensors differences are floats.
FOLDS = {
    "sum": ("x", "start", "sum x"),
    "product": ("x", "start", "product x"),
    "squares": ("x", "start", "mul x x square", "sum square"),
    "magnitudes": ("x", "mask start", "and x mask size", "sum size"),
    "deviations": ("x", "mean start", "sub x mean way", "mul way way square", "sum square"),
    "differences": ("x y", "mask start", "sub x y way", "float way way", "and way mask size", "sum size"),
    "squares of differences": (
        "x y",
        "start",
        "sub x y way",
        "float way way",
        "mul way way square",
        "sum square",
    ),
}
# The same of the last few elements.
OF_FEW: dict[str, Callable[..., T]] = {
    "sum": lambda x: x.double().sum(),
    "product": lambda x: x.double().prod(),
    "squares": lambda x: x.double().square().sum(),
    "magnitudes": lambda x: x.double().abs().sum(),
    "deviations": lambda x, mean: (x.double() - mean).square().sum(),
    "differences": lambda x, y: (x - y).double().abs().sum(),
    "squares of differences": lambda x, y: (x - y).double().square().sum(),
}
MASK = ctypes.c_double.from_buffer(ctypes.c_int64(2**63 - 1)).value  # all bits but that of the sign


def _routine(name: str, dtype: torch.dtype) -> machine.Routine | None:
    vectors, numbers, *steps = FOLDS[name]
    if dtype == torch.float64:
        steps = [step for step in steps if not step.startswith("float")]
    return machine.fold(dtype, vectors, numbers, *steps)


def _numbers(name: str, number: float | None) -> list[float]:
    """What a routine begins with, behind its other numbers."""
    first = [MASK] if "mask" in FOLDS[name][1] else [] if number is None else [number]
    return [*first, 1.0 if name == "product" else 0.0]


def whole(name: str, *tensors: T, number: float | None = None) -> float | None:
    """One of ``FOLDS`` over all elements; ``number`` is the mean."""
    first = tensors[0]
    count = first.numel()
    if count < memory.LARGE or first.device.type != "cpu" or compiled.is_shared_out(first):
        return None
    found = _routine(name, first.dtype)
    if found is None:
        return None
    if not all(tensor.is_contiguous() for tensor in tensors):
        if len(tensors) > 1:
            return None
        strides = first.stride()
        moved = first.permute(sorted(range(first.dim()), key=strides.__getitem__, reverse=True))
        if not moved.is_contiguous():
            rows = None if number is not None else of_rows(name, moved)
            return None if rows is None else OF_FEW["product" if name == "product" else "sum"](rows).item()
        tensors = (moved,)
    numbers = _numbers(name, number)
    values = (ctypes.c_double * (len(numbers) + machine.LANES))(*numbers)
    few = count % machine.LANES
    addresses = [tensor.data_ptr() for tensor in tensors] + [0, 0, 0]
    found.call((count - few) * first.element_size(), ctypes.addressof(values), *addresses[:4])
    results = values[len(numbers) :]
    if few:
        rest = [tensor.detach().reshape(-1)[count - few :] for tensor in tensors]
        results.append(OF_FEW[name](*rest, *numbers[:1] * (number is not None)).item())
    return math.prod(results) if name == "product" else sum(results)


def of_rows(name: str, x: T) -> T | None:
    """One of ``FOLDS`` over each row, whose elements lie side by side: a vector of doubles."""
    size = x.shape[-1]
    if (
        x.numel() < memory.LARGE
        or size < machine.BLOCK
        or x.device.type != "cpu"
        or compiled.is_shared_out(x)
    ):
        return None
    if not available() or (not x.is_contiguous() and (x.dim() != 2 or x.stride(1) != 1)):
        return None
    found = _routine(name, x.dtype)
    if found is None:
        return None
    step = size if x.is_contiguous() else x.stride(0)
    made = torch.empty(x.numel() // size, dtype=torch.float64)
    numbers = _numbers(name, None)
    values = (ctypes.c_double * (len(numbers) + machine.LANES))(*numbers)
    fold = kernel("fold", REAL="double" if x.dtype == torch.float64 else "float")
    fold(
        name,
        found.address,
        ctypes.addressof(values),
        len(numbers),
        x.data_ptr(),
        len(made),
        size,
        step,
        made.data_ptr(),
    )
    return made
