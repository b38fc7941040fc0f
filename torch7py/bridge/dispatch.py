"""Calls of operations by handles: adapters look the handles up and encode the results for Lua."""

from __future__ import annotations

from typing import Any

import torch

from torch7py.bridge.handles import STEP, Handles
from torch7py.ops import memory, state, types
from torch7py.ops.dispatch.adapters import Adapters
from torch7py.ops.dispatch.kinds import Kind, is_storage, is_tensor
from torch7py.ops.mersenne import Generator
from torch7py.ops.registry import Case, Form, operations
from torch7py.t7.objects import Table

__all__ = ["Dispatcher", "encode_results", "loops"]


class Dispatcher(Adapters):
    """Generates the adapters of one runtime, whose arguments are handles."""

    fetch = "objects[{}]"

    def __init__(self, handles: Handles, device: torch.device) -> None:
        super().__init__(device)
        self._names |= {
            "objects": handles.objects,
            "give": handles.give,
            "give_tensor": handles.give_tensor,
            "give_view": handles.give_view,
            "give_typed": handles.give_typed,
            "encode": lambda value: encode_results(handles, value),
        }
        self._handles = handles
        self._cuda_names: dict[str, Any] | None = None  # what differs in an adapter that makes CUDA tensors
        self._default_names: dict[
            str, Any
        ] = {}  # and in one whose result has the default type, if that is CUDA
        self._older_names: dict[str, Any] | None = None  # and in one with a CudaTensor among its arguments
        self._by_default: list[dict[str, Any]] = []  # the names that such adapters know

    def enable_cuda(self, generator: Generator, older: bool) -> None:
        """From now on there are CUDA tensors, whose random numbers come from this generator.

        ``older``: indices and masks that come of CudaTensors are CudaTensors too, as until November 2016.
        """
        handles = self._handles
        self.has_cuda = True

        def encode(value: Any) -> tuple[Any, ...]:
            label_fresh(handles, value)
            return encode_results(handles, value)

        def give(tensor: torch.Tensor) -> int:
            return handles.give_typed(types.label(tensor, default_type_of(tensor)))

        def give_view(tensor: torch.Tensor) -> int:
            return handles.give_typed_view(types.label(tensor, default_type_of(tensor)))

        self._cuda_names = {
            "give_tensor": handles.give_cuda,
            "give_view": handles.give_cuda_view,
            "encode": encode,
            "GENERATOR": generator,
        }
        if older:
            self._older_names = {
                "give_tensor": lambda tensor: handles.give_cuda(_as_floats(tensor)),
                "encode": lambda value: encode(_all_as_floats(value)),
            }
        self._default_names = {"give_tensor": give, "give_view": give_view}

    def follow_default(self, cuda: bool) -> None:
        """Let adapters whose result has the default type create CUDA tensors, or no longer."""
        for names in self._by_default:
            names.update({n: self._names[n] for n in self._default_names})
            if cuda:
                names.update(self._default_names)

    def _names_for(self, case: Case, kinds: list[int], cuda: bool) -> dict[str, Any]:
        """The namespace of an adapter's generated code."""
        names = dict(self._names, function=case.function, inplace=case.inplace)
        if self._cuda_names is not None and (cuda or any(kind >= types.CUDA for kind in kinds)):
            names.update(self._cuda_names)
            if self._older_names is not None and types.CUDA_FLOAT.code in kinds:
                names.update(self._older_names)
        elif not any(is_tensor(k) or is_storage(k) for k in kinds) and not case.returns_type_of_code:
            self._by_default.append(names)
            if self._cuda_names is not None and state.current().default_type.is_cuda:
                names.update(self._default_names)
        return names


def _as_floats(tensor: torch.Tensor) -> torch.Tensor:
    """Convert indices and masks to the type of a CudaTensor."""
    return tensor.float() if tensor.dtype in (torch.int64, torch.uint8) else tensor


def _all_as_floats(value: Any) -> Any:
    """``_as_floats`` for the results of an operation, a tuple if there are several."""
    if isinstance(value, tuple):
        return tuple(map(_all_as_floats, value))
    return _as_floats(value) if isinstance(value, torch.Tensor) else value


def loops() -> list[list[Any]]:
    """The operations' element expressions for Lua, a row a case.

    Name; what it is called with (``none``, ``number``, ``tensor``, ``reversed``: the number first; ``fold`` where
    the result is a number); expression; whether the method changes its receiver; whether the function does.
    """
    entries: list[list[Any]] = []
    for operation in operations.values():
        for case in operation.cases:
            if case.loop:
                kinds = [parameter.kind for parameter in case.parameters if not parameter.optional]
                shape = "fold" if case.returns == "value" else _LOOPS[tuple(k == "real" for k in kinds)]
                in_place = operation.form is Form.INPLACE
                entries.append(
                    [operation.name, shape, case.loop, in_place or operation.form is Form.UPDATE, in_place]
                )
    return entries


_LOOPS = {(False,): "none", (False, True): "number", (False, False): "tensor", (True, False): "reversed"}


def encode_results(handles: Handles, value: Any) -> tuple[Any, ...]:
    """Encode results for Lua: a bit mask of those that are handles, then the values."""
    if handles.within_cuda:
        label_fresh(handles, value)
    values = value if isinstance(value, tuple) else (value,)
    mask, encoded, codes = 0, [], handles.codes
    for position, item in enumerate(values):
        handle = codes.get(id(item))
        if handle is not None:  # Lua holds it, and so no other object has this id
            handles.extra[handle] = handles.extra.get(handle, 0) + 1
        else:
            kind = kind_of(item)
            if kind is None:
                encoded.append(item)
                continue
            handle = handles.give_tensor(item) if kind < Kind.STORAGE else handles.give(item, kind)
        mask |= 1 << position
        encoded.append(handle)
    return (mask, *encoded)


def label_fresh(handles: Handles, value: Any) -> None:
    """Label tensors that Lua does not hold yet, alone or in tables, as CUDA tensors."""
    if isinstance(value, torch.Tensor):
        if id(value) not in handles.codes and getattr(value, "torch7_type", None) is None:
            types.label_all(value)
    elif isinstance(value, (list, tuple)):
        for item in value:
            label_fresh(handles, item)
    elif isinstance(value, dict):
        for item in value.values():
            label_fresh(handles, item)


def default_type_of(tensor: torch.Tensor) -> types.NumberType:
    """The Torch7 type of a new tensor of the default type, or of a type unrelated to it."""
    default = state.current().default_type
    return default if tensor.dtype == default.dtype else types.BY_DTYPE[tensor.dtype]


def kind_of(value: Any) -> int | None:
    """The handle kind of a Python object; None if it is passed by value (numbers, strings, nil)."""
    if isinstance(value, torch.Tensor):
        return Kind.TENSOR + types.of(value).code
    if value is None or isinstance(value, (bool, int, float, str)):
        return None
    if isinstance(value, memory.Storage):
        return Kind.STORAGE + value.type.code
    if isinstance(value, torch.nn.Module):
        return Kind.MODULE
    if isinstance(value, (list, dict, Table)):
        return Kind.TABLE
    return Kind.OBJECT


assert max(Kind) < STEP
