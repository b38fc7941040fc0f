"""Elementary functions of every element: exp, sin, floor, abs and their like.

``torch.exp(x)``, ``torch.exp(out, x)``, ``x:exp()`` and ``x:exp(src)`` work on tensors of floating type;
``torch.exp(2)`` is a number, computed in the default tensor type.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from torch7py.ops import state
from torch7py.ops.hyperbolic import tanh, tanh_
from torch7py.ops.of_numbers import of_numbers
from torch7py.ops.registry import Form, operation

__all__ = ["round_half_away"]

T = torch.Tensor
LARGEST = 2.0**53  # below it every integer is a double
ROUNDINGS: dict[str, Callable[[float], int]] = {"ceil": math.ceil, "floor": math.floor, "trunc": math.trunc}


def rounding_of_numbers(
    rounding: Callable[[float], int], function: Callable[[T], T]
) -> Callable[[float], float]:
    """``of_numbers`` for a rounding function: Python's own is exact for doubles and takes a tenth of the time."""
    general = of_numbers(function)

    def apply(value: float) -> float:
        if state.current().default_type.dtype is torch.float64 and -LARGEST < value < LARGEST:
            return math.copysign(rounding(value), value) if -1 < value < 1 else float(rounding(value))
        return general(value)

    return apply


def round_half_away(x: T, *, out: T | None = None) -> T:
    """The nearest whole number; a half goes away from zero, as C's ``round`` has it and PyTorch has not.

    The greatest number below a half, with the sign of x, is added to x, and the sum is cut. Adding a half would round
    that number up to 1. Where x is smaller than it x itself is added, which keeps the sign of zero.
    """
    below = 0.5 - torch.finfo(x.dtype).eps / 4  # the greatest number below a half
    return torch.trunc(x + x.clamp(-below, below), out=out)


def _round_(x: T) -> T:
    return round_half_away(x, out=x)


FUNCTIONS: dict[str, tuple[Callable[[T], T], Callable[[T], T] | None, str]] = {
    "acos": (torch.acos, T.acos_, "The angle from 0 to pi with this cosine; NaN beyond 1 and -1."),
    "asin": (torch.asin, T.asin_, "The angle from -pi/2 to pi/2 with this sine; NaN beyond 1 and -1."),
    "atan": (torch.atan, T.atan_, "The angle between -pi/2 and pi/2 with this tangent."),
    "ceil": (torch.ceil, T.ceil_, "The least whole number that is not below the element."),
    "cos": (torch.cos, T.cos_, "The cosine of an angle in radians."),
    "cosh": (torch.cosh, T.cosh_, "The hyperbolic cosine."),
    "exp": (torch.exp, T.exp_, "e to the power of the element."),
    "floor": (torch.floor, T.floor_, "The greatest whole number that is not above the element."),
    "frac": (
        torch.frac,
        T.frac_,
        "The element less its whole part: what is behind the point, with the sign.",
    ),
    "log": (torch.log, T.log_, "The natural logarithm; NaN below 0."),
    "log1p": (torch.log1p, T.log1p_, "The natural logarithm of 1 + the element, exact for small ones too."),
    "round": (round_half_away, _round_, "The nearest whole number; a half goes away from zero."),
    "rsqrt": (torch.rsqrt, T.rsqrt_, "1 over the square root."),
    "sigmoid": (torch.sigmoid, T.sigmoid_, "1 / (1 + exp(-x)) of the element x."),
    "sin": (torch.sin, T.sin_, "The sine of an angle in radians."),
    "sinh": (torch.sinh, T.sinh_, "The hyperbolic sine."),
    "sqrt": (torch.sqrt, T.sqrt_, "The square root; NaN below 0."),
    "tan": (torch.tan, T.tan_, "The tangent of an angle in radians."),
    "tanh": (tanh, tanh_, "The hyperbolic tangent."),
    "trunc": (torch.trunc, T.trunc_, "The whole part: what is before the point, with the sign."),
}

LOOPS = {name: f"{name}(x)" for name in "acos asin atan ceil cos exp floor log sin sqrt tan tanh".split()}

for name, (function, inplace, about) in FUNCTIONS.items():
    operation(name, "src:F", Form.UPDATE, inplace=inplace, loop=LOOPS.get(name, ""), about=about)(function)
    of_number = rounding_of_numbers(ROUNDINGS[name], function) if name in ROUNDINGS else of_numbers(function)
    operation(name, "value:number", returns="value")(of_number)

operation("abs", "src:T", Form.UPDATE, inplace=T.abs_, loop="abs(x)", about="The element without its sign.")(
    torch.abs
)
operation("abs", "value:number", returns="value")(of_numbers(torch.abs))
operation(
    "sign", "src:T", Form.UPDATE, inplace=T.sign_, about="1, 0 or -1, as the element is above 0, 0 or below."
)(torch.sign)
operation("neg", "src:T", Form.UPDATE, inplace=T.neg_, loop="-x", about="The element with the other sign.")(
    torch.neg
)
operation("cinv", "src:F", Form.UPDATE, inplace=T.reciprocal_, loop="1 / x", about="1 over the element.")(
    torch.reciprocal
)
