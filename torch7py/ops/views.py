"""Views of a tensor's memory: parts, transposed and reshaped tensors; ``set`` and ``resize``."""

from __future__ import annotations

import math

import torch

from torch7py.ops import create, memory, types
from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.ops.registry import Form, operation
from torch7py.ops.shape import check_dim

__all__ = ["expand", "narrow"]

T = torch.Tensor

# -- parts -------------------------------------------------------------------------------------------------


def narrow(x: T, dim: int, start: int, size: int) -> T:
    """``x:narrow(dim, start, size)``: a range of one dimension, on the same memory."""
    check_dim(x, dim)
    if not 0 <= start < x.shape[dim]:
        raise TorchError(
            f"narrow: index {start + 1} out of range of dimension {dim + 1} of size {x.shape[dim]}"
        )
    if not 0 < size <= x.shape[dim] - start:
        raise TorchError(
            f"narrow: size {size} from index {start + 1} out of range of dimension {dim + 1} of size {x.shape[dim]}"
        )
    return x.narrow(dim, start, size)


operation("narrow", "x:any dim:index start:index size:int", Form.METHOD, returns="view")(narrow)


@operation("select", "x:any dim:index at:index", Form.METHOD, returns="item")
def _select(x: T, dim: int, at: int) -> T:
    """``x:select(dim, at)``: one slice, with a dimension less; of a vector, the number, whatever ``dim`` says."""
    dim = 0 if x.dim() == 1 and x.numel() else check_dim(x, dim)
    if not 0 <= at < x.shape[dim]:
        raise TorchError(f"select: index {at + 1} out of range of dimension {dim + 1} of size {x.shape[dim]}")
    return x.select(dim, at)


