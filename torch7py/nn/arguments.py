"""Arguments of layers in the form that they use: dimensions from 1, tables of tensors, gradients of a shape."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from torch7py.nn.object import TorchObject
from torch7py.ops.errors import TorchError
from torch7py.ops.quirks import older
from torch7py.ops.tracing import numbers_known

__all__ = [
    "argument_text",
    "as_shape",
    "axis",
    "check_gradient",
    "dims_of",
    "exact_table",
    "gradient_of",
    "gradients_of",
    "numbered",
    "numbered_tensors",
    "rows",
    "size_text",
    "table",
    "tensor",
    "tensors",
]


def dims_of(tensor: torch.Tensor) -> int:
    """The number of dimensions that Lua sees: none without elements."""
    return tensor.dim() if tensor.numel() else 0


def size_text(tensor: torch.Tensor) -> str:
    """A tensor's sizes as Torch7 writes them, ``2x3``, or ``empty``."""
    return "x".join(map(str, tensor.shape)) if tensor.numel() else "empty"


def argument_text(value: Any) -> str:
    """The same of what should be a tensor and may not be one."""
    return size_text(value) if isinstance(value, torch.Tensor) else "no tensor"


def axis(layer: TorchObject, dimension: int | None, input: torch.Tensor, inputDims: int | None = None) -> int:
    """The 0-based number of a dimension that a script counts from 1, or from the end below 0.

    ``inputDims`` is the number of dimensions of one example: an input with one more is a batch, and a dimension
    above 0 does not count the batch's.
    """
    if dimension is None:
        raise TorchError(f"{layer.class_name}: it was made without its dimension")
    dims = dims_of(input)
    position = dims + dimension if dimension < 0 else dimension - 1
    if dimension > 0 and inputDims is not None and dims == inputDims + 1:
        position += 1
    if not 0 <= position < dims:
        raise TorchError(f"{layer.class_name}: no dimension {dimension} in an input of {dims} dimensions")
    return int(position)


def numbered(value: Any) -> Any:
    """The entries 1, 2, 3, ... of a table that has others too, or is an object of a program's class; else the value."""
    if not isinstance(value, Mapping):
        return value
    return list(itertools.takewhile(lambda entry: entry is not None, map(value.get, itertools.count(1))))


def table(layer: TorchObject, value: Any, count: int | None = None, what: str = "input") -> list[Any]:
    """A table with at least one entry; with a ``count``, its first entries, of which there must be so many.

    Torch7's layers read the entries that they need by number, and do not look at what follows them.
    """
    value = numbered(value)
    if not isinstance(value, list) or len(value) < (count or 1):
        raise TorchError(f"{layer.class_name}: the {what} must be a table{f' of {count}' if count else ''}")
    return value if count is None else value[:count]


def exact_table(layer: TorchObject, value: Any, count: int, what: str = "input") -> list[Any]:
    """A table with neither more nor fewer entries, for the layers that count them."""
    value = numbered(value)
    if not isinstance(value, list) or len(value) != count:
        raise TorchError(f"{layer.class_name}: the {what} must be a table of {count}, no more and no fewer")
    return value


def tensor(layer: TorchObject, value: Any, what: str = "input") -> torch.Tensor:
    """What must be a tensor."""
    if not isinstance(value, torch.Tensor):
        raise TorchError(f"{layer.class_name}: the {what} must be a tensor")
    return value


def tensors(
    layer: TorchObject, value: Any, count: int | None = None, what: str = "input"
) -> list[torch.Tensor]:
    """The same where every entry is a tensor."""
    entries = table(layer, value, count, what)
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, torch.Tensor):
            raise TorchError(f"{layer.class_name}: entry {number} of the {what} is not a tensor")
    return entries


def numbered_tensors(
    layer: TorchObject, value: Any, count: int | None = None, what: str = "input"
) -> list[torch.Tensor]:
    """The same for a layer that asks for its entries by number alone: so many rows of a tensor may stand for them."""
    if count is not None and isinstance(value, torch.Tensor) and value.dim() > 1:
        value = list(value)
    return tensors(layer, value, count, what)


def as_shape(layer: TorchObject, tensor: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
    """The tensor in another shape, one size of which may be -1; a copy where it is not contiguous."""
    known = math.prod(size for size in sizes if size != -1)
    count = tensor.numel()
    if not (known and count % known == 0 if -1 in sizes else known == count):
        wanted = "x".join(map(str, sizes))
        raise TorchError(f"{layer.class_name}: cannot view {size_text(tensor)} as {wanted}")
    return tensor.contiguous().view(tuple(sizes))


def check_gradient(layer: TorchObject, gradient: torch.Tensor, shape: Sequence[int]) -> None:
    """Refuse a gradient of another shape than the output's where the layer takes no other (``exact_gradient``)."""
    exact = getattr(layer, "exact_gradient", False) and not older("gradients of any shape")
    if exact and gradient.shape != tuple(shape):
        wanted = "x".join(map(str, shape))
        raise TorchError(f"{layer.class_name}: gradOutput is {size_text(gradient)}, the output {wanted}")


def gradient_of(layer: TorchObject, gradOutput: Any, shape: Sequence[int]) -> torch.Tensor:
    """A gradient with respect to an output of this shape; it must have as many elements."""
    if not isinstance(gradOutput, torch.Tensor) or gradOutput.numel() != math.prod(shape):
        sizes = size_text(gradOutput) if isinstance(gradOutput, torch.Tensor) else "not a tensor"
        wanted = "x".join(map(str, shape))
        raise TorchError(f"{layer.class_name}: gradOutput is {sizes}, the output {wanted}")
    check_gradient(layer, gradOutput, shape)
    return gradOutput.reshape(tuple(shape))


def gradients_of(layer: TorchObject, gradOutput: Any, outputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """A table of gradients with respect to a table of outputs."""
    entries = table(layer, gradOutput, len(outputs), "gradOutput")
    return [gradient_of(layer, g, o.shape) for g, o in zip(entries, outputs, strict=True)]


def rows(layer: TorchObject, indices: torch.Tensor, count: int) -> torch.Tensor:
    """1-based indices of any number type as 0-based ones, checked against ``count``."""
    positions = indices.long() - 1
    if positions.numel() and numbers_known(positions):
        low, high = (int(bound) for bound in torch.aminmax(positions))
        if low < 0 or high >= count:
            wrong = low if low < 0 else high
            raise TorchError(f"{layer.class_name}: index {wrong + 1} out of range 1 to {count}")
    return positions
