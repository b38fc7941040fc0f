"""Deep copies and type conversions that keep what shares memory sharing it, as Torch7's serialization does."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from torch7py.ops import state, types
from torch7py.ops.memory import Storage
from torch7py.ops.registry import Fields

__all__ = [
    "CustomSerialization",
    "TensorMap",
    "TypeMap",
    "aliased_copy",
    "cache_of",
    "clone_memo",
    "clone_of",
    "copy_map",
    "deep_copy",
    "is_clone",
    "keep_as_is",
    "map_tensors",
    "memo_of",
    "separate_memo",
    "storage_map",
    "with_what_follows",
]

TensorMap = Callable[[torch.Tensor], torch.Tensor]


def _like(source: torch.Tensor, data: torch.Tensor) -> torch.Tensor:
    """``data`` as what ``source`` is: a parameter stays one where its type can have gradients."""
    if isinstance(source, torch.nn.Parameter) and data.is_floating_point():
        return torch.nn.Parameter(data, requires_grad=source.requires_grad)
    return data


def storage_map(
    make: Callable[[torch.Tensor], torch.Tensor],
    memo: dict[Any, Any],
    type_of: Callable[[torch.Tensor], types.NumberType | None] = lambda tensor: None,
) -> TensorMap:
    """A function from tensors to tensors on new storages, each storage made once by ``make``.

    ``make`` gets all elements of a storage as a 1-D tensor. ``type_of`` tells the number type of what becomes of a
    tensor, where its dtype alone does not. ``memo`` maps ids of tensors and storages to what
    they became, and keeps them alive meanwhile.
    """

    def convert(tensor: torch.Tensor) -> torch.Tensor:
        done = memo.get(id(tensor))
        if done is not None:
            return done[0]
        storage = tensor.untyped_storage()
        number_type = type_of(tensor)
        key = (storage._cdata, tensor.dtype, number_type)
        converted = memo.get(key)
        if converted is None:
            whole = whole_storage(tensor)
            converted = memo[key] = (make(whole), storage)
        flat = converted[0]
        view = flat.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset())
        result = _like(tensor, view)
        if number_type is not None:
            types.label(result, number_type)
            if _label_of(tensor) is number_type:
                result.torch7_type = number_type  # type: ignore[attr-defined]
        memo[id(tensor)] = (result, tensor)
        return result

    return convert


def whole_storage(tensor: torch.Tensor) -> torch.Tensor:
    """All elements of a tensor's storage, 1-D."""
    storage = tensor.untyped_storage()
    size = storage.nbytes() // tensor.element_size()
    return tensor.data.as_strided((size,), (1,), 0)


def copy_map(memo: dict[Any, Any]) -> TensorMap:
    """Tensors to copies of themselves."""
    return storage_map(lambda whole: whole.clone(), memo, _label_of)


def _label_of(tensor: torch.Tensor) -> types.NumberType | None:
    return getattr(tensor, "torch7_type", None)


def separate_map(memo: dict[Any, Any]) -> TensorMap:
    """Tensors to copies, each in memory of its own, whatever else lay in its storage; those on the same elements share.

    ``memo`` is as for ``storage_map``.
    """

    def convert(tensor: torch.Tensor) -> torch.Tensor:
        done = memo.get(id(tensor))
        if done is not None:
            return done[0]
        is_parameter = isinstance(tensor, torch.nn.Parameter)
        extent = (
            tensor.untyped_storage()._cdata,
            tensor.storage_offset(),
            tensor.dtype,
            tensor.shape,
            tensor.stride(),
        )
        key = extent if tensor.numel() else (id(tensor),)
        if key not in memo:
            memo[key] = (tensor.data.clone(memory_format=torch.contiguous_format), tensor)
        kind = (*key, is_parameter)
        if kind not in memo:
            memo[kind] = (_like(tensor, memo[key][0].detach()),)
        result = memo[kind][0]
        number_type = _label_of(tensor)
        if number_type is not None:
            types.label(result, number_type)
        memo[id(tensor)] = (result, tensor)
        return result

    return convert


