"""Bit operations and shifts of integer tensors; a shift of a floating tensor is a power of two."""

from __future__ import annotations

from collections.abc import Callable

import torch

from torch7py.ops.errors import TorchError
from torch7py.ops.registry import Form, operation

__all__: list[str] = []

T = torch.Tensor
Number = float | T


def _of_integers(name: str, function: Callable[..., T]) -> Callable[[T, Number], T]:
    def apply(src: T, other: Number) -> T:
        if src.is_floating_point():
            raise TorchError(f"{name} is only supported for integer type tensors")
        return function(src, other)

    return apply


for _name, _function in (
    ("bitand", torch.bitwise_and),
    ("bitor", torch.bitwise_or),
    ("bitxor", torch.bitwise_xor),
):
    operation(_name, "src:T value:real", Form.UPDATE)(_of_integers(_name, _function))
    operation(f"c{_name}", "src:T other:like", Form.UPDATE)(_of_integers(f"c{_name}", _function))


@operation("lshift", "src:T value:real", Form.UPDATE)
@operation("clshift", "src:T other:like", Form.UPDATE)
def _shift_left(src: T, places: Number) -> T:
    """Bits moved up; a floating tensor times 2 ^ ``places``."""
    places = torch.as_tensor(places, dtype=src.dtype, device=src.device)
    if src.is_floating_point():
        return src * torch.pow(2, places)
    return torch.bitwise_left_shift(src, places)


@operation("rshift", "src:T value:real", Form.UPDATE)
@operation("crshift", "src:T other:like", Form.UPDATE)
def _shift_right(src: T, places: Number) -> T:
    """Bits moved down, zeros coming in even below a sign; a floating tensor over 2 ^ ``places``."""
    places = torch.as_tensor(places, dtype=src.dtype, device=src.device)
    if src.is_floating_point():
        return src / torch.pow(2, places)
    bits = 8 * src.element_size()
    kept = torch.bitwise_left_shift(torch.ones_like(src), bits - places) - 1
    return torch.bitwise_right_shift(src, places) & kept
