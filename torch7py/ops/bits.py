"""Bit operations and shifts of integer tensors; a shift of a floating tensor is a power of two."""

from __future__ import annotations

from collections.abc import Callable

import torch

from torch7py.ops.errors import TorchError
from torch7py.ops.registry import Form, operation

__all__: list[str] = []

T = torch.Tensor
Number = float | T


def _register(name: str, kind: str, function: Callable[..., T], word: str) -> None:
    """An operation, called ``word``, of integers with a number (``kind`` real) or with as many others (like)."""

    def apply(src: T, other: Number, *, out: T | None = None) -> T:
        if src.is_floating_point():
            raise TorchError(f"{name} is only supported for integer type tensors")
        return function(src, other, out=out)

    whom = "a number" if kind == "real" else "the other tensor's element"
    about = f"Bit by bit '{word}' of each element and {whom}. Only for integer tensors."
    operation(name, f"src:T other:{kind}", Form.UPDATE, inplace=_inplace(apply), about=about)(apply)


def _inplace(function: Callable[..., T]) -> Callable[[T, Number], T]:
    """The in-place form of a function: its result is written to the first argument."""
    return lambda src, other: function(src, other, out=src)


for _name, _function, _word in (
    ("bitand", torch.bitwise_and, "and"),
    ("bitor", torch.bitwise_or, "or"),
    ("bitxor", torch.bitwise_xor, "exclusive or"),
):
    _register(_name, "real", _function, _word)
    _register(f"c{_name}", "like", _function, _word)


def _distance(count: T) -> T:
    """The distance of a shift: the processor uses the last five bits of the count; for longs, six."""
    return count & (8 * max(count.element_size(), 4) - 1)


def _shift_left(src: T, count: Number, *, out: T | None = None) -> T:
    """Bits moved up; a floating tensor times 2 ^ ``count``."""
    count = torch.as_tensor(count, dtype=src.dtype, device=src.device)
    if src.is_floating_point():
        return torch.mul(src, torch.pow(2, count), out=out)
    return torch.bitwise_left_shift(src, _distance(count), out=out)


def _shift_right(src: T, count: Number, *, out: T | None = None) -> T:
    """Bits moved down, zeros coming in even below a sign; a floating tensor over 2 ^ ``count``."""
    count = torch.as_tensor(count, dtype=src.dtype, device=src.device)
    if src.is_floating_point():
        return torch.div(src, torch.pow(2, count), out=out)
    distance = _distance(count)
    mask = torch.bitwise_left_shift(torch.ones_like(distance), 8 * src.element_size() - distance) - 1
    shifted = torch.bitwise_right_shift(src, distance, out=out)
    return torch.bitwise_and(shifted, mask, out=out)


for _name, _shift in (("lshift", _shift_left), ("rshift", _shift_right)):
    operation(_name, "src:T value:real", Form.UPDATE, inplace=_inplace(_shift))(_shift)
    operation(f"c{_name}", "src:T other:like", Form.UPDATE, inplace=_inplace(_shift))(_shift)
