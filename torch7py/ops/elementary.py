"""Elementary functions of every element: exp, sin, floor, abs and their like.

``torch.exp(x)``, ``torch.exp(out, x)``, ``x:exp()`` and ``x:exp(src)`` work on tensors of floating type;
``torch.exp(2)`` is a number, computed in the default tensor type.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch

from torch7py.ops import memory, state
from torch7py.ops.hyperbolic import tanh, tanh_
from torch7py.ops.registry import Form, operation

__all__ = ["of_numbers", "round_half_away"]

T = torch.Tensor
LARGEST = 2.0**53  # below which every whole number is a double
NUMPYS = (torch.float64, torch.float32)  # types of which numpy cuts many at a time
WHOLE: dict[str, Callable[[float], int]] = {"ceil": math.ceil, "floor": math.floor, "trunc": math.trunc}


def of_numbers(function: Callable[..., T]) -> Callable[..., float]:
    """A function of tensors as one of numbers: computed in double, from and to the default tensor type."""

    def apply(*values: float) -> float:
        dtype = state.current().default_type.dtype
        result = function(*(torch.tensor(value, dtype=dtype).double() for value in values))
        return result.to(dtype).item()

    return apply


def whole_of_number(whole: Callable[[float], int], function: Callable[[T], T]) -> Callable[[float], float]:
    """The same of a function to whole numbers, which Python's own computes exactly and a tenth as long."""
    usual = of_numbers(function)

    def apply(value: float) -> float:
        if state.current().default_type.dtype is torch.float64 and -LARGEST < value < LARGEST:
            return math.copysign(whole(value), value) if -1 < value < 1 else float(whole(value))
        return usual(value)

    return apply


def round_half_away(x: T, *, out: T | None = None) -> T:
    """The nearest whole number; a half goes away from zero, as C's ``round`` has it and PyTorch has not.

    To x is added, with its sign, the greatest number below a half: where the sum rounds up to the next whole number,
    x was not nearer to the last one. To what is smaller than that number x itself is added, which leaves it below 1.
    """
    below = 0.5 - torch.finfo(x.dtype).eps / 4

    def steps(out: T | None, spare: T | None, x: T) -> T:
        further = torch.add(x, torch.clamp(x, -below, below, out=spare), out=spare)
        if spare is None or out is None or not x.is_cpu or x.dtype not in NUMPYS:
            return torch.trunc(further, out=out)
        np.trunc(further.numpy(), out.numpy())  # a tenth of the time of PyTorch's
        return out

    return memory.in_parts(steps, out, x)


def _round_(x: T) -> T:
    return round_half_away(x, out=x)


FUNCTIONS: dict[str, tuple[Callable[[T], T], Callable[[T], T] | None]] = {
    "acos": (torch.acos, T.acos_),
    "asin": (torch.asin, T.asin_),
    "atan": (torch.atan, T.atan_),
    "ceil": (torch.ceil, T.ceil_),
    "cos": (torch.cos, T.cos_),
    "cosh": (torch.cosh, T.cosh_),
    "exp": (torch.exp, T.exp_),
    "floor": (torch.floor, T.floor_),
    "frac": (torch.frac, T.frac_),
    "log": (torch.log, T.log_),
    "log1p": (torch.log1p, T.log1p_),
    "round": (round_half_away, _round_),
    "rsqrt": (torch.rsqrt, T.rsqrt_),
    "sigmoid": (torch.sigmoid, T.sigmoid_),
    "sin": (torch.sin, T.sin_),
    "sinh": (torch.sinh, T.sinh_),
    "sqrt": (torch.sqrt, T.sqrt_),
    "tan": (torch.tan, T.tan_),
    "tanh": (tanh, tanh_),
    "trunc": (torch.trunc, T.trunc_),
}

for name, (function, inplace) in FUNCTIONS.items():
    operation(name, "src:F", Form.UPDATE, inplace=inplace)(function)
    of_number = whole_of_number(WHOLE[name], function) if name in WHOLE else of_numbers(function)
    operation(name, "value:number", returns="value")(of_number)

operation("abs", "src:T", Form.UPDATE, inplace=T.abs_)(torch.abs)
operation("abs", "value:number", returns="value")(of_numbers(torch.abs))
operation("sign", "src:T", Form.UPDATE, inplace=T.sign_)(torch.sign)
operation("neg", "src:T", Form.UPDATE, inplace=T.neg_)(torch.neg)
operation("cinv", "src:F", Form.UPDATE, inplace=T.reciprocal_)(torch.reciprocal)