class TypeMap:
    """Tensors to tensors of another type; what is right already stays as it is.

    ``memo`` is as for ``storage_map``.
    """

    def __init__(self, number_type: types.NumberType, memo: dict[Any, Any]) -> None:
        def make(whole: torch.Tensor) -> torch.Tensor:
            gpu = state.current().gpu if number_type.is_cuda else None  # the current of several
            return whole.to(whole.device if gpu is None else gpu, number_type.dtype, copy=True)

        self.memo = memo
        self._type = number_type
        self._changed = storage_map(make, memo, lambda tensor: number_type)

    def __call__(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor if types.of(tensor) is self._type else self._changed(tensor)


class Conversions:
    """What the tensors of several conversions became: a memo that a script holds in a table of its own."""

    __slots__ = ("memo",)

    def __init__(self, memo: dict[Any, Any] | None = None) -> None:
        self.memo: dict[Any, Any] = {} if memo is None else memo


def cache_of(convert: TensorMap) -> dict[str, Any]:
    """The cache with which a script's ``type`` goes on with a conversion (see ``memo_of``)."""
    return {"conversions": Conversions(convert.memo)} if isinstance(convert, TypeMap) else {}


def memo_of(cache: Fields | None) -> dict[Any, Any]:
    """The memo of conversions with this cache: what one has converted is not converted again by the next."""
    if cache is None:
        return {}
    kept = cache.get("conversions")
    if kept is None:
        kept = cache["conversions"] = Conversions()
    memo: dict[Any, Any] = kept.memo
    return memo


def map_tensors(value: Any, convert: TensorMap) -> Any:
    """``value`` with every tensor in its lists and dicts converted, in place where it is a container."""
    if isinstance(value, torch.Tensor):
        return convert(value)
    if isinstance(value, list):
        value[:] = [map_tensors(item, convert) for item in value]
    elif isinstance(value, dict):
        for key in value:
            value[key] = map_tensors(value[key], convert)
    elif hasattr(value, "map_tensors"):
        value.map_tensors(convert)
    return value


def deep_copy(value: Any, memo: dict[Any, Any]) -> Any:
    """A deep copy in which tensors and storages that share memory share their copy's.

    ``memo`` is that of ``copy.deepcopy``.
    """
    if value is None or isinstance(value, (bool, int, float, str, torch.dtype, torch.device, torch.Size)):
        return value
    if isinstance(value, torch.Tensor):
        tensors = memo.setdefault(_TENSORS, {})
        if _SEPARATE in memo:
            return separate_map(tensors)(value)
        if _ALIASED in memo:
            return storage_map(lambda whole: whole, tensors, _label_of)(value)
        return copy_map(tensors)(value)
    if isinstance(value, Storage):
        tensors = memo.setdefault(_TENSORS, {})
        copied = copy_map(tensors)(value.tensor())
        return Storage(value.type, copied.untyped_storage())
    done = memo.get(id(value))
    if done is not None:
        return done
    if isinstance(value, list):
        result: Any = []
        memo[id(value)] = result
        result.extend(deep_copy(item, memo) for item in value)
        return result
    if type(value) is dict:
        result = {}
        memo[id(value)] = result
        for key, item in value.items():
            result[deep_copy(key, memo)] = deep_copy(item, memo)
        return result
    if type(value) is tuple:
        return tuple(deep_copy(item, memo) for item in value)
    return copy.deepcopy(value, memo)


_TENSORS = -1  # memo key of the tensors; never an id
_ALIASED = -2  # memo key of a copy on the same memory
_SEPARATE = -5  # memo key of a copy whose tensors lie in memory of their own
_CLONE = "torch7py clone"  # memo key of a copy such as clone() makes
_FOLLOWING = "torch7py following"  # memo key of what is done once all that Python knows of is copied


def separate_memo() -> dict[Any, Any]:
    """The memo of a copy in which tensors lie in memory of their own (see ``separate_map``)."""
    return {_SEPARATE: True}


class CustomSerialization(Exception):
    """Something in a graph of objects says itself how it is saved: only what goes through a file is its clone.

    ``saved_and_read`` makes of an object what that gives.
    """

    def __init__(self, saved_and_read: Callable[[Any], Any]) -> None:
        super().__init__()
        self.saved_and_read = saved_and_read


def clone_of(obj: Any) -> Any:
    """A copy as ``clone()`` makes it, which stands for the object saved and read again, as in Torch7.

    Where nothing in the graph has a way of its own to be saved, a deep copy comes to the same in a tenth of the time.
    """
    with torch.no_grad():
        try:
            return deep_copy(obj, clone_memo())
        except CustomSerialization as custom:
            return custom.saved_and_read(obj)


def clone_memo() -> dict[Any, Any]:
    """The memo of a copy that stands for the object saved and read again, which raises CustomSerialization."""
    return {_CLONE: True}


def is_clone(memo: dict[Any, Any]) -> bool:
    """Whether a copy with this memo is one of ``clone_of``."""
    return _CLONE in memo


@contextmanager
def with_what_follows(memo: dict[Any, Any]) -> Iterator[list[Callable[[], None]]]:
    """A list of what to do when the outermost object that is being copied, and all below it, are there."""
    outer: list[Callable[[], None]] | None = memo.get(_FOLLOWING)
    if outer is not None:
        yield outer
        return
    following = memo[_FOLLOWING] = []
    try:
        yield following
        for step in following:  # a step may copy more objects, which add to the list
            step()
    finally:
        del memo[_FOLLOWING]


def aliased_copy(value: Any) -> Any:
    """A deep copy whose tensors are others on the same memory."""
    with torch.no_grad():
        return deep_copy(value, {_ALIASED: True})


def keep_as_is(memo: dict[Any, Any], tensors: Iterable[torch.Tensor]) -> None:
    """Let a deep copy with this memo share these tensors with the original."""
    known = memo.setdefault(_TENSORS, {})
    for tensor in tensors:
        known[id(tensor)] = (tensor, tensor)
