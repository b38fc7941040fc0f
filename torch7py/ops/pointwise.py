"""Elementwise arithmetic with a number or with the elements of other tensors.

Operands need the same number of elements, whatever their shapes; nothing is broadcast. A number is cast
to the tensor's type first; integer tensors divide and wrap around as C does.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from torch7py.ops import overlap
from torch7py.ops.of_numbers import of_numbers
from torch7py.ops.registry import Form, operation

__all__ = ["add_product_", "divide", "remainder"]

T = torch.Tensor
Number = float | T

# -- assignment -------------------------------------------------------------------------------------------

operation(
    "fill", "x:T value:real", Form.INPLACE, inplace=T.fill_, loop="v", about="Every element becomes a number."
)(torch.full_like)
operation("zero", "x:T", Form.INPLACE, inplace=T.zero_, loop="0", about="Every element becomes 0.")(
    torch.zeros_like
)


_copied = "The elements become those of ``src``, of whatever type, in order; the two may share memory."
operation("copy", "x:any src:any", Form.INPLACE, inplace=overlap.copy, loop="y", about=_copied)(overlap.copy)

# -- add, subtract, multiply ------------------------------------------------------------------------------

operation(
    "add",
    "src:T value:real",
    Form.UPDATE,
    inplace=T.add_,
    loop="x + v",
    about="``src`` and a number, or ``src`` and another tensor, which may be scaled: ``src + scale * other``.",
)(torch.add)
operation("add", "src:T other:like", inplace=T.add_, loop="x + y")(torch.add)


def _add_scaled_(src: T, scale: float, other: T) -> T:
    return src.add_(other, alpha=scale)


@operation("add", "src:T scale:real other:like", inplace=_add_scaled_, loop="fma(v, y, x)")
def _add_scaled(src: T, scale: float, other: T, *, out: T | None = None) -> T:
    """``src + scale * other``"""
    return torch.add(src, other, alpha=scale, out=out)


operation(
    "csub",
    "src:T value:real",
    Form.UPDATE,
    inplace=T.sub_,
    loop="x - v",
    about="``src`` less a number, or less another tensor, which may be scaled: ``src - scale * other``.",
)(torch.sub)
operation("csub", "src:T other:like", inplace=T.sub_, loop="x - y")(torch.sub)


def _subtract_scaled_(src: T, scale: float, other: T) -> T:
    return src.sub_(other, alpha=scale)


@operation("csub", "src:T scale:real other:like", inplace=_subtract_scaled_, loop="fma(-v, y, x)")
def _subtract_scaled(src: T, scale: float, other: T, *, out: T | None = None) -> T:
    """``src - scale * other``"""
    return torch.sub(src, other, alpha=scale, out=out)


operation(
    "mul", "src:T value:real", Form.UPDATE, inplace=T.mul_, loop="x * v", about="Each element times a number."
)(torch.mul)
operation(
    "cmul",
    "src:T other:like",
    Form.UPDATE,
    inplace=T.mul_,
    loop="x * y",
    about="Each element times the other tensor's.",
)(torch.mul)


def add_product_(src: T, value: float, a: T, b: T) -> T:
    """``src`` with ``value * a * b`` added: ``_add_product`` in place."""
    return src.addcmul_(a, b, value=value) if _exact(src) else _add_product(src, value, a, b, out=src)


@operation(
    "addcmul",
    "src:T value:real=1 a:like b:like",
    Form.UPDATE,
    inplace=add_product_,
    copies_first=True,
    loop="x + r(r(v * y) * z)",
)
def _add_product(src: T, value: float, a: T, b: T, *, out: T | None = None) -> T:
    """``src + value * a * b``, rounded after each step as in the original.

    PyTorch's ``addcmul`` takes the last product and the sum in one step, which changes the last bit of every fifth
    element.
    """
    if _exact(src):
        return torch.addcmul(src, a, b, value=value, out=out)

    if src.dtype == torch.float16:  # the product is rounded once; added to minus zero it keeps its sign
        zero = torch.tensor(-0.0, dtype=src.dtype, device=src.device)
        product = torch.addcmul(zero, a, b, value=value)
    else:
        product = (a if value == 1 else a * value) * b
    return torch.add(src, product, out=out)


def _exact(x: T) -> bool:
    """Whether sums of products are exact."""
    return not x.is_floating_point()


# -- divide -----------------------------------------------------------------------------------------------


def divide(src: T, other: Number, *, out: T | None = None) -> T:
    """The quotient; of integers, cut towards zero (by zero: an error)."""
    return torch.div(src, other, rounding_mode=None if src.is_floating_point() else "trunc", out=out)


def _divide_(src: T, other: Number) -> T:
    return src.div_(other) if src.is_floating_point() else src.div_(other, rounding_mode="trunc")


operation("div", "src:T value:real", Form.UPDATE, inplace=_divide_, loop="x / v")(divide)
operation("cdiv", "src:T other:like", Form.UPDATE, inplace=_divide_, loop="x / y")(divide)


def _add_quotient_(src: T, value: float, a: T, b: T) -> T:
    if src.is_floating_point():
        return src.addcdiv_(a, b, value=value)
    # C multiplies and divides small integers as ints.
    wide = torch.int32 if src.element_size() < 4 else src.dtype
    return src.add_(divide(a.to(wide) * value, b.to(wide)).to(src.dtype))


@operation(
    "addcdiv",
    "src:T value:real=1 a:like b:like",
    Form.UPDATE,
    inplace=_add_quotient_,
    copies_first=True,
    loop="x + r(r(v * y) / z)",
)
def _add_quotient(src: T, value: float, a: T, b: T, *, out: T | None = None) -> T:
    """``src + value * a / b``; of integers the quotient is cut towards zero, and by zero is an error."""
    if src.is_floating_point():
        return torch.addcdiv(src, a, b, value=value, out=out)
    result = _add_quotient_(src.clone(), value, a, b)
    return result if out is None else out.copy_(result)


REST = "What is left of a division by {}, with the sign of the element, as C's ``fmod`` and ``%``."
for name in ("fmod", "mod"):
    operation(name, "src:T value:real", Form.UPDATE, inplace=T.fmod_, about=REST.format("a number"))(
        torch.fmod
    )
for name in ("cfmod", "cmod"):
    about = REST.format("the other tensor's element")
    operation(name, "src:T other:like", Form.UPDATE, inplace=T.fmod_, about=about)(torch.fmod)


def _remainder_(src: T, other: Number) -> T:
    return remainder(src, other, out=src)


@operation("remainder", "src:T value:real", Form.UPDATE, inplace=_remainder_)
@operation("cremainder", "src:T other:like", Form.UPDATE, inplace=_remainder_)
def remainder(src: T, other: Number, *, out: T | None = None) -> T:
    """What is left of a division, with the sign of the divisor.

    Of floating numbers it is ``src - other * floor(src / other)`` as it stands, which near whole quotients
    is not what PyTorch computes: 1 and 0.1 leave 0, not 0.1. C's ``floor`` is a double, and so is what follows it.
    """
    if not src.is_floating_point():
        return torch.remainder(src, other, out=out)

    quotient = torch.floor(torch.div(src, other))
    if src.dtype == torch.float64:
        return torch.sub(src, quotient * other, out=out)
    if not isinstance(other, T):
        other = torch.tensor(other, dtype=src.dtype).item()
    rest = (src.double() - quotient.double() * other).to(src.dtype)
    return rest if out is None else out.copy_(rest)


# -- powers -----------------------------------------------------------------------------------------------

operation(
    "pow",
    "src:F value:real",
    Form.UPDATE,
    inplace=T.pow_,
    loop="x * x",
    loop_when="v == 2",
    about="Each element to the power of a number; ``torch.pow(2, x)`` a number to the power of each element.",
)(torch.pow)
operation("pow", "value:real src:F")(torch.pow)
operation("pow", "base:number exponent:number", returns="value")(of_numbers(torch.pow))


def _power_(src: T, other: T) -> T:
    return _power(src, other, out=src)


@operation("cpow", "src:T other:like", Form.UPDATE, inplace=_power_)
def _power(src: T, other: T, *, out: T | None = None) -> T:
    """``src ^ other``; of integers computed in double and cut, as in the original."""
    if src.is_floating_point():
        return torch.pow(src, other, out=out)
    result = torch.pow(src.double(), other.double()).to(src.dtype)
    return result if out is None else out.copy_(result)


# -- bounds -----------------------------------------------------------------------------------------------


def _clamp_(src: T, low: float, high: float) -> T:
    return _clamp(src, low, high, out=src)


@operation("clamp", "src:T low:real high:real", Form.UPDATE, inplace=_clamp_)
def _clamp(src: T, low: float, high: float, *, out: T | None = None) -> T:
    """``low`` below ``low``, else ``high`` above ``high``, else the element; nan stays."""
    if low <= high:
        return torch.clamp(src, low, high, out=out)
    result = torch.where(src < low, low, torch.where(src > high, high, src))
    return result if out is None else out.copy_(result)


def _register_bound(name: str, better: Callable[..., T]) -> None:
    """``cmax`` or ``cmin``: the element where it is better, else the other one; a nan in ``src`` gives way."""
    word = "greater" if better is torch.gt else "smaller"
    sign = ">" if better is torch.gt else "<"

    def choose(src: T, other: Number, *, out: T | None = None) -> T:
        chosen = torch.where(better(src, other), src, other)
        return chosen if out is None else out.copy_(chosen)

    def choose_(src: T, other: Number) -> T:
        return choose(src, other, out=src)

    about = f"The {word} of each element and a number, or the other tensor's element, which is also taken for a NaN."
    loop = f"x {sign} v and x or v"
    operation(name, "src:T value:real", Form.UPDATE, inplace=choose_, loop=loop, about=about)(choose)
    operation(name, "src:T other:like", inplace=choose_, loop=f"x {sign} y and x or y")(choose)


_register_bound("cmax", torch.gt)
_register_bound("cmin", torch.lt)

# -- of two tensors ---------------------------------------------------------------------------------------

operation(
    "atan2",
    "src:F other:like",
    Form.UPDATE,
    inplace=T.atan2_,
    about="The angle, between -pi and pi, of the point whose height is the element and whose distance to the right is "
    "the other tensor's.",
)(torch.atan2)
operation("atan2", "y:number x:number", returns="value")(of_numbers(torch.atan2))


def _interpolate_(src: T, other: T, weight: float) -> T:
    return _interpolate(src, other, weight, out=src)


@operation("lerp", "src:F other:like weight:real", Form.UPDATE, inplace=_interpolate_)
def _interpolate(src: T, other: T, weight: float, *, out: T | None = None) -> T:
    """``src + weight * (other - src)``, rounded after each step"""
    return torch.add((other - src) * weight, src, out=out)


operation("lerp", "a:number b:number weight:number", returns="value")(of_numbers(_interpolate))
