"""The loops under numpy's functions, which numpy hands out for compilers: the addresses of functions in C.

A loop takes any number of elements at any strides, and uses whatever instructions the processor has. Calling one takes
some nanoseconds where one of PyTorch's operations takes a microsecond or more; on large tensors, too, it takes 0.75 to
0.95 of the time.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import numpy as np
import torch

__all__ = ["find_loop", "has_loops", "numpys_loop"]

# How numpy hands out a loop: a capsule of this name holds the loop's address, its context and what belongs to it.
CAPSULE = b"numpy_1.24_ufunc_call_info"
ELEMENTS = {
    dtype: np.dtype(str(dtype).removeprefix("torch."))
    for dtype in (
        torch.float64,
        torch.float32,
        torch.int64,
        torch.int32,
        torch.int16,
        torch.int8,
        torch.uint8,
    )
}

_capsules: list[Any] = []  # what they hold is used as long as the process lives


@functools.cache
def find_loop(name: str, dtype: torch.dtype) -> tuple[int, int, int] | None:
    """The addresses of a numpy function's loop, of its context and of what belongs to it; it takes any strides.

    Only a loop whose result has the elements' type or, of a comparison, is 0 or 1 in a byte; else None.
    """
    function = getattr(np, name)
    element: Any = ELEMENTS[dtype]
    types, capsule = function._resolve_dtypes_and_context((element,) * function.nin + (None,))
    if any(found != element for found in types[:-1]) or types[-1] not in (element, np.bool_):
        return None
    function._get_strided_loop(capsule)
    _capsules.append(capsule)
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_size_t, (ctypes.py_object, ctypes.c_char_p)
    loop, context, belongs = (ctypes.c_size_t * 3).from_address(pointer(capsule, CAPSULE))
    return loop, context, belongs


def numpys_loop(name: str, dtype: torch.dtype) -> tuple[int, int, int]:
    """``find_loop`` where there must be one."""
    found = find_loop(name, dtype)
    if found is None:
        raise TypeError(f"numpy.{name} of {dtype} is not one")
    return found


@functools.cache
def has_loops() -> bool:
    """Whether this numpy hands out its loops, as it does for compilers like Numba since 1.24."""
    if not hasattr(np.add, "_get_strided_loop"):
        return False
    try:
        return all(numpys_loop("add", dtype)[0] for dtype in ELEMENTS)
    except ValueError:  # a capsule of another name
        return False
