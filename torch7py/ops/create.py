"""New tensors: the constructors, and tensors of numbers that follow a rule."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from torch7py.ops import memory, state, types
from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.ops.registry import Form, operation
from torch7py.ops.types import NumberType

__all__ = ["creation", "empty", "with_storage"]

T = torch.Tensor

# -- constructors: torch.DoubleTensor(...), x.new(...), and x:set(...), which takes the same forms ---------


def empty(number_type: NumberType | None = None) -> T:
    """A tensor without elements, of the default type unless another is passed."""
    current = state.current()
    number_type = number_type or current.default_type
    return types.label(torch.empty(0, dtype=number_type.dtype, device=current.device), number_type)


def _new_ones(sizes: tuple[int, ...]) -> T:
    current = state.current()
    return torch.ones(memory.clean_sizes(sizes), dtype=current.default_type.dtype, device=current.device)


def _new_of_size(number_type: NumberType, sizes: Sequence[int]) -> T:
    return torch.zeros(memory.clean_sizes(sizes), dtype=number_type.dtype, device=state.current().device)


@operation("__new", "code:int", Form.FUNCTION)
def _new(code: int) -> T:
    """``torch.DoubleTensor()``; ``code`` is the number type's."""
    return empty(types.BY_CODE[code])


@operation("__new", "code:int x:any", returns="view")
def _new_alias(code: int, x: T) -> T:
    """``torch.DoubleTensor(tensor)``: another tensor on the same memory."""
    _same_type(types.BY_CODE[code], types.of(x).tensor, types.of(x))
    return x.as_strided(
        x.shape, x.stride(), x.storage_offset()
    )  # view() gives dimensions of size 1 other strides


@operation("__new", "code:int storage:storage", returns="view")
def _new_of_storage(code: int, storage: memory.Storage) -> T:
    """``torch.DoubleTensor(storage)`` on all of a storage of its type; else a LongStorage is sizes."""
    number_type = types.BY_CODE[code]
    if storage.type is types.LONG and number_type is not types.LONG:
        return _new_of_size(number_type, storage.sizes())
    return with_storage(empty(number_type), storage)


@operation("__new", "code:int sizes:storage strides:storage", returns="view")
def _new_strided(code: int, sizes: memory.Storage, strides: memory.Storage) -> T:
    """``torch.DoubleTensor(sizes, strides)``, both LongStorages."""
    number_type = types.BY_CODE[code]
    if not sizes.type is strides.type is types.LONG or number_type is types.LONG:
        raise ArgumentError("sizes and strides in LongStorages make any tensor but a LongTensor")
    tensor = empty(number_type)
    memory.resize(tensor, sizes.sizes(), strides_of(sizes.sizes(), strides))
    return tensor


@operation(
    "__new", "code:int storage:storage offset:int sizes:storage=None strides:storage=None", returns="view"
)
def _new_on_storage(
    code: int,
    storage: memory.Storage,
    offset: int,
    sizes: memory.Storage | None,
    strides: memory.Storage | None,
) -> T:
    """``torch.DoubleTensor(storage, offset [, sizes [, strides]])``."""
    return with_storage(empty(types.BY_CODE[code]), storage, offset, sizes, strides)


@operation("__new", "code:int storage:storage offset:int geometry:sizes", returns="view")
def _new_on_part(code: int, storage: memory.Storage, offset: int, geometry: tuple[int, ...]) -> T:
    """``torch.DoubleTensor(storage, offset, size1 [, stride1 [, size2 ...]])``."""
    return on_part(empty(types.BY_CODE[code]), storage, offset, geometry)


@operation("__new", "code:int sizes:sizes")
def _new_sizes(code: int, sizes: tuple[int, ...]) -> T:
    """``torch.DoubleTensor(sizes...)``. The elements are 0; the original left them undetermined."""
    return _new_of_size(types.BY_CODE[code], sizes)


def _same_type(expected: NumberType, name: str, actual: NumberType) -> None:
    if expected is not actual:
        raise ArgumentError(f"expecting number or {expected.tensor} or {expected.storage}, got {name}")


def strides_of(sizes: Sequence[int], strides: memory.Storage) -> tuple[int, ...]:
    if len(strides) != len(sizes):
        raise TorchError("provided stride and size are inconsistent")
    return strides.sizes()


