"""Storages, sizes and the memory under tensors, as Torch7 has them.

Three facts differ from PyTorch and are handled here, so that operations need not know them: a tensor may be
resized at any time and grows its storage, which it may share; a list of sizes ends at the first that is not
positive; operands only need the same number of elements, whatever their shapes.
"""

from __future__ import annotations

import ctypes
import math
import mmap
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from torch7py.ops import types
from torch7py.ops.errors import TorchError

__all__ = [
    "Storage",
    "apart",
    "array_of",
    "as_byte",
    "by_columns",
    "check_fits",
    "clean_sizes",
    "copy",
    "fit",
    "has_nan",
    "has_storage",
    "length",
    "moves",
    "note_empty",
    "point_at",
    "resize",
    "separate",
    "share",
    "size_of",
    "storage_of",
    "together",
    "write",
    "write_columns",
    "write_elements",
    "write_expanded",
    "write_result",
]


_libc = ctypes.CDLL(None)


class Storage:
    """A typed view of a block of memory: Torch7's ``torch.DoubleStorage`` and its kin.

    Two Storage objects are equal when they are the same memory.
    """

    __slots__ = ("_known", "_untyped", "type")

    def __init__(self, number_type: types.NumberType, untyped: torch.UntypedStorage | None) -> None:
        self.type = number_type
        self._untyped = untyped
        self._known: tuple[int, ...] = ()

    @property
    def untyped(self) -> torch.UntypedStorage:
        """The memory, which the caller may change."""
        if self._untyped is None:
            self._untyped = torch.tensor(self._known, dtype=self.type.dtype).untyped_storage()
        return self._untyped

    @classmethod
    def of_sizes(cls, sizes: tuple[int, ...]) -> Storage:
        """A LongStorage of sizes or strides. Most are only read as sizes: memory is allocated when it is needed."""
        storage = cls(types.LONG, None)
        storage._known = sizes
        return storage

    @classmethod
    def of_size(cls, number_type: types.NumberType, size: int, device: torch.device) -> Storage:
        """A new storage of ``size`` zeros."""
        return cls(number_type, torch.zeros(size, dtype=number_type.dtype, device=device).untyped_storage())

    @classmethod
    def of_values(cls, number_type: types.NumberType, values: torch.Tensor) -> Storage:
        """A new storage that holds the elements of a tensor."""
        return cls(number_type, values.to(number_type.dtype, copy=True).contiguous().untyped_storage())

    def __len__(self) -> int:
        return len(self._known) if self._untyped is None else length(self._untyped) // self.type.size

    def __repr__(self) -> str:
        return f"a {self.type.storage} of size {len(self)}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.type.name, self.tensor())

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Storage) and self.pointer() == other.pointer())

    def __hash__(self) -> int:
        return hash(self.pointer())

    def pointer(self) -> int:
        """A number that is the same for two storages exactly when they are the same memory."""
        return int(self.untyped._cdata)

    def tensor(self) -> torch.Tensor:
        """All elements as a 1-D tensor on this memory."""
        flat = torch.empty(0, dtype=self.type.dtype, device=self.untyped.device)
        return flat.set_(self.untyped, 0, (len(self),), (1,))

    def sizes(self) -> tuple[int, ...]:
        """The elements as a list of sizes or strides (a LongStorage in that role)."""
        if self._untyped is None:
            return self._known
        if self.type is types.LONG and self._untyped.device.type == "cpu":
            # Without an operation on tensors, which torch.export would take for a part of the model.
            return (
                tuple((ctypes.c_int64 * len(self)).from_address(self._untyped.data_ptr()))
                if len(self)
                else ()
            )
        return tuple(self.tensor().tolist())

    def resize(self, size: int) -> None:
        """Grow or shrink in place; tensors on this memory see the change."""
        _resize_memory(self.untyped, size * self.type.size)


moves = ctypes.c_int64(
    0
)  # how often an operation has given a tensor or a storage other memory or another shape


def length(storage: torch.UntypedStorage) -> int:
    """The number of bytes in a storage. More may be allocated: see ``_resize_memory``."""
    known: int | None = getattr(storage, "torch7_length", None)
    return storage.nbytes() if known is None else known


def _resize_memory(storage: torch.UntypedStorage, size: int) -> None:
    """Make a storage so many bytes long.

    Memory that a tensor uses is not moved or freed when its storage shrinks: the part that is cut off becomes zeros,
    and its pages go back to the system. So no tensor ever points beyond its memory, whoever holds it.
    """
    if not storage.resizable():
        raise TorchError(
            "this memory belongs to a file that is mapped, or to somebody else: it cannot be resized "
            "(torch7py.load maps large tensors when it is told mmap=True)"
        )
    moves.value += 1
    allocated, before = storage.nbytes(), length(storage)
    if size >= allocated or torch._C._storage_Use_Count(storage._cdata) == 1:
        storage.resize_(size)
    elif size < before:
        _clear(storage, size, before)
    storage.torch7_length = None if size == storage.nbytes() else size  # type: ignore[attr-defined]


