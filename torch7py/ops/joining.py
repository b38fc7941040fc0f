"""Joining and splitting tensors: cat, repeatTensor, reshape, split, chunk."""

from __future__ import annotations

import math
from typing import Any

import torch

from torch7py.ops import memory, overlap, types
from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.ops.registry import Form, operation
from torch7py.ops.shape import check_dim

__all__ = ["cat", "cat_into"]

T = torch.Tensor


def cat(tensors: list[T], dim: int = -1) -> T:
    """Tensors one after the other along a dimension, 1-based; -1 is the last one that any of them has.

    Empty tensors are left out. A tensor of fewer dimensions has further ones of size 1.
    """
    parts, axis = _parts(tensors, dim)
    return torch.cat(parts, axis) if parts else tensors[0].new_empty(0)


def cat_into(out: T, tensors: list[T], dim: int = -1) -> None:
    """``cat`` computed directly into its result tensor."""
    parts, axis = _parts(tensors, dim)
    overlapping = overlap.shares(out, *parts) and all(part is not out for part in parts)
    if not parts or (not overlapping and (0 in out.stride() or not memory.separate(out, *parts))):
        memory.write_expanded(out, cat(tensors, dim))
        return
    sizes = [part.shape[axis] for part in parts]
    shape = list(parts[0].shape)
    shape[axis] = sum(sizes)
    memory.resize(out, shape)
    if not overlapping:
        torch.cat(parts, axis, out=out)
        return
    for target, part in zip(out.split(sizes, axis), parts, strict=True):
        overlap.copy(target, part)


def _parts(tensors: list[T], dim: int) -> tuple[list[T], int]:
    """The tensors that have elements, all with as many dimensions, and the dimension (from 0) to join them along."""
    if not tensors:
        raise ArgumentError("cat: expected at least one tensor")
    dims = max(max(len(memory.size_of(x)) for x in tensors), dim)
    axis = dims - 1 if dim == -1 else dim - 1
    filled = [x for x in tensors if x.numel()]
    if not filled:
        return [], axis
    if axis < 0:
        raise TorchError(f"cat: invalid dimension {dim}")
    parts = [x.view(tuple(x.shape) + (1,) * (dims - x.dim())) if x.dim() < dims else x for x in filled]
    shapes = {(*x.shape[:axis], *x.shape[axis + 1 :]) for x in parts}
    if len(shapes) > 1:
        sizes = ", ".join("x".join(map(str, memory.size_of(x))) for x in tensors)
        raise TorchError(f"cat: inconsistent tensor sizes along dimension {axis + 1}: {sizes}")
    return parts, axis


def _cat_into(out: T, a: T, b: T, dim: int) -> None:
    cat_into(out, [a, b], dim)


@operation("cat", "a:T b:T dim:int=-1", Form.QUERY, inplace=_cat_into)
def _cat(a: T, b: T, dim: int) -> T:
    """Tensors one after the other along a dimension, by default the last one that any of them has.

    Empty tensors are left out; a tensor of fewer dimensions has further ones of size 1.
    """
    return cat([a, b], dim)


def _cat_list_into(out: T, tensors: list[Any], dim: int) -> None:
    _check_types(tensors)
    cat_into(out, tensors, dim)


@operation("cat", "tensors:list dim:int=-1", returns="typed", inplace=_cat_list_into)
def _cat_list(tensors: list[Any], dim: int) -> T:
    _check_types(tensors)
    return types.label(cat(tensors, dim), types.of(tensors[0]))


def _check_types(tensors: list[Any]) -> None:
    for x in tensors:
        if not isinstance(x, T) or x.dtype != tensors[0].dtype:
            raise ArgumentError(
                f"cat: expected {_type_name(tensors[0])} in tensor array, got {_type_name(x)}"
            )


def _type_name(x: Any) -> str:
    return types.of(x).tensor if isinstance(x, T) else type(x).__name__


@operation("repeatTensor", "x:T times:sizes", Form.QUERY)
def _repeat(x: T, times: tuple[int, ...]) -> T:
    """``[r.]repeatTensor(x, times...)``: the tensor again and again, new dimensions in front."""
    if len(times) < len(memory.size_of(x)):
        raise TorchError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor"
        )
    if min(times) < 1:
        raise TorchError(f"repeatTensor: cannot repeat {min(times)} times")
    return x.repeat(times)


@operation("reshape", "x:T sizes:sizes", Form.QUERY)
def _reshape(x: T, sizes: tuple[int, ...]) -> T:
    """``[r.]reshape(x, sizes...)``: a copy in other sizes."""
    shape = memory.clean_sizes(sizes)
    if math.prod(shape) != x.numel():
        raise TorchError(f"reshape: {x.numel()} elements do not make {'x'.join(map(str, sizes))}")
    return x.clone(memory_format=torch.contiguous_format).view(shape)


@operation("split", "x:any size:number dim:index=0", Form.METHOD, returns="object")
def _split(x: T, size: float, dim: int) -> list[T]:
    """``x:split(size [, dim])``: a table of the parts, the last one maybe smaller."""
    total = x.shape[check_dim(x, dim)]
    if not size >= 1:
        raise TorchError(f"split: size must be at least 1, got {size:g}")
    size = int(min(size, total))
    return [x.narrow(dim, start, min(size, total - start)) for start in range(0, total, size)]


@operation("split", "result:list x:any size:number dim:index=0", returns="object")
def _split_into(result: list[T], x: T, size: float, dim: int) -> list[T]:
    """``torch.split(result, x, size [, dim])``: the table is emptied and filled."""
    result[:] = _split(x, size, dim)
    return result


@operation("chunk", "x:any n:number dim:index=0", Form.METHOD, returns="object")
def _chunk(x: T, n: float, dim: int) -> list[T]:
    """``x:chunk(n [, dim])``: a table of n parts of about one size, or fewer when rounding up fills sooner.

    For n = 0, as in the original, a part of infinite size, which is all.
    """
    if not n >= 0:
        raise TorchError(f"chunk: number of chunks must not be below 0, got {n:g}")
    total = x.shape[check_dim(x, dim)]
    return _split(x, math.ceil(total / n) if n else math.inf, dim)


@operation("chunk", "result:list x:any n:number dim:index=0", returns="object")
def _chunk_into(result: list[T], x: T, n: float, dim: int) -> list[T]:
    """``torch.chunk(result, x, n [, dim])``: the table is emptied and filled."""
    result[:] = _chunk(x, n, dim)
    return result
