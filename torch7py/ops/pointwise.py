"""Elementwise arithmetic: what is done to every element with a number or with the elements of other tensors.

Operands fit when they have as many elements, whatever their shapes; nothing is broadcast. A number is cast
to the tensor's type first; integer tensors divide and wrap around as C does.
"""

from __future__ import annotations

import torch

from torch7py.ops import memory
from torch7py.ops.elementary import of_numbers
from torch7py.ops.registry import Form, operation

__all__ = ["add_product_", "divide", "remainder"]

T = torch.Tensor
Number = float | T

# -- assignment -------------------------------------------------------------------------------------------

operation("fill", "x:T value:real", Form.INPLACE, inplace=T.fill_, loop="v")(torch.full_like)
operation("zero", "x:T", Form.INPLACE, inplace=T.zero_, loop="0")(torch.zeros_like)


def _copy(x: T, src: T) -> T:
    """``x:copy(src)``: the elements of ``src``, of whatever type, in order; the two may share memory."""
    try:
        return x.copy_(src) if x.shape == src.shape else memory.copy(x, src)
    except RuntimeError:  # PyTorch refuses memory that overlaps
        return memory.copy(x, src.clone())


operation("copy", "x:any src:any", Form.INPLACE, inplace=_copy, loop="y")(_copy)

# -- add, subtract, multiply ------------------------------------------------------------------------------

operation("add", "src:T value:real", Form.UPDATE, inplace=T.add_, loop="x + v")(torch.add)
operation("add", "src:T other:like", inplace=T.add_, loop="x + y")(torch.add)


def _add_scaled_(src: T, scale: float, other: T) -> T:
    return src.add_(other, alpha=scale)


@operation("add", "src:T scale:real other:like", inplace=_add_scaled_)
def _add_scaled(src: T, scale: float, other: T, *, out: T | None = None) -> T:
    """``src + scale * other``"""
    return torch.add(src, other, alpha=scale, out=out)


operation("csub", "src:T value:real", Form.UPDATE, inplace=T.sub_, loop="x - v")(torch.sub)
operation("csub", "src:T other:like", inplace=T.sub_, loop="x - y")(torch.sub)


def _subtract_scaled_(src: T, scale: float, other: T) -> T:
    return src.sub_(other, alpha=scale)


@operation("csub", "src:T scale:real other:like", inplace=_subtract_scaled_)
def _subtract_scaled(src: T, scale: float, other: T, *, out: T | None = None) -> T:
    """``src - scale * other``"""
    return torch.sub(src, other, alpha=scale, out=out)


operation("mul", "src:T value:real", Form.UPDATE, inplace=T.mul_, loop="x * v")(torch.mul)
operation("cmul", "src:T other:like", Form.UPDATE, inplace=T.mul_, loop="x * y")(torch.mul)


PART = 65536  # elements whose products stay in the processor's cache


def add_product_(src: T, value: float, a: T, b: T) -> T:
    """``src`` with ``value * a * b`` added: ``_add_product`` in place."""
    return src.addcmul_(a, b, value=value) if _exact(src) else _add_product(src, value, a, b, out=src)


@operation("addcmul", "src:T value:real=1 a:like b:like", Form.UPDATE, inplace=add_product_)
def _add_product(src: T, value: float, a: T, b: T, *, out: T | None = None) -> T:
    """``src + value * a * b``, rounded after each step as in the original.

    PyTorch's ``addcmul`` takes the last product and the sum in one step, which changes the last bit of every fifth
    element. Two steps over large tensors would wait for memory twice, so these go part by part: 1.2 to 1.3 times
    PyTorch's time.
    """
    if _exact(src):
        return torch.addcmul(src, a, b, value=value, out=out)
    if out is None:
        out = torch.empty_like(src, memory_format=torch.contiguous_format)
    tensors = (out, src, a, b)
    if src.numel() <= PART or not all(t.is_contiguous() and memory.apart(out, t) for t in tensors):
        return torch.add(src, _product(value, a, b), out=out)
    for part in zip(*(torch.split(tensor.view(-1), PART) for tensor in tensors), strict=True):
        torch.add(part[1], _product(value, part[2], part[3]), out=part[0])
    return out


def _exact(x: T) -> bool:
    """Whether a sum of products needs no rounding."""
    return not x.is_floating_point()


def _product(value: float, a: T, b: T) -> T:
    return torch.mul(a, b) if value == 1 else torch.mul(a, value).mul_(b)


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


@operation("addcdiv", "src:T value:real=1 a:like b:like", Form.UPDATE, inplace=_add_quotient_)
def _add_quotient(src: T, value: float, a: T, b: T, *, out: T | None = None) -> T:
    """``src + value * a / b``"""
    if src.is_floating_point():
        return torch.addcdiv(src, a, b, value=value, out=out)
    result = _add_quotient_(src.clone(), value, a, b)
    return result if out is None else out.copy_(result)


for name in ("fmod", "mod"):
    operation(name, "src:T value:real", Form.UPDATE, inplace=T.fmod_)(torch.fmod)
for name in ("cfmod", "cmod"):
    operation(name, "src:T other:like", Form.UPDATE, inplace=T.fmod_)(torch.fmod)


@operation("remainder", "src:T value:real", Form.UPDATE)
@operation("cremainder", "src:T other:like", Form.UPDATE)
def remainder(src: T, other: Number) -> T:
    """What is left of a division, with the sign of the divisor.

    Of floating numbers it is ``src - other * floor(src / other)`` as it stands, which near whole quotients
    is not what PyTorch computes: 1 and 0.1 leave 0, not 0.1.
    """
    if src.is_floating_point():
        return src - torch.floor(src / other) * other
    return torch.remainder(src, other)


# -- powers -----------------------------------------------------------------------------------------------

operation("pow", "src:F value:real", Form.UPDATE, inplace=T.pow_)(torch.pow)
operation("pow", "value:real src:F")(torch.pow)
operation("pow", "base:number exponent:number", returns="value")(of_numbers(torch.pow))


@operation("cpow", "src:T other:like", Form.UPDATE)
def _power(src: T, other: T) -> T:
    """``src ^ other``; of integers computed in double and cut, as in the original."""
    if src.is_floating_point():
        return torch.pow(src, other)
    return torch.pow(src.double(), other.double()).to(src.dtype)


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


@operation("cmax", "src:T other:like")
@operation("cmax", "src:T value:real", Form.UPDATE)
def _maximum(src: T, other: Number) -> T:
    """The element where it is greater, else the other one: a nan in ``src`` gives way."""
    return torch.where(src > other, src, other)


@operation("cmin", "src:T other:like")
@operation("cmin", "src:T value:real", Form.UPDATE)
def _minimum(src: T, other: Number) -> T:
    """The element where it is less, else the other one: a nan in ``src`` gives way."""
    return torch.where(src < other, src, other)


# -- of two tensors ---------------------------------------------------------------------------------------

operation("atan2", "src:F other:like", Form.UPDATE, inplace=T.atan2_)(torch.atan2)
operation("atan2", "y:number x:number", returns="value")(of_numbers(torch.atan2))


@operation("lerp", "src:F other:like weight:real", Form.UPDATE)
def _interpolate(src: T, other: T, weight: float) -> T:
    """``src + weight * (other - src)``, rounded after each step"""
    return (other - src).mul_(weight).add_(src)


@operation("lerp", "a:number b:number weight:number", returns="value")
def _interpolate_numbers(a: float, b: float, weight: float) -> float:
    return a + weight * (b - a)
