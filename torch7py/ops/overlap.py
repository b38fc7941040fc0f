"""Tensors that share memory, where one is written while others are read: what the order of the elements decides.

Torch7 goes through the elements of a result one by one, row after row, and reads the operands' elements as it
comes to them: ``x:narrow(1, 2, 9):add(x:narrow(1, 1, 9))`` adds what has been added to before. PyTorch refuses some
of these calls and gives other numbers for the rest. Here is the one place that knows. ``tangled`` tells whether the
order matters, for little where it does not; then ``in_order`` and ``copy`` do the elements in that order. They take
as many of them at once as do not depend on each other.

The original's vectors of four and eight elements, which it has for contiguous memory and some processors, read all of
their elements before they write; what came of that depended on the processor. Here it is one element after the other.
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
    "copy_places",
    "in_order",
    "meets",
    "places",
    "repeats",
    "run",
    "shares",
    "takes_in_order",
    "tangled",
]

T = torch.Tensor
Places = NDArray[np.int64]
FAR = 1 << 60  # an address from which all distances lead to addresses
EFFORT = 10_000  # steps to find out whether two tensors share an element; beyond, they are taken to

# The original copies a matrix that lies column by column to contiguous memory square by square, if it is large.
LARGE_MATRIX, SQUARE, SQUARE_OF_BYTES = 60 * 60, 60, 120


# -- whether the order matters -----------------------------------------------------------------------------


def tangled(out: T, *others: T) -> bool:
    """Whether writing the elements of ``out`` in order makes a difference.

    It does where that changes elements that are then read of another tensor, or written again. Not of an expanded
    tensor that shares no memory with the others: the same is done to each of its places (``turns.py``).
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
    """Whether a tensor shares elements with one of the others, or may have an element at several places."""
    return repeats(out) or shares(out, *others)


def repeats(x: T) -> bool:
    """Whether an element may be at several places, as in an expanded tensor or in what ``unfold`` gives."""
    return not x.is_contiguous() and _repeats(x.shape, x.stride(), True)


@functools.lru_cache(4096)
def _repeats(shape: tuple[int, ...], strides: tuple[int, ...], expanded: bool) -> bool:
    """``repeats``; ``expanded``: also along dimensions that have but one place."""
    reach = 0
    for stride, size in sorted(zip(strides, shape, strict=True)):
        if size > 1 and (expanded or stride):
            if stride <= reach:
                return True
            reach += stride * (size - 1)
    return False


def _share_elements(x: T, y: T) -> bool:
    """Whether any byte of memory is in both."""
    distance = y.data_ptr() - x.data_ptr()
    return _meet(distance, x.element_size(), x.shape, x.stride(), y.shape, y.stride())


class _Extent:
    """Where a tensor's elements lie, for numpy, which does not look at them."""

    def __init__(self, address: int, size: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self.__array_interface__ = {
            "version": 3,
            "data": (address, True),
            "shape": tuple(shape),
            "strides": tuple(stride * size for stride in strides),
            "typestr": f"|V{size}",
        }


# A program asks for the same tensors again and again, or for others that lie so to each other: `distance` bytes apart,
# with elements of `size` bytes.


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


def places(x: T) -> Places:
    """Where the elements lie in their storage, row after row."""
    found = np.array([x.storage_offset()], dtype=np.int64)
    for size, stride in zip(x.shape, x.stride(), strict=True):
        found = (found[:, None] + np.arange(size, dtype=np.int64) * stride).ravel()
    return found


def _flat(x: T) -> T:
    """All of a tensor's storage as a vector."""
    flat = torch.empty(0, dtype=x.dtype, device=x.device)
    return flat.set_(x.untyped_storage(), 0, (x.untyped_storage().nbytes() // x.element_size(),), (1,))


def _index(at: Places, x: T) -> T:
    return torch.from_numpy(at).to(x.device)


def _written_before(written: Places, read: Places) -> Places:
    """For each step the last one before it that writes where it reads; -1 where there is none."""
    count = len(written)
    steps = np.arange(count, dtype=np.int64)
    keys = np.sort(written * count + steps)
    found = np.searchsorted(keys, read * count + steps) - 1
    last = keys[np.maximum(found, 0)]
    return np.where((found >= 0) & (last // count == read), last % count, -1)


def _independent(before: Places) -> Iterator[slice]:
    """The steps in pieces none of which has a step that waits for another in it."""
    start = 0
    waiting = np.flatnonzero(before >= 0)
    for step, needed in zip(waiting.tolist(), before[waiting].tolist(), strict=True):
        if needed >= start:
            yield slice(start, step)
            start = step
    yield slice(start, len(before))


def run(out: T, written: Places, function: Callable[..., T], *values: Any) -> None:
    """For each place in turn, write what the function makes of the values.

    A value is a number or a pair: a tensor, and the place in its storage that is read in each step.
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
            sources.append(lambda piece, found=memory_of[index]: found[piece])
    target = _index(written, out)
    for piece in _independent(before):
        flat[target[piece]] = function(*(source(piece) for source in sources)).to(flat.dtype)


def in_order(out: T, function: Callable[..., T], *values: Any) -> None:
    """``out`` becomes ``function(*values)``, element by element; tensors among the values have as many elements each.

    ``out`` gets the size of the first tensor.
    """
    first = next(value for value in values if isinstance(value, T))
    if out.shape != first.shape:
        memory.resize(out, first.shape)
    read = []
    for value in values:
        if isinstance(value, T):
            memory.check_fits(first, value)
            read.append((value, places(value)))
        else:
            read.append(value)
    run(out, places(out), function, *read)


def takes_in_order(out: T, first: T, *others: T) -> bool:
    """``tangled`` for a result that ``out`` is to take, of the size of the first tensor.

    Where it shares memory with them it takes that size before they are looked at; one of them may be ``out`` itself.
    """
    if out.shape != first.shape:
        storage = out.untyped_storage().data_ptr()
        if any(tensor.untyped_storage().data_ptr() == storage for tensor in (first, *others)):
            for other in others:
                memory.check_fits(first, other)
            memory.resize(out, first.shape)
    return tangled(out, first, *others)


def copied_first(out: T, src: T, *others: T) -> T:
    """``out`` with the size and the elements of ``src``, for what is then done to it.

    The others must have as many elements.
    """
    for other in others:
        memory.check_fits(src, other)
    memory.resize(out, src.shape)
    return copy(out, src)


def copy(target: T, source: T) -> T:
    """Copy the elements in order, whatever the two shapes, and cast them (``x:copy(y)``)."""
    if not tangled(target, source):
        if target.shape == source.shape and (target.is_contiguous() or 0 not in target.stride()):
            return target.copy_(source)
        return memory.copy(target, source)
    memory.check_fits(target, source)
    if _by_squares(target, source):
        return _copy_squares(target, source)
    copy_places(target, places(target), source, places(source))
    return target


def copy_places(target: T, written: Places, source: T, read: Places) -> None:
    """Copy elements from places in one storage to places in another, or the same, one after the other."""
    origin = np.arange(len(written))
    if target.untyped_storage().data_ptr() == source.untyped_storage().data_ptr():
        before = _written_before(written, read)
        origin = np.where(before < 0, origin, before)
        while not np.array_equal(further := origin[origin], origin):
            origin = further
    # Of several steps that write to the same place the last one counts.
    final, last = np.unique(written[::-1], return_index=True)
    last = len(written) - 1 - last
    found = _flat(source)[_index(read[origin[last]], source)]
    _flat(target)[_index(final, target)] = found.to(target)


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
