"""Conversions to another type, and copies."""

from __future__ import annotations

from functools import partial

import torch

from torch7py.ops import state, types
from torch7py.ops.errors import ArgumentError
from torch7py.ops.registry import Form, operation
from torch7py.ops.types import NumberType

__all__ = ["to_type", "type_named"]

T = torch.Tensor


def to_type(x: T, number_type: NumberType) -> T:
    """The tensor itself if it has this type, else a contiguous copy, its numbers cast."""
    known = types.of(x)
    if known is number_type:
        return x
    becomes_cuda = number_type.is_cuda and not known.is_cuda and not x.is_meta
    device = state.current().gpu if becomes_cuda else None  # on the current of several GPUs
    copied = x.to(
        x.device if device is None else device,
        number_type.dtype,
        memory_format=torch.contiguous_format,
        copy=known.is_cuda != number_type.is_cuda,
    )
    return types.label(copied, number_type)


def type_named(name: str) -> NumberType:
    """The number type of ``torch.DoubleTensor``, ``torch.FloatTensor``, ..."""
    stem = name.removeprefix("torch.").removesuffix("Tensor")
    if f"torch.{stem}Tensor" != name or stem not in types.BY_NAME:
        raise ArgumentError(f"'{name}' is not a tensor type")
    number_type = types.BY_NAME[stem]
    if number_type.is_cuda and state.current().cuda_generator is None:
        raise ArgumentError(f"there is no {name} before cutorch is required")
    return number_type


operation(
    "type",
    "x:any",
    Form.METHOD,
    returns="value",
    about="The name of the tensor's type; with a name the tensor in that type: itself if it has it, else a copy. "
    "What a type cannot hold is cut or wraps around, as C casts.",
)(lambda x: types.of(x).tensor)
for _kind in ("number", "string", "bool", "list"):  # programs call torch.Tensor.type(value) on any value
    operation("type", f"x:{_kind}", returns="value", about="Nothing, for what is no tensor.")(lambda _: None)
operation("type", "x:any name:string", returns="typed")(lambda x, name: to_type(x, type_named(name)))
operation("typeAs", "x:any other:any", Form.METHOD, returns="typed", about="``x:type(other:type())``.")(
    lambda x, other: to_type(x, types.of(other))
)
operation("real", "x:any", Form.METHOD, returns="typed", about="The tensor in the default tensor type.")(
    lambda x: to_type(x, state.current().default_type)
)

for _type in types.NUMBER_TYPES:
    operation(
        _type.name.lower(), "x:any", Form.METHOD, returns="typed", about=f"``x:type('{_type.tensor}')``."
    )(partial(to_type, number_type=_type))


@operation("clone", "x:any", Form.METHOD, loop="x")
def _clone(x: T) -> T:
    """``x:clone()``: a copy in memory of its own, contiguous."""
    return x.clone(memory_format=torch.contiguous_format)


@operation("contiguous", "x:any", Form.METHOD, may_keep=True)
def _contiguous(x: T) -> T:
    """``x:contiguous()``: the tensor itself if it is contiguous, else a copy that is."""
    return x if x.numel() == 0 else x.contiguous()
