"""Calls of operations by handles: adapters look the handles up and encode the results for Lua."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import torch

from torch7py.bridge.handles import STEP, Handles
from torch7py.ops import memory, state, types
from torch7py.ops.dispatch.adapters import Adapters
from torch7py.ops.dispatch.kinds import Kind, is_storage, is_tensor
from torch7py.ops.mersenne import Generator
from torch7py.ops.registry import Case, Operation, operations
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
    """The operations' element expressions for Lua: a row for each way to call one that has any.

    Name; whether it is the method; the arguments as letters, by which the expression names them (``xyz`` tensors,
    ``vw`` numbers, ``o`` what the result is written to); where the result goes (``x`` or ``o``, ``new``: to a new
    tensor, ``byte``: to a new ByteTensor, ``number``: it is one); expression; condition on the numbers. Where the
    expression is empty, Python has a case of its own.
    """
    rows: list[list[Any]] = []
    for operation in operations.values():
        if any(case.loop for case in operation.cases):
            for is_method in (False, True) if operation.has_method else (False,):
                rows += _loops_of(operation, is_method)
    return rows


_NAMES = {
    **dict.fromkeys(("T", "F", "like", "any"), "xyz"),
    **dict.fromkeys(("real", "number", "int", "index"), "vw"),
}


def _loops_of(operation: Operation, is_method: bool) -> Iterator[list[Any]]:
    """The rows of an operation: of the cases that take the same arguments the first one counts, as in ``Adapters``."""
    seen = set()
    for case in operation.cases:
        for outs in Adapters.out_counts(operation.form, is_method, case):
            for letters, left_out in _arguments(case):
                arguments = "o" * max(outs, 0) + letters
                key = tuple(letter in "vw" for letter in arguments)
                if key in seen:
                    continue
                seen.add(key)
                expression, condition = case.loop, case.loop_when
                for letter, value in left_out.items():
                    expression, condition = (
                        re.sub(rf"\b{letter}\b", repr(value), text) for text in (expression, condition)
                    )
                target = (
                    "number" if case.returns == "value" else ("x" if outs < 0 else "o" if outs else "new")
                )
                if case.returns == "Byte":
                    target = "byte" if not outs else ""
                if outs > 1 or (outs > 0 and (case.copies_first or case.gives_last)) or not target:
                    expression = ""
                yield [operation.name, is_method, arguments, target, expression, condition]


def _arguments(case: Case) -> Iterator[tuple[str, dict[str, Any]]]:
    """The ways to give a case's arguments, tensors of one type and numbers, and the defaults of others."""
    optional = [p for p in case.parameters if p.optional]
    for count in range(len(optional) + 1):
        for left_out in itertools.combinations(optional, count):
            names = {"xyz": iter("xyz"), "vw": iter("vw")}
            letters, defaults = "", {}
            for parameter in case.parameters:
                kind = _NAMES.get(parameter.kind)
                letter = next(names[kind], None) if kind else None
                if parameter in left_out:
                    if letter:
                        defaults[letter] = parameter.default
                elif letter:
                    letters += letter
                else:
                    break
            else:
                yield letters, defaults


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
