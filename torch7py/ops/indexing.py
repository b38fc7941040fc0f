"""Elements and rows by index or mask: index, gather, scatter, masked..., nonzero, and ``x[k]``.

Indices count from 1 in Lua and come in LongTensors, masks of 0 and 1 in ByteTensors.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from torch7py.ops import memory, overlap, types
from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.ops.expanded_inplace import apply_indexed, repeated_dims, repetitions
from torch7py.ops.registry import Form, operation
from torch7py.ops.shape import check_dim

__all__: list[str] = []

T = torch.Tensor
Rows = Callable[..., T]  # takes a tensor, a dimension, indices along it, and values

# -- rows --------------------------------------------------------------------------------------------------


def _check_vector(name: str, x: T, dim: int, index: T) -> None:
    check_dim(x, dim)
    if index.dim() != 1 or index.numel() == 0:
        raise TorchError(f"{name}: index is supposed to be a vector")


def _rows(name: str, x: T, dim: int, index: T) -> T:
    """The index of a row operation, 0-based and checked."""
    _check_vector(name, x, dim, index)
    return _in_range(name, index - 1, x, dim)


def _in_range(name: str, index: T, x: T, dim: int, first: int = 0) -> T:
    """The index itself, checked; it counts from ``first``."""
    low, high = (int(bound) - first for bound in torch.aminmax(index))
    size = x.shape[dim]
    if low < 0 or high >= size:
        wrong = (low if low < 0 else high) + 1
        raise TorchError(f"{name}: index {wrong} out of range of dimension {dim + 1} of size {size}")
    return index


def _index_into(out: T, x: T, dim: int, index: T) -> None:
    """``_index`` computed directly into its result tensor."""
    if overlap.shares(out, x):
        _check_vector("index", x, dim, index)
        memory.resize(out, (*x.shape[:dim], len(index), *x.shape[dim + 1 :]))
        for position, row in enumerate(_rows("index", x, dim, index).tolist()):
            overlap.copy(out.select(dim, position), x.select(dim, row))
        return
    if 0 in out.stride() or not memory.separate(out, x, index):
        memory.write_expanded(out, _index(x, dim, index))
        return
    rows = _rows("index", x, dim, index)
    memory.resize(out, (*x.shape[:dim], len(rows), *x.shape[dim + 1 :]))
    torch.index_select(x, dim, rows, out=out)


@operation("index", "x:T dim:index index:Long", Form.QUERY, inplace=_index_into, gives_last="always")
def _index(x: T, dim: int, index: T) -> T:
    """``[r.]index(x, dim, index)``: copies of these rows. With ``r`` it gives the index."""
    _check_vector("index", x, dim, index)
    rows = index - 1
    if x.device.type != "cpu":
        return x.index_select(dim, _in_range("index", rows, x, dim))
    try:
        return x.index_select(dim, rows)
    except (IndexError, RuntimeError):
        _in_range("index", rows, x, dim)
        raise


def _by_rows(inplace: Rows, x: T, dim: int, rows: T, *values: T | float) -> None:
    """``inplace(x, dim, rows, ...)``. An element of an expanded tensor is updated once for every position."""
    if 0 in x.stride() and repeated_dims(x):
        apply_indexed(inplace, x, dim, rows, *values)
    else:
        inplace(x, dim, rows, *values)


def _sources(name: str, x: T, dim: int, index: T, src: T) -> T:
    """The source of a row operation in the shape of the indexed rows."""
    if src.shape[check_dim(src, dim)] != index.numel():
        raise TorchError(f"{name}: {index.numel()} indices for {src.shape[dim]} slices of the source")
    shape = (*x.shape[:dim], index.numel(), *x.shape[dim + 1 :])
    if tuple(src.shape) == shape:
        return src
    # The original copies slice by slice, and a slice only has to have as many elements.
    if src.numel() != torch.Size(shape).numel():
        raise TorchError(
            f"{name}: slices of different size: {_by(src)} against {_by(x)} in dimension {dim + 1}"
        )
    slices = src.movedim(dim, 0).reshape(index.numel(), *x.shape[:dim], *x.shape[dim + 1 :])
    return slices.movedim(0, dim)


def _by(x: T) -> str:
    return "x".join(map(str, memory.size_of(x)))


@operation("indexCopy", "x:T dim:index index:Long src:T", Form.METHOD, returns="self", gives_last="always")
def _index_copy(x: T, dim: int, index: T, src: T) -> None:
    """``x:indexCopy(dim, index, src)``: row index[i] becomes row i of src; of equal indices the last counts.

    It gives src.
    """
    rows = _rows("indexCopy", x, dim, index)
    values = _sources("indexCopy", x, dim, index, src)
    if overlap.shares(x, src):
        for position, row in enumerate(rows.tolist()):
            overlap.copy(x.select(dim, row), src.select(dim, position))
        return
    _by_rows(T.index_copy_, x, dim, rows, values)


@operation("indexAdd", "x:T dim:index index:Long src:T", Form.METHOD, returns="self", gives_last="always")
def _index_add(x: T, dim: int, index: T, src: T) -> None:
    """``x:indexAdd(dim, index, src)``: row i of src is added to row index[i], however often it is named.

    It gives src.
    """
    rows = _rows("indexAdd", x, dim, index)
    values = _sources("indexAdd", x, dim, index, src)
    if overlap.shares(x, src):
        for position, row in enumerate(rows.tolist()):
            target = x.select(dim, row)
            overlap.in_order(target, torch.add, target, src.select(dim, position))
        return
    _by_rows(T.index_add_, x, dim, rows, values)


@operation(
    "indexFill", "x:T dim:index index:Long value:real", Form.METHOD, returns="self", gives_last="always"
)
def _index_fill(x: T, dim: int, index: T, value: float) -> None:
    """``x:indexFill(dim, index, value)``: all elements of the rows index[i] become the number, which it gives."""
    _by_rows(T.index_fill_, x, dim, _rows("indexFill", x, dim, index), value)


# -- elements ----------------------------------------------------------------------------------------------


def _elements(name: str, x: T, dim: int, index: T) -> None:
    """Check the size of the index of gather or scatter."""
    check_dim(x, dim)
    if index.dim() != x.dim() or index.numel() == 0:
        raise TorchError(f"{name}: index tensor must have same dimensions as input tensor")
    for d, (size, index_size) in enumerate(zip(x.shape, index.shape, strict=True)):
        if d != dim and size != index_size:
            raise TorchError(
                f"{name}: index of size {_by(index)} for a tensor of size {_by(x)}, dimension {dim + 1}"
            )


def _from_zero(name: str, x: T, dim: int, index: T) -> T:
    """The checked index of gather or scatter, counted from 0."""
    return _in_range(name, index, x, dim, first=1) - 1


def _rows_first(x: T, dim: int) -> T:
    """A view in the order in which gather and scatter visit the elements: along ``dim``, then from row to row."""
    return x.permute([*(d for d in reversed(range(x.dim())) if d != dim), dim])


def _indexed_offsets(x: T, dim: int, index: T) -> overlap.Offsets:
    """The storage offsets of the elements of x that an index selects, in that order."""
    rows = _rows_first(index - 1, dim)
    starts = _rows_first(x, dim)[..., :1].expand(rows.shape)
    return overlap.offsets(starts) + rows.reshape(-1).cpu().numpy() * x.stride(dim)


def _gather_into(out: T, x: T, dim: int, index: T) -> None:
    """``_gather`` computed directly into its result tensor."""
    _elements("gather", x, dim, index)
    if out is not x and overlap.shares(out, x):
        _in_range("gather", index, x, dim, first=1)
        memory.resize(out, index.shape)
        overlap.copy_offsets(out, overlap.offsets(_rows_first(out, dim)), x, _indexed_offsets(x, dim, index))
        return
    if 0 in out.stride() or not memory.separate(out, x, index):
        memory.write_expanded(out, x.gather(dim, _from_zero("gather", x, dim, index)))
        return
    rows = _from_zero("gather", x, dim, index)
    memory.resize(out, index.shape)
    torch.gather(x, dim, rows, out=out)


@operation("gather", "x:T dim:index index:Long", Form.QUERY, inplace=_gather_into)
def _gather(x: T, dim: int, index: T) -> T:
    """``[r.]gather(x, dim, index)``: with dim 1, ``r[i][j] = x[index[i][j]][j]``."""
    _elements("gather", x, dim, index)
    return x.gather(dim, _from_zero("gather", x, dim, index))


@operation("scatter", "x:T dim:index index:Long src:T", Form.METHOD, returns="self")
def _scatter(x: T, dim: int, index: T, src: T) -> None:
    """``x:scatter(dim, index, src)``: with dim 1, ``x[index[i][j]][j] = src[i][j]``."""
    _elements("scatter", x, dim, index)
    if src.dim() != x.dim() or any(a < b for a, b in zip(src.shape, index.shape, strict=True)):
        raise TorchError(f"scatter: source of size {_by(src)} for an index of size {_by(index)}")
    if overlap.shares(x, src):
        _in_range("scatter", index, x, dim, first=1)
        part = src[tuple(map(slice, index.shape))]
        overlap.copy_offsets(
            x, _indexed_offsets(x, dim, index), part, overlap.offsets(_rows_first(part, dim))
        )
    else:
        _by_rows(T.scatter_, x, dim, _from_zero("scatter", x, dim, index), src)


@operation("scatter", "x:T dim:index index:Long value:real", returns="self")
def _scatter_fill(x: T, dim: int, index: T, value: float) -> None:
    """``x:scatter(dim, index, value)``: with a number, that everywhere."""
    _elements("scatter", x, dim, index)
    _by_rows(T.scatter_, x, dim, _from_zero("scatter", x, dim, index), value)


@operation("nonzero", "x:any", Form.QUERY)
def _nonzero(x: T) -> T:
    """``[r.]nonzero(x)``: the subscripts of each element that is not 0, one in a row of a LongTensor."""
    once = x
    for dim, stride in enumerate(x.stride()):
        if stride == 0 and x.shape[dim] > 1:
            once = once.narrow(dim, 0, 1)
    if once is not x:  # an expanded tensor, which may have more elements than one can go through
        repeated = x.numel() // max(once.numel(), 1)
        count = int(torch.count_nonzero(once)) * repeated
        if count == 0:
            return torch.empty((0, x.dim()), dtype=torch.int64, device=x.device)
        torch.empty(
            (count, x.dim()), dtype=torch.int64, device=x.device
        )  # an error if there is no such memory
    return torch.nonzero(x).add_(1)


# -- masks -------------------------------------------------------------------------------------------------


def _mask(name: str, x: T, mask: T) -> T:
    """A mask as truth values in the shape of x."""
    if mask.numel() != x.numel():
        raise TorchError(f"{name}: a mask of {mask.numel()} elements for a tensor of {x.numel()}")
    if mask.numel() and mask.max().item() > 1:
        raise TorchError("Mask tensor can take 0 and 1 values only")
    return mask.reshape(x.shape).view(torch.bool)


def _masked_select_into(out: T, x: T, mask: T) -> None:
    """``_masked_select`` into its result tensor."""
    if out is x or not overlap.shares(out, x):
        memory.write(out, _masked_select(x, mask))
        return
    read = overlap.offsets(x)[_mask("maskedSelect", x, mask).flatten().cpu().numpy()]
    memory.resize(out, (len(read),))
    overlap.copy_offsets(out, overlap.offsets(out), x, read)


@operation("maskedSelect", "x:T mask:Byte", Form.QUERY, inplace=_masked_select_into, gives_last="cpu")
def _masked_select(x: T, mask: T) -> T:
    """``[r.]maskedSelect(x, mask)``: the elements under the ones of the mask, as a vector.

    With ``r`` it gives the mask, of CUDA tensors ``r``.
    """
    chosen = _mask("maskedSelect", x, mask)
    return x.masked_select(chosen)


@operation("maskedFill", "x:T mask:Byte value:real", Form.METHOD, returns="self", gives_last="cpu")
def _masked_fill(x: T, mask: T, value: float) -> None:
    """``x:maskedFill(mask, value)``: the elements under the ones of the mask become the number.

    It gives the number, of a CUDA tensor the tensor.
    """
    chosen = _mask("maskedFill", x, mask)
    if 0 in x.stride() and repeated_dims(x):
        for select in repetitions(x):
            select(x).masked_fill_(select(chosen), value)
    else:
        x.masked_fill_(chosen, value)


@operation("maskedCopy", "x:T mask:Byte src:T", Form.METHOD, returns="self")
def _masked_copy(x: T, mask: T, src: T) -> None:
    """``x:maskedCopy(mask, src)``: the elements under the ones of the mask become those of src, in order."""
    chosen = _mask("maskedCopy", x, mask)
    ones = int(chosen.sum())
    if src.numel() < ones:
        raise TorchError(f"maskedCopy: {src.numel()} elements of src for {ones} ones in the mask")
    src = src.contiguous()
    if overlap.meets(x, src):
        written = overlap.offsets(x)[chosen.flatten().cpu().numpy()]
        overlap.copy_offsets(x, written, src, overlap.offsets(src)[:ones])
    else:
        x.masked_scatter_(chosen, src)


# -- x[k] and x[k] = v, where k is not made of numbers -----------------------------------------------------


@operation("__index", "x:T mask:Byte", Form.FUNCTION)
def _get_masked(x: T, mask: T) -> T:
    """``x[mask]``: ``x:maskedSelect(mask)``."""
    return _masked_select(x, mask)


@operation("__index", "x:any position:storage", returns="value")
def _get_at(x: T, position: memory.Storage) -> float:
    """``x[torch.LongStorage{i, j, ...}]``: one element."""
    return _at(x, position).item()


@operation("__newindex", "x:T mask:Byte value:real", Form.FUNCTION, returns="value")
def _set_masked(x: T, mask: T, value: float) -> None:
    """``x[mask] = number``: ``x:maskedFill(mask, number)``."""
    _masked_fill(x, mask, value)


@operation("__newindex", "x:T mask:Byte src:T", returns="value")
def _copy_masked(x: T, mask: T, src: T) -> None:
    """``x[mask] = tensor``: ``x:maskedCopy(mask, tensor)``."""
    _masked_copy(x, mask, src)


@operation("__newindex", "x:T position:storage value:real", returns="value")
def _set_at(x: T, position: memory.Storage, value: float) -> None:
    """``x[torch.LongStorage{i, j, ...}] = number``: one element changed."""
    _at(x, position).fill_(value)


def _at(x: T, position: memory.Storage) -> T:
    if position.type is not types.LONG:
        raise ArgumentError(f"a tensor is indexed by a LongStorage, not by a {position.type.storage}")
    indices = position.sizes()
    if len(indices) != len(memory.size_of(x)):
        raise TorchError(f"invalid size: {len(indices)} indices for a {len(memory.size_of(x))}D tensor")
    offsets = []
    for dim, (index, size) in enumerate(zip(indices, x.shape, strict=True)):
        offset = index + size if index < 0 else index - 1
        if not 0 <= offset < size:
            raise TorchError(f"index {index} is out of bounds for dimension {dim + 1} of size {size}")
        offsets.append(offset)
    return x[tuple(offsets)]
