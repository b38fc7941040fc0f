"""Comparisons of elements, and tests of a whole tensor.

A comparison returns a ByteTensor of 0 and 1, or writes 0 and 1 to a result tensor, which may be a ByteTensor or have
the operands' type.
"""

from __future__ import annotations

import torch

from torch7py.ops import memory
from torch7py.ops.errors import TorchError
from torch7py.ops.registry import Form, operation

__all__: list[str] = []

T = torch.Tensor

for _name, _function, _sign, _word in (
    ("lt", torch.lt, "<", "below"),
    ("le", torch.le, "<=", "below or equal to"),
    ("gt", torch.gt, ">", "above"),
    ("ge", torch.ge, ">=", "above or equal to"),
    ("eq", torch.eq, "==", "equal to"),
    ("ne", torch.ne, "~=", "not equal to"),
):
    operation(
        _name,
        "src:T value:real",
        Form.QUERY,
        returns="Byte",
        loop=f"x {_sign} v and 1 or 0",
        about=f"1 where an element is {_word} a number, or the other tensor's element, 0 elsewhere. NaN is unequal "
        "to all and neither below nor above.",
    )(_function)
    operation(_name, "src:T other:like", returns="Byte", loop=f"x {_sign} y and 1 or 0")(_function)


@operation("equal", "a:T b:T", Form.METHOD, returns="value")
def _equal(a: T, b: T) -> bool:
    """Whether two tensors have the same sizes and elements."""
    if a.shape == b.shape:
        return torch.equal(a, b)
    return memory.size_of(a) == memory.size_of(b) and torch.equal(a.view(b.shape), b)


@operation("all", "x:Byte", Form.METHOD, returns="value")
def _all(x: T) -> bool:
    """Whether no element is 0."""
    return bool(_some(x).all())


@operation("any", "x:Byte", Form.METHOD, returns="value")
def _any(x: T) -> bool:
    """Whether an element is not 0."""
    return bool(_some(x).any())


def _some(x: T) -> T:
    if not x.numel():
        raise TorchError("empty Tensor")
    return x
