"""The operators of Lua: ``+ - * / %`` and the sign, with a number on either side where Torch7 has it.

``*`` between tensors is the product of linear algebra. There is no ``^``, and nothing is divided by a tensor.
"""

from __future__ import annotations

import torch

from torch7py.ops import memory
from torch7py.ops.dot import dot
from torch7py.ops.errors import TorchError
from torch7py.ops.pointwise import divide, remainder
from torch7py.ops.registry import Form, operation

__all__: list[str] = []

T = torch.Tensor

operation("__add", "a:T b:real", Form.FUNCTION, loop="x + v", about="``a + b``: a new tensor.")(torch.add)
operation("__add", "a:T b:like", loop="x + y")(torch.add)
operation("__add", "a:real b:T", loop="v + x")(lambda a, b: torch.add(b, a))

operation("__sub", "a:T b:real", Form.FUNCTION, loop="x - v", about="``a - b``: a new tensor.")(torch.sub)
operation("__sub", "a:T b:like", loop="x - y")(torch.sub)
operation("__sub", "a:real b:T", loop="v - x")(lambda a, b: torch.rsub(b, a))

operation("__mul", "a:T b:real", Form.FUNCTION, loop="x * v")(torch.mul)
operation("__mul", "a:real b:T", loop="v * x")(lambda a, b: torch.mul(b, a))

operation("__div", "a:T b:real", Form.FUNCTION, loop="x / v")(divide)
operation("__mod", "a:T b:real", Form.FUNCTION)(remainder)

# Lua hands the operand of a sign over twice.
operation("__unm", "a:T again:any=None", Form.FUNCTION, loop="-x", about="``-a``: a new tensor.")(
    lambda a, again: torch.neg(a)
)


@operation("__mul", "a:T b:T", returns="multi")
def _product(a: T, b: T) -> T | float:
    """``a * b``: each element times a number. Vector by vector is a number, matrix by vector a vector, and so on."""
    dims = (len(memory.size_of(a)), len(memory.size_of(b)))
    if dims == (1, 1):
        return dot(a, b)
    if dims == (2, 1):
        return torch.mv(a, b)
    if dims == (2, 2):
        return torch.mm(a, b)
    raise TorchError(f"multiplication between {dims[0]}D and {dims[1]}D tensors not yet supported")