def with_storage(
    x: T,
    storage: memory.Storage,
    offset: int | None = None,
    sizes: memory.Storage | None = None,
    strides: memory.Storage | None = None,
) -> T:
    """``x:set(storage [, offset [, sizes [, strides]]])``: all of the storage, or a part of it.

    An offset without sizes makes a tensor without elements, as in the original.
    """
    _same_type(types.of(x), storage.type.storage, storage.type)
    memory.note_empty(x, storage)
    if offset is None:
        return _aim(x, storage, 1, (len(storage),), None)
    if sizes is None:
        return _aim(x, storage, offset, (), None)
    return _aim(
        x, storage, offset, sizes.sizes(), None if strides is None else strides_of(sizes.sizes(), strides)
    )


def on_part(x: T, storage: memory.Storage, offset: int, geometry: tuple[int, ...]) -> T:
    """``x:set(storage, offset, size1 [, stride1 [, size2 ...]])``; a stride left out is the contiguous one."""
    _same_type(types.of(x), storage.type.storage, storage.type)
    sizes = geometry[::2]
    strides = geometry[1::2] + (-1,) * (len(sizes) - len(geometry[1::2]))
    return _aim(x, storage, offset, sizes, strides)


def _aim(
    x: T, storage: memory.Storage, offset: int, sizes: tuple[int, ...], strides: tuple[int, ...] | None
) -> T:
    if offset < 1:
        raise TorchError("Tensor: invalid storage offset")
    memory.point_at(x, storage.untyped, offset - 1, (0,), (1,))
    memory.resize(x, sizes, strides)
    return x


# -- tensors by a rule -------------------------------------------------------------------------------------


