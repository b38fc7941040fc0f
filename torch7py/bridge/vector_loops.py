"""The loops over numbers in a row that numpy has compiled, for Lua to run on memory of its own.

numpy chooses them for the processor at hand: an addition takes 0.15 ns a number in float, an exponential 0.5. They are
C functions in a table of each ufunc, in the layout of ``numpy/ufuncobject.h``, which is part of numpy's public
interface for C.
"""

from __future__ import annotations

import ctypes

import numpy as np

__all__ = ["LOOPS", "vector_loop"]

LOOPS = ("add", "subtract", "multiply", "divide", "maximum", "negative", "reciprocal", "exp", "tanh")
HEAD = object.__basicsize__  # bytes of what all objects of Python begin with


class _UFunc(ctypes.Structure):
    """How numpy's ``PyUFuncObject`` begins."""

    _fields_ = (
        ("head", ctypes.c_char * HEAD),
        ("nin", ctypes.c_int),
        ("nout", ctypes.c_int),
        ("nargs", ctypes.c_int),
        ("identity", ctypes.c_int),
        ("functions", ctypes.POINTER(ctypes.c_void_p)),
        ("data", ctypes.POINTER(ctypes.c_void_p)),
        ("ntypes", ctypes.c_int),
        ("reserved", ctypes.c_int),
        ("name", ctypes.c_char_p),
    )


def vector_loop(name: str, letter: str) -> tuple[int, int]:
    """The addresses of a loop, a ``PyUFuncGenericFunction``, for doubles (d) or floats (f), and of its data."""
    ufunc = getattr(np, name)
    seen = _UFunc.from_address(id(ufunc))
    found = seen.nin, seen.nout, seen.nargs, seen.ntypes
    if found != (ufunc.nin, ufunc.nout, ufunc.nargs, ufunc.ntypes) or seen.name != name.encode():
        raise RuntimeError(f"numpy {np.__version__} has another layout of ufuncs than numpy/ufuncobject.h")
    number = ufunc.types.index(f"{letter * ufunc.nin}->{letter * ufunc.nout}")
    return seen.functions[number] or 0, (seen.data[number] or 0) if seen.data else 0
