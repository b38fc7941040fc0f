"""log, exp, sin, cos and tan of arrays, rounded as the C library rounds them.

Torch7 called the C library for each element. The vectorised functions of numpy and PyTorch differ from it in
the last bit for 0.1 to 4 % of values (which ones depends on the processor), and a training run that must
repeat the original's digits cannot have that. Python's ``math`` calls the C library and never differs: 50 to
65 ms for 1e6 values. A faster loop may be installed for the current State; it must call the C library, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from torch7py.ops import state

__all__ = ["Backend", "cos", "exp", "install", "log", "sin", "tan"]

Doubles = NDArray[np.float64]
Backend = Callable[[str, int, int, int], None]
"""``backend(name, address_in, address_out, n)`` applies the C function to n doubles, from one address to the
other; the two never overlap."""

SCALAR: dict[str, Callable[[float], float]] = {
    "cos": math.cos,
    "exp": math.exp,
    "log": math.log,
    "sin": math.sin,
    "tan": math.tan,
}


def install(backend: Backend | None) -> None:
    """Compute with this loop from now on, in the current State; None goes back to Python's ``math``."""
    state.current().libm = backend


def log(values: Doubles) -> Doubles:
    return _apply("log", values)


def exp(values: Doubles) -> Doubles:
    return _apply("exp", values)


def sin(values: Doubles) -> Doubles:
    return _apply("sin", values)


def cos(values: Doubles) -> Doubles:
    return _apply("cos", values)


def tan(values: Doubles) -> Doubles:
    return _apply("tan", values)


def _apply(name: str, values: Doubles) -> Doubles:
    values = np.ascontiguousarray(values)
    backend = state.current().libm
    if backend is None:
        return _with_math(name, values)
    result = np.empty_like(values)
    backend(name, values.ctypes.data, result.ctypes.data, values.size)
    return result


def _with_math(name: str, values: Doubles) -> Doubles:
    function = SCALAR[name]
    try:
        flat = np.fromiter(map(function, values.ravel().tolist()), np.float64, values.size)
    except (ValueError, OverflowError):
        # math raises where C returns inf or nan.
        flat = np.fromiter((_total(name, x) for x in values.ravel().tolist()), np.float64, values.size)
    return flat.reshape(values.shape)


def _total(name: str, value: float) -> float:
    try:
        return SCALAR[name](value)
    except (ValueError, OverflowError):
        with np.errstate(all="ignore"):
            return float(getattr(np, name)(value))
