"""Properties of tensors: sizes, strides, type, memory."""

from __future__ import annotations

import torch

from torch7py.ops import memory, types
from torch7py.ops.errors import TorchError
from torch7py.ops.printing import tensor_to_string
from torch7py.ops.registry import Form, operation
from torch7py.ops.support import restricted

__all__ = ["check_dim"]

T = torch.Tensor


def check_dim(x: T, dim: int) -> int:
    """Return a dimension (from 0) if the tensor has it, else raise an error, in which it counts from 1."""
    dims = x.dim() if x.numel() else 0
    if not 0 <= dim < dims:
        raise TorchError(f"dimension {dim + 1} out of range of {dims}D tensor")
    return dim


def _strides(x: T) -> tuple[int, ...]:
    return tuple(x.stride()) if x.numel() else ()


@operation("size", "x:any", Form.METHOD, returns="storage")
def _sizes(x: T) -> memory.Storage:
    """``x:size()``: all sizes in a LongStorage; a tensor without elements has none."""
    return memory.Storage.of_sizes(memory.size_of(x))


@operation("size", "x:any dim:index", returns="value")
def _size(x: T, dim: int) -> int:
    """``x:size(dim)``: the size of one dimension."""
    return x.shape[check_dim(x, dim)]


@operation("stride", "x:any", Form.METHOD, returns="storage")
def _stride_storage(x: T) -> memory.Storage:
    """``x:stride()``: how far apart neighbours lie in each dimension, in elements."""
    return memory.Storage.of_sizes(_strides(x))


@operation("stride", "x:any dim:index", returns="value")
def _stride(x: T, dim: int) -> int:
    """``x:stride(dim)``: how far apart neighbours lie in one dimension."""
    return x.stride(check_dim(x, dim))


for _name in ("dim", "nDimension"):
    operation(
        _name,
        "x:any",
        Form.METHOD,
        returns="value",
        about="How many dimensions; 0 for a tensor without elements.",
    )(lambda x: len(memory.size_of(x)))
for _name in ("nElement", "numel"):
    operation(_name, "x:any", Form.METHOD, returns="value", about="How many elements.")(T.numel)
operation("elementSize", "x:any", Form.METHOD, returns="value", about="The bytes that an element takes.")(
    T.element_size
)
operation(
    "isContiguous",
    "x:any",
    Form.METHOD,
    returns="value",
    about="Whether the elements lie side by side in memory, those of the last dimension first.",
)(lambda x: x.numel() == 0 or x.is_contiguous())
operation(
    "storageOffset",
    "x:any",
    Form.METHOD,
    returns="value",
    about="Where in its storage the first element is, counted from 1.",
)(lambda x: x.storage_offset() + 1)
operation("isTensor", "x:any", Form.METHOD, returns="value", about="True, of any tensor.")(lambda x: True)
operation("__len", "x:any", Form.METHOD, returns="storage", about="``#x``: ``x:size()``.")(_sizes)
operation(
    "__tostring",
    "x:any",
    Form.METHOD,
    returns="value",
    about="What ``print`` shows: the elements in rows, wide ones in blocks of columns, then type and sizes.",
)(lambda x: tensor_to_string(x, types.of(x).tensor))


@operation("storage", "x:any", Form.METHOD, returns="multi")
def _storage(x: T) -> memory.Storage | None:
    """``x:storage()``: the memory under the tensor; nil for one that never had any."""
    return memory.storage_of(x) if memory.has_storage(x) else None


@operation("isSize", "x:any sizes:storage", Form.METHOD, returns="value")
def _is_size(x: T, sizes: memory.Storage) -> bool:
    """``x:isSize(storage)``: whether the sizes are these."""
    return memory.size_of(x) == sizes.sizes()


@operation("isSameSizeAs", "x:any other:any", Form.METHOD, returns="value")
def _is_same_size(x: T, other: T) -> bool:
    """``x:isSameSizeAs(other)``: whether both have the same sizes."""
    return memory.size_of(x) == memory.size_of(other)


@operation("isSetTo", "x:any other:any", Form.METHOD, returns="value")
def _is_set_to(x: T, other: T) -> bool:
    """``x:isSetTo(y)``: whether both see the same elements of the same storage in the same way."""
    storage = memory.storage_of(x)
    return bool(
        len(storage) > 0
        and x.dtype == other.dtype
        and storage == memory.storage_of(other)
        and x.storage_offset() == other.storage_offset()
        and memory.size_of(x) == memory.size_of(other)
        and _strides(x) == _strides(other)
    )


def _nothing(x: T) -> None:
    """``x:retain()`` and ``x:free()`` counted references by hand. Here Lua's collector does, so there is
    nothing to count: memory lives while a tensor or a storage on it does."""


for _name in ("retain", "free"):
    restricted(f"torch.Tensor:{_name}", "changes nothing: memory lives as long as it is used")
operation("retain", "x:any", Form.METHOD, returns="value")(_nothing)
operation("free", "x:any", Form.METHOD, returns="value")(_nothing)