def creation(
    name: str, signature: str, fresh: Callable[..., T] | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function that fills its first argument, a tensor, in the form RESULT.

    A call without that tensor creates one of the default type, with ``fresh`` if that is passed.
    """

    def register(fill: Callable[..., Any]) -> Callable[..., Any]:
        def fill_new(*arguments: Any) -> T:
            tensor = empty()
            fill(tensor, *arguments)
            return tensor

        about = inspect.getdoc(fill) or ""
        operation(name, signature, Form.RESULT, inplace=fill, about=about)(fresh or fill_new)
        return fill

    return register


@creation("zeros", "sizes:sizes", lambda sizes: _new_of_size(state.current().default_type, sizes))
def _zeros(out: T, sizes: tuple[int, ...]) -> None:
    """``torch.zeros([out,] sizes...)``: all elements 0."""
    memory.resize(out, sizes)
    out.zero_()


@creation("ones", "sizes:sizes", _new_ones)
def _ones(out: T, sizes: tuple[int, ...]) -> None:
    """``torch.ones([out,] sizes...)``: all elements 1."""
    memory.resize(out, sizes)
    out.fill_(1)


@creation("eye", "n:int m:int=0")
def _eye(out: T, n: int, m: int) -> None:
    """``torch.eye([out,] n [, m])``: (n, m) with ones on the diagonal."""
    if n <= 0:
        raise TorchError(f"eye: n must be above 0, got {n}")
    memory.resize(out, (n, m if m > 0 else n))
    torch.eye(*out.shape, out=out)


def _room(out: T, count: int, dtype: torch.dtype) -> T:
    """A vector for this many values: the memory of the result where they fit, else new memory."""
    if out.numel() == count and out.dtype == dtype and out.is_contiguous() and out.device.type == "cpu":
        return out.detach().view(-1)
    return torch.empty(count, dtype=dtype)


def _in_order(out: T, values: T) -> None:
    """Write values to a tensor, which keeps its shape if it has as many elements."""
    if values.numel() and values.data_ptr() == out.data_ptr():  # they were computed there
        return
    if not out.untyped_storage().nbytes():  # a new tensor
        memory.moves.value += 1
        out.data = values.to(out)
        return
    if out.numel() != values.numel():
        memory.resize(out, values.shape)
    memory.copy(out, values)


@creation("range", "first:number last:number step:number=1")
def _range(out: T, first: float, last: float, step: float) -> None:
    """``torch.range([out,] first, last [, step])``: first, first + step, ... as long as last is not passed.

    Whole-number types compute in whole numbers, the others in double precision.
    """
    number_type = types.of(out)
    if not number_type.is_floating:
        first, last, step = types.LONG.cast(first), types.LONG.cast(last), types.LONG.cast(step)
    if not (step > 0 or step < 0):
        raise TorchError("range: step must not be 0")
    if not (last >= first if step > 0 else last <= first):
        raise TorchError(f"range: {last:g} cannot be reached from {first:g} by steps of {step:g}")
    if number_type.is_floating:
        count, dtype = int((last - first) / step + 1), torch.float64
    else:
        count, dtype = int(last - first) // int(step) + 1, torch.int64
    if step == 1 and first == int(first) and abs(first) + count < 2**53:
        if out.dtype == torch.float32 and abs(first) + count <= 2**24:  # all of them are floats
            dtype = torch.float32
        numbers = _room(out, count, dtype)
        torch.arange(int(first), int(first) + count, out=numbers)
    else:
        numbers = torch.arange(count, dtype=dtype).mul_(step).add_(first)
    _in_order(out, numbers)


def _points(out: T, name: str, a: float, b: float, n: int) -> T:
    """n numbers from a to b at equal distances, each step of the computation in the tensor's own type."""
    number_type = types.of(out)
    if number_type.host.name not in ("Double", "Float"):
        raise TorchError(f"{number_type.tensor} has no {name}: only DoubleTensor and FloatTensor do")
    real = np.float32 if out.dtype == torch.float32 else np.float64
    with np.errstate(all="ignore"):
        low, width = float(real(a)), float(real(b) - real(a))
        same = bool(real(a) == real(b))
    if n < 1 or (n == 1 and not same):
        raise TorchError(f"{name}: invalid number of points: {n}")
    if n == 1:
        return torch.tensor([low], dtype=out.dtype)

    numbers = torch.arange(n, out=_room(out, n, out.dtype))
    if width == 1 and low == 0:  # what the other steps leave as it is
        return numbers.div_(n - 1)

    return numbers.mul_(width).div_(n - 1).add_(low)


@creation("linspace", "a:number b:number n:int=100")
def _linspace(out: T, a: float, b: float, n: int) -> None:
    """``torch.linspace([out,] a, b [, n=100])``: n numbers from a to b at equal distances."""
    _in_order(out, _points(out, "linspace", a, b, n))


@creation("logspace", "a:number b:number n:int=100")
def _logspace(out: T, a: float, b: float, n: int) -> None:
    """``torch.logspace([out,] a, b [, n=100])``: 10 to the power of what linspace gives."""
    points = _points(out, "logspace", a, b, n)
    powers = torch.tensor([_power_of_ten(x) for x in points.tolist()], dtype=torch.float64)
    _in_order(out, powers)


def _power_of_ten(x: float) -> float:
    try:
        return math.pow(10.0, x)
    except OverflowError:
        return math.inf


# -- matrices ----------------------------------------------------------------------------------------------


def _matrix(x: T, name: str) -> T:
    if x.dim() != 2 or x.numel() == 0:
        raise TorchError(f"{name}: expected a matrix, got a {len(memory.size_of(x))}D tensor")
    return x


@operation("diag", "x:T k:int=0", Form.QUERY)
def _diag(x: T, k: int) -> T:
    """``torch.diag([out,] x [, k])``: a matrix with x on its k-th diagonal, or the k-th diagonal of a matrix."""
    if x.numel() == 0 or x.dim() > 2:
        raise TorchError(f"diag: matrix or a vector expected, got a {len(memory.size_of(x))}D tensor")
    return torch.diag(x, k)


@operation("tril", "x:T k:int=0", Form.QUERY)
def _tril(x: T, k: int, *, out: T | None = None) -> T:
    """``torch.tril([out,] x [, k])``: the elements on and below the k-th diagonal, zeros above."""
    return torch.tril(_matrix(x, "tril"), k, out=out)


@operation("triu", "x:T k:int=0", Form.QUERY)
def _triu(x: T, k: int, *, out: T | None = None) -> T:
    """``torch.triu([out,] x [, k])``: the elements on and above the k-th diagonal, zeros below."""
    return torch.triu(_matrix(x, "triu"), k, out=out)