@operation("sub", "x:any bounds:sizes", Form.METHOD, returns="view")
def _sub(x: T, bounds: tuple[int, ...]) -> T:
    """``x:sub(from1, to1 [, from2, to2 ...])``: a range of each of the first dimensions, negative from the end."""
    if len(bounds) % 2 or len(bounds) > 8:
        raise ArgumentError(
            f"sub: expected a first and a last index for up to 4 dimensions, got {len(bounds)}"
        )
    for dim in range(len(bounds) // 2):
        size = x.shape[check_dim(x, dim)]
        first, last = (i + size if i < 0 else i - 1 for i in bounds[2 * dim : 2 * dim + 2])
        if not (0 <= first < size and 0 <= last < size):
            wrong = bounds[2 * dim] if not 0 <= first < size else bounds[2 * dim + 1]
            raise TorchError(f"sub: index {wrong} out of range of dimension {dim + 1} of size {size}")
        if last < first:
            raise TorchError(f"sub: end smaller than beginning in dimension {dim + 1}")
        x = x.narrow(dim, first, last - first + 1)
    return x


@operation("unfold", "x:any dim:index size:int step:int", Form.METHOD, returns="view")
def _unfold(x: T, dim: int, size: int, step: int) -> T:
    """``x:unfold(dim, size, step)``: all windows of a dimension, ``step`` apart, as a further last dimension."""
    check_dim(x, dim)
    if not 0 < size <= x.shape[dim]:
        raise TorchError(f"unfold: size {size} out of range of dimension {dim + 1} of size {x.shape[dim]}")
    if step <= 0:
        raise TorchError(f"unfold: invalid step {step}")
    return x.unfold(dim, size, step)


# -- transposed --------------------------------------------------------------------------------------------


@operation("transpose", "x:any dim1:index dim2:index", Form.METHOD, returns="view")
def _transpose(x: T, dim1: int, dim2: int) -> T:
    """``x:transpose(dim1, dim2)``: the two dimensions swapped."""
    return x.transpose(check_dim(x, dim1), check_dim(x, dim2))


@operation("t", "x:any", Form.METHOD, returns="view")
def _t(x: T) -> T:
    """``x:t()``: a matrix, transposed."""
    if x.dim() != 2 or x.numel() == 0:
        raise TorchError(f"t: tensor must have 2 dimensions, not {len(memory.size_of(x))}")
    return x.t()


@operation("permute", "x:any dims:sizes", Form.METHOD, returns="view")
def _permute(x: T, dims: tuple[int, ...]) -> T:
    """``x:permute(dim1, ..., dimN)``: the dimensions in this order; in their own order x itself."""
    if sorted(dims) != list(range(1, len(memory.size_of(x)) + 1)):
        raise TorchError(f"permute: invalid permutation {dims} of {len(memory.size_of(x))} dimensions")
    return x if list(dims) == sorted(dims) else x.permute([dim - 1 for dim in dims])


# -- reshaped ----------------------------------------------------------------------------------------------


def _view(x: T, sizes: tuple[int, ...]) -> T:
    """``[r.]view(x, sizes...)``: a contiguous tensor in other sizes; one of them may be -1, the rest."""
    if sizes.count(-1) > 1:
        raise TorchError("Only one of torch.view dimensions can be -1.")
    count = x.numel()
    known = 1
    for size in sizes:
        known *= size if size != -1 else 1
    if -1 in sizes and (known <= 0 or count % known):
        raise TorchError(
            "The number of covered elements is not a multiple of all elements. "
            f"Input size: {_by(memory.size_of(x))}. Output size: {_by(sizes)}"
        )
    if count and not x.is_contiguous():
        raise TorchError("expecting a contiguous tensor")
    full = memory.clean_sizes([count // known if size == -1 else size for size in sizes])
    if math.prod(full) != count:
        raise TorchError(
            f"Wrong size for view. Input size: {_by(memory.size_of(x))}. Output size: {_by(sizes)}"
        )
    viewed = x.view(full)
    if 1 in full:  # PyTorch may keep a stride there, on which nothing depends but what stride() says
        strides = memory.contiguous_strides(full)
        if viewed.stride() != strides:
            return viewed.as_strided(full, strides)
    return viewed


def _by(sizes: tuple[int, ...]) -> str:
    return "x".join(map(str, sizes))


operation("view", "x:T sizes:sizes", Form.QUERY, returns="view")(_view)
operation("viewAs", "x:T template:any", Form.QUERY, returns="view", about="``x:view(template:size())``.")(
    lambda x, template: _view(x, memory.size_of(template))
)


def expand(x: T, sizes: tuple[int, ...]) -> T:
    """``[r.]expand(x, sizes...)``: dimensions of size 1 repeated without copying."""
    if len(sizes) != len(memory.size_of(x)):
        raise TorchError("the number of dimensions provided must equal tensor:dim()")
    for mine, wanted in zip(memory.size_of(x), sizes, strict=True):
        if mine != 1 and mine != wanted:
            raise TorchError(
                "incorrect size: only supporting singleton expansion (size=1), "
                f"got {_by(memory.size_of(x))} to {_by(sizes)}"
            )
    expanded = x.expand(memory.clean_sizes(sizes))
    if 1 in sizes:  # PyTorch keeps the stride there, on which nothing depends but what stride() says
        strides = [
            0 if size == 1 else stride for size, stride in zip(x.shape, expanded.stride(), strict=True)
        ]
        return expanded.as_strided(expanded.shape, strides)
    return expanded


operation("expand", "x:T sizes:sizes", Form.QUERY, returns="view")(expand)
operation("expandAs", "x:T template:any", Form.QUERY, returns="view", about="``x:expand(template:size())``.")(
    lambda x, template: expand(x, memory.size_of(template))
)


@operation("squeeze", "x:T", Form.QUERY, returns="item")
def _squeeze(x: T) -> T:
    """``[r.]squeeze(x)``: without the dimensions of size 1; when none is left, the number."""
    return x.squeeze() if x.numel() else x


@operation("squeeze", "x:T dim:index", returns="item")
def _squeeze_dim(x: T, dim: int) -> T:
    """``[r.]squeeze(x, dim)``: without this dimension if its size is 1; of a vector of one, the number."""
    return x.squeeze(check_dim(x, dim))


# -- set and resize ----------------------------------------------------------------------------------------


@operation("set", "x:T", Form.METHOD, returns="self", moves=True)
def _set_nothing(x: T) -> None:
    """``x:set()``: no memory, no elements."""
    memory.share(x, torch.empty(0, dtype=x.dtype, device=x.device))


@operation("set", "x:T src:T", returns="self")
def _set(x: T, src: T) -> None:
    """``x:set(tensor)``: the same view of the same memory."""
    memory.share(x, src)


operation("set", "x:T storage:storage", returns="self")(create.with_storage)
operation("set", "x:T storage:storage offset:int sizes:storage=None strides:storage=None", returns="self")(
    create.with_storage
)
operation("set", "x:T storage:storage offset:int geometry:sizes", returns="self")(create.on_part)


@operation("resize", "x:any sizes:sizes", Form.METHOD, returns="self", moves=True)
def _resize(x: T, sizes: tuple[int, ...]) -> None:
    """``x:resize(sizes...)``: other sizes on its own storage, which grows when too small."""
    memory.resize(x, sizes)


@operation("resize", "x:any sizes:storage strides:storage", returns="self")
def _resize_strided(x: T, sizes: memory.Storage, strides: memory.Storage) -> None:
    """``x:resize(sizes, strides)``, both LongStorages."""
    if not sizes.type is strides.type is types.LONG:
        raise ArgumentError("resize: sizes and strides must be LongStorages")
    memory.resize(x, sizes.sizes(), create.strides_of(sizes.sizes(), strides))


@operation("resizeAs", "x:any other:any", Form.METHOD, returns="self", moves=True)
def _resize_as(x: T, other: T) -> None:
    """``x:resizeAs(other)``: the sizes of another tensor; nothing happens when it has them already."""
    memory.resize(x, memory.size_of(other))