def _clear(storage: torch.UntypedStorage, start: int, end: int) -> None:
    """Set bytes of a storage to zero, and free the memory of whole pages among them."""
    part = torch.empty(0, dtype=torch.uint8, device=storage.device).set_(storage, start, (end - start,), (1,))
    if sys.platform == "linux" and part.is_cpu and not storage.is_shared():
        edge = -part.data_ptr() % mmap.PAGESIZE
        pages = max(0, len(part) - edge) // mmap.PAGESIZE * mmap.PAGESIZE
        address, count = ctypes.c_void_p(part.data_ptr() + edge), ctypes.c_size_t(pages)
        if pages == 0 or _libc.madvise(address, count, mmap.MADV_DONTNEED) == 0:
            part[:edge].zero_()
            part[edge + pages :].zero_()
            return
    part.zero_()


def _restore(name: str, values: torch.Tensor) -> Storage:
    """A storage from a pickle."""
    return Storage(types.BY_NAME[name], values.untyped_storage())


def storage_of(tensor: torch.Tensor) -> Storage:
    return Storage(types.of(tensor), tensor.untyped_storage())


def note_empty(tensor: torch.Tensor, storage: Storage) -> None:
    """Record that a tensor was set to a storage without elements; a new tensor has no storage at all."""
    if len(storage) == 0:
        tensor.torch7_storage = storage  # type: ignore[attr-defined]


def has_storage(tensor: torch.Tensor) -> bool:
    """Whether a tensor has a storage: memory, or an empty storage that it was set to."""
    if tensor.untyped_storage().nbytes():
        return True
    empty: Storage | None = getattr(tensor, "torch7_storage", None)
    return empty is not None and empty.pointer() == tensor.untyped_storage()._cdata


_ARRAY_TYPES = {t.dtype: np.dtype(str(t.dtype).removeprefix("torch.")) for t in types.BY_CODE.values()}


def array_of(tensor: torch.Tensor) -> NDArray[Any]:
    """A numpy array on the memory of a CPU tensor, valid while the tensor lives and keeps its storage.

    PyTorch's ``numpy()`` would fix the size of the memory for good, and a script may resize its tensors at any time.
    """
    size = tensor.element_size()
    bytes_seen, strides = tensor.numel() * size, None
    if not tensor.is_contiguous():
        strides = tuple(size * stride for stride in tensor.stride())
        bytes_seen = size + sum((n - 1) * stride for n, stride in zip(tensor.shape, strides, strict=True))
    memory: Any = (ctypes.c_char * bytes_seen).from_address(tensor.data_ptr())
    return np.ndarray(tensor.shape, _ARRAY_TYPES[tensor.dtype], memory, 0, strides)


def clean_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    """Sizes up to the first that is not positive. Without any the tensor is empty: ``(0,)``."""
    kept = []
    for size in sizes:
        if size <= 0:
            break
        kept.append(size)
    return tuple(kept) or (0,)


def size_of(tensor: torch.Tensor) -> tuple[int, ...]:
    """The sizes that Lua sees: none for a tensor without elements."""
    return tuple(tensor.shape) if tensor.numel() else ()


def point_at(
    tensor: torch.Tensor,
    storage: torch.UntypedStorage,
    offset: int,
    sizes: Sequence[int],
    strides: Sequence[int],
) -> None:
    """Make a tensor a view of a storage from ``offset`` (0-based) on. A storage that is too small grows."""
    moves.value += 1
    needed = offset + 1 + sum((n - 1) * s for n, s in zip(sizes, strides, strict=True))
    if 0 not in sizes and length(storage) < needed * tensor.element_size():
        _resize_memory(storage, needed * tensor.element_size())
    # A parameter refuses set_; assigning its data has the same effect.
    view = torch.empty(0, dtype=tensor.dtype, device=tensor.device)
    tensor.data = view.set_(storage, offset, tuple(sizes), tuple(strides))


def contiguous_strides(sizes: Sequence[int]) -> tuple[int, ...]:
    """The strides of a contiguous tensor of these sizes."""
    strides, step = [], 1
    for size in reversed(sizes):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


def resize(tensor: torch.Tensor, sizes: Sequence[int], strides: Sequence[int] | None = None) -> None:
    """Give a tensor these sizes on its own storage, which grows when too small (``x:resize``).

    A tensor that has the sizes already keeps its strides. A stride below 0 stands for the contiguous one.
    """
    sizes = clean_sizes(sizes)
    offset = int(tensor.storage_offset())
    if strides is None:
        if tuple(tensor.shape) == sizes:
            return
        strides = contiguous_strides(sizes)
    else:
        strides = strides[: len(sizes)]
        wanted: list[tuple[int, int]] = []
        for size, stride in zip(reversed(sizes), reversed(strides), strict=True):
            following = wanted[-1] if wanted else None
            natural = 1 if following is None else following[0] * following[1]
            wanted.append((size, stride if stride >= 0 else natural))
        strides = tuple(stride for _, stride in reversed(wanted))
    point_at(tensor, tensor.untyped_storage(), offset, sizes, strides)


