"""What a tensor is: sizes, strides, type, memory."""

from __future__ import annotations

import torch

from torch7py.ops import memory, types
from torch7py.ops.errors import TorchError
from torch7py.ops.printing import tensor_to_string
from torch7py.ops.registry import Form, operation

__all__: list[str] = []

T = torch.Tensor


def sizes_storage(sizes: tuple[int, ...]) -> memory.Storage:
    """Sizes or strides as Torch7 hands them out, in a LongStorage."""
    return memory.Storage.of_values(types.LONG, torch.tensor(sizes, dtype=torch.int64))


@operation("size", "x:any", Form.METHOD, returns="object")
def _sizes(x: T) -> memory.Storage:
    return sizes_storage(memory.size_of(x))


@operation("size", "x:any dim:index", returns="value")
def _size(x: T, dim: int) -> int:
    return _of_dim(memory.size_of(x), dim)


def _of_dim(values: tuple[int, ...], dim: int) -> int:
    if not 0 <= dim < len(values):
        raise TorchError(f"dimension {dim + 1} out of range of a {len(values)}D tensor")
    return values[dim]


operation("dim", "x:any", Form.METHOD, returns="value")(lambda x: len(memory.size_of(x)))
operation("__len", "x:any", Form.METHOD, returns="object")(_sizes)
operation("__tostring", "x:any", Form.METHOD, returns="value")(lambda x: tensor_to_string(x, types.of(x).tensor))
