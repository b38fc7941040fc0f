"""Results that share memory with their operands, computed in the original's order.

Torch7 computes the elements of a result in order, row by row, and reads the operands' elements as it gets to
them: ``x:narrow(1, 2, 9):add(x:narrow(1, 1, 9))`` adds elements that it has already changed. PyTorch refuses some
of these calls and computes other numbers for the rest. ``order_matters`` checks, cheaply in the usual case, whether the
order changes the result; if so, ``in_order`` and ``copy`` follow it. They compute as many elements at once as do not
depend on each other.

For contiguous memory and some processors the original had loops over vectors of four and eight elements, which read
all of them before they write, so that the result depended on the processor. Here it is that of single elements.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from torch7py.ops import memory

__all__ = [
    "copied_first",
    "copy",
    "copy_offsets",
    "in_order",
    "meets",
    "offsets",
    "order_matters",
    "repeats",
    "run",
    "shares",
    "takes_in_order",
]

T = torch.Tensor
Offsets = NDArray[np.int64]
FAR = 1 << 60  # an address to which any distance can be added
EFFORT = 10_000  # steps of the search for a shared element; where they do not suffice, one is assumed

# The original copies a large column-major matrix to contiguous memory in square blocks.
LARGE_MATRIX, SQUARE, SQUARE_OF_BYTES = 60 * 60, 60, 120


# -- whether the order matters -----------------------------------------------------------------------------


def order_matters(out: T, *others: T) -> bool:
    """Whether the order in which the elements of ``out`` are written changes the result.

    It does where writing changes elements that are read or written again later. An expanded tensor that shares no
    memory with the others does not count: the operation is repeated for its positions (``expanded_inplace.py``).
    """
    if not out.is_contiguous() and _repeats(out.shape, out.stride(), False):
        return True
    storage = out.untyped_storage().data_ptr()
    for other in others:
        if other.untyped_storage().data_ptr() == storage:
            if other is out:
                if 0 in out.stride():
                    return True
            elif _changes(
                other.data_ptr() - out.data_ptr(),
                out.element_size(),
                out.shape,
                out.stride(),
                other.shape,
                other.stride(),
            ):
                return True
    return False


def shares(out: T, *others: T) -> bool:
    """Whether a tensor shares elements with one of the others."""
    storage = out.untyped_storage().data_ptr()
    return any(
        other.untyped_storage().data_ptr() == storage and _share_elements(out, other) for other in others
    )


def meets(out: T, *others: T) -> bool:
    """Whether a tensor shares elements with one of the others, or several of its positions may share one."""
    return repeats(out) or shares(out, *others)


def repeats(x: T) -> bool:
    """Whether several positions may share an element, as in an expanded tensor or a result of ``unfold``."""
    return not x.is_contiguous() and _repeats(x.shape, x.stride(), True)


@functools.lru_cache(4096)
def _repeats(shape: tuple[int, ...], strides: tuple[int, ...], expanded: bool) -> bool:
    """``repeats``; with ``expanded`` dimensions of stride 0 count."""
    reach = 0
    for stride, size in sorted(zip(strides, shape, strict=True)):
        if size > 1 and (expanded or stride):
            if stride <= reach:
                return True
            reach += stride * (size - 1)
    return False


def _share_elements(x: T, y: T) -> bool:
    """Whether two tensors on one storage share any byte."""
    distance = y.data_ptr() - x.data_ptr()
    return _meet(distance, x.element_size(), x.shape, x.stride(), y.shape, y.stride())


class _Extent:
    """The memory layout of a tensor, for numpy's check of shared memory, which does not read the elements."""

    def __init__(self, address: int, size: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self.__array_interface__ = {
            "version": 3,
            "data": (address, True),
            "shape": tuple(shape),
            "strides": tuple(stride * size for stride in strides),
            "typestr": f"|V{size}",
        }


# Programs repeat calls on tensors of the same layout, so the answers are cached: `distance` is that of the first
# elements in bytes, `size` that of an element.


@functools.lru_cache(4096)
def _changes(
    distance: int,
    size: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    other_shape: tuple[int, ...],
    other_strides: tuple[int, ...],
) -> bool:
    """Whether writing a tensor in order changes what is then read of the other."""
    if distance == 0 and shape == other_shape and strides == other_strides:
        return 0 in strides
    return _meet(distance, size, shape, strides, other_shape, other_strides)


@functools.lru_cache(4096)
def _meet(
    distance: int,
    size: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    other_shape: tuple[int, ...],
    other_strides: tuple[int, ...],
) -> bool:
    """Whether two tensors share an element."""
    if 0 in shape or 0 in other_shape:
        return False
    first = np.asarray(_Extent(FAR, size, shape, strides))
    second = np.asarray(_Extent(FAR + distance, size, other_shape, other_strides))
    try:
        return np.shares_memory(first, second, max_work=EFFORT)  # type: ignore[arg-type]  # any number of steps
    except np.exceptions.TooHardError:
        return True


# -- elements in order -------------------------------------------------------------------------------------


def offsets(x: T) -> Offsets:
    """The offsets of the elements in their storage, row by row."""
    offsets = np.array([x.storage_offset()], dtype=np.int64)
    for size, stride in zip(x.shape, x.stride(), strict=True):
        offsets = (offsets[:, None] + np.arange(size, dtype=np.int64) * stride).ravel()
    return offsets


def _flat(x: T) -> T:
    """All of a tensor's storage as a vector."""
    flat = torch.empty(0, dtype=x.dtype, device=x.device)
    return flat.set_(x.untyped_storage(), 0, (x.untyped_storage().nbytes() // x.element_size(),), (1,))


def _index(offsets: Offsets, x: T) -> T:
    return torch.from_numpy(offsets).to(x.device)


def _written_before(written: Offsets, read: Offsets) -> Offsets:
    """For each step the last earlier step that writes the element that it reads; -1 where there is none."""
    count = len(written)
    steps = np.arange(count, dtype=np.int64)
    keys = np.sort(written * count + steps)
    index = np.searchsorted(keys, read * count + steps) - 1
    last = keys[np.maximum(index, 0)]
    return np.where((index >= 0) & (last // count == read), last % count, -1)


def _independent(before: Offsets) -> Iterator[slice]:
    """Split the steps into slices in which no step depends on another."""
    start = 0
    waiting = np.flatnonzero(before >= 0)
    for step, needed in zip(waiting.tolist(), before[waiting].tolist(), strict=True):
        if needed >= start:
            yield slice(start, step)
            start = step
    yield slice(start, len(before))


def run(out: T, written: Offsets, function: Callable[..., T], *values: Any) -> None:
    """Write the function's results to these offsets of ``out``'s storage, in order.

    A value is a number or a pair: a tensor, and the offset in its storage that is read in each step.
    """
    storage = out.untyped_storage().data_ptr()
    flat = _flat(out)
    before = _written_before(written, written)
    sources: list[Any] = []
    for value in values:
        if not isinstance(value, tuple):
            sources.append(lambda piece, value=value: value)
            continue
        tensor, read = value
        index, memory_of = _index(read, out), _flat(tensor).to(out.device)
        if tensor.untyped_storage().data_ptr() == storage:
            before = np.maximum(before, _written_before(written, read))
            sources.append(lambda piece, flat=memory_of, index=index: flat[index[piece]])
        else:
            sources.append(lambda piece, elements=memory_of[index]: elements[piece])
    target = _index(written, out)
    for piece in _independent(before):
        flat[target[piece]] = function(*(source(piece) for source in sources)).to(flat.dtype)


def in_order(out: T, function: Callable[..., T], *values: Any) -> None:
    """``out`` becomes ``function(*values)``, element by element; the tensors among the values have as many elements.

    ``out`` gets the size of the first tensor.
    """
    first = next(value for value in values if isinstance(value, T))
    if out.shape != first.shape:
        memory.resize(out, first.shape)
    read = []
    for value in values:
        if isinstance(value, T):
            memory.check_fits(first, value)
            read.append((value, offsets(value)))
        else:
            read.append(value)
    run(out, offsets(out), function, *read)


def takes_in_order(out: T, first: T, *others: T) -> bool:
    """``order_matters`` for a result of the size of the first tensor, to be written to ``out``.

    Where ``out`` shares memory with the tensors it is resized before they are read; one of them may be ``out`` itself.
    """
    if out.shape != first.shape:
        storage = out.untyped_storage().data_ptr()
        if any(tensor.untyped_storage().data_ptr() == storage for tensor in (first, *others)):
            for other in others:
                memory.check_fits(first, other)
            memory.resize(out, first.shape)
    return order_matters(out, first, *others)


def copied_first(out: T, src: T, *others: T) -> T:
    """Give ``out`` the size and the elements of ``src``, before an in-place operation on it.

    The others must have as many elements.
    """
    for other in others:
        memory.check_fits(src, other)
    memory.resize(out, src.shape)
    return copy(out, src)


def copy(target: T, source: T) -> T:
    """Copy the elements in order, whatever the two shapes, and cast them (``x:copy(y)``)."""
    if not order_matters(target, source):
        if target.shape == source.shape and (target.is_contiguous() or 0 not in target.stride()):
            return target.copy_(source)
        return memory.copy(target, source)
    memory.check_fits(target, source)
    if _by_squares(target, source):
        return _copy_squares(target, source)
    copy_offsets(target, offsets(target), source, offsets(source))
    return target


def copy_offsets(target: T, written: Offsets, source: T, read: Offsets) -> None:
    """Copy elements from offsets in one storage to offsets in another, or the same, in order."""
    origin = np.arange(len(written))
    if target.untyped_storage().data_ptr() == source.untyped_storage().data_ptr():
        before = _written_before(written, read)
        origin = np.where(before < 0, origin, before)
        while not np.array_equal(further := origin[origin], origin):
            origin = further
    # Of several steps that write to the same offset the last one counts.
    final, last = np.unique(written[::-1], return_index=True)
    last = len(written) - 1 - last
    elements = _flat(source)[_index(read[origin[last]], source)]
    _flat(target)[_index(final, target)] = elements.to(target)


def _by_squares(target: T, source: T) -> bool:
    return (
        target.untyped_storage().data_ptr() == source.untyped_storage().data_ptr()
        and target.numel() >= LARGE_MATRIX
        and source.dim() == 2
        and source.stride() == (1, source.shape[0])
        and target.is_contiguous()
        and not source.is_contiguous()
    )


def _copy_squares(target: T, source: T) -> T:
    side = SQUARE_OF_BYTES if target.dtype == torch.uint8 else SQUARE
    matrix = target.view(source.shape)
    corners = itertools.product(*(range(0, size, side) for size in source.shape))
    for row, column in corners:
        square: Sequence[slice] = slice(row, row + side), slice(column, column + side)
        matrix[tuple(square)] = source[tuple(square)].clone()
    return target