def share(out: torch.Tensor, view: torch.Tensor) -> None:
    """Make a tensor a view of another's memory with its sizes, strides and offset (``x:set(view)``)."""
    if out is not view:
        point_at(out, view.untyped_storage(), int(view.storage_offset()), tuple(view.shape), view.stride())


def write(out: torch.Tensor, result: torch.Tensor) -> None:
    """Write a result to the caller's result tensor: it is resized on its storage, then the elements are copied."""
    if result is not out:
        resize(out, result.shape)
        if result.numel():
            out.copy_(result)


def write_expanded(out: torch.Tensor, result: torch.Tensor) -> None:
    """``write`` to a tensor that may be expanded: the last position of an element counts."""
    try:
        write(out, result)
    except RuntimeError:
        if 0 not in out.stride():
            raise
        copy(out, result)


LARGE = 4096  # from so many elements on a second pass costs more than the check whether one is needed


def write_result(out: torch.Tensor, function: Callable[..., torch.Tensor], *arguments: Any) -> None:
    """``write`` the result of a function, computed directly into ``out`` where that is safe.

    It is if ``out`` has the size of the first tensor among the arguments already, and shares no memory with any of
    them, or is the same view.
    """
    if (
        out.numel() >= LARGE
        and out.shape == next(value.shape for value in arguments if isinstance(value, torch.Tensor))
        and out.is_contiguous()
        and all(apart(out, value) for value in arguments if isinstance(value, torch.Tensor))
    ):
        function(*arguments, out=out)
    else:
        write(out, function(*arguments))


def write_elements(out: torch.Tensor, function: Callable[..., torch.Tensor], *arguments: Any) -> None:
    """``write_result`` of an elementwise function.

    PyTorch itself refuses contiguous tensors that overlap, and the caller then computes the result elsewhere. So there
    is less to check, which pays for small tensors too: 1600 elements take half the time.
    """
    if out.shape == arguments[0].shape and out.is_contiguous():
        for value in arguments:
            if isinstance(value, torch.Tensor) and not value.is_contiguous() and not apart(out, value):
                break
        else:
            function(*arguments, out=out)
            return
    write(out, function(*arguments))


def has_nan(x: torch.Tensor) -> bool:
    """Whether any element is NaN."""
    # A sum is the fastest test; it may be NaN without NaN among the elements, if these are infinite.
    return math.isnan(x.sum().item()) and bool(x.amax().isnan())


def apart(out: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two contiguous tensors of a size share no elements, or are the same view."""
    if out.untyped_storage().data_ptr() != other.untyped_storage().data_ptr():
        return True
    return out.data_ptr() == other.data_ptr() and other.is_contiguous()


def separate(out: torch.Tensor, *others: torch.Tensor) -> bool:
    """Whether a tensor is on the device of the others and uses none of their storages.

    Their result may then be computed directly into it.
    """
    storage = out.untyped_storage().data_ptr()
    return all(
        other.untyped_storage().data_ptr() != storage and other.device == out.device for other in others
    )


def by_columns(matrix: torch.Tensor) -> torch.Tensor:
    """A matrix in column-major order, as LAPACK has them."""
    return matrix.t().contiguous().t()


def write_columns(out: torch.Tensor, result: torch.Tensor) -> None:
    """``write`` for a result of LAPACK: ``out`` becomes column-major, unless it has the size and other strides."""
    if tuple(out.shape) != tuple(result.shape) or out.is_contiguous():
        resize(out, result.shape, (1, *result.shape)[: result.dim()])
    out.copy_(result)


def copy(target: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
    """Copy and cast the elements, whatever the two shapes; the tensors share no elements (see ops/overlap.py)."""
    source, last = fit(target, source), target
    if 0 in target.stride():
        # In an expanded dimension one element is written many times: the last value stays.
        for dim, (size, stride) in enumerate(zip(target.shape, target.stride(), strict=True)):
            if size > 1 and stride == 0:
                last, source = last.narrow(dim, size - 1, 1), source.narrow(dim, size - 1, 1)
    last.copy_(source)
    return target


def fit(first: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """``other`` in the shape of ``first``; both must have the same number of elements."""
    check_fits(first, other)
    return other if other.shape == first.shape else other.reshape(first.shape)


def check_fits(first: torch.Tensor, other: torch.Tensor) -> None:
    """Raise an error unless two tensors have the same number of elements."""
    if other.numel() != first.numel():
        raise TorchError(
            f"inconsistent tensor size: {_shape(first)} against {_shape(other)} "
            f"({first.numel()} elements against {other.numel()})"
        )


def _shape(tensor: torch.Tensor) -> str:
    return "x".join(map(str, size_of(tensor))) or "empty"


def together(keep_first: bool, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Move tensors to one device: the first one's if the result is written to it, else an accelerator's."""
    device = tensors[0].device
    if not keep_first:
        device = next((t.device for t in tensors if t.device.type != "cpu"), device)
    return tuple(t if t.device == device else t.to(device) for t in tensors)


def as_byte(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor of truth values as Torch7's ByteTensor of 0 and 1."""
    return tensor.view(torch.uint8) if tensor.dtype == torch.bool else tensor
