"""Whether a call's arguments fit a signature, and which argument is which parameter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch7py.ops import types
from torch7py.ops.dispatch.kinds import Kind, is_storage, is_tensor
from torch7py.ops.registry import Parameter

__all__ = ["CODE", "SHARED_TYPE", "TENSOR_KINDS", "Slot", "match"]


@dataclass(frozen=True)
class Slot:
    """Where one parameter of the case comes from: an argument, several (sizes), or the default (none)."""

    parameter: Parameter
    arguments: tuple[int, ...]
    kinds: tuple[int, ...]


CODE = {f"{t.name}": t.code for t in types.NUMBER_TYPES}
OLD_CUDA = types.BY_NAME["Cuda"].code
_PLAIN = {
    "real": Kind.NUMBER,
    "number": Kind.NUMBER,
    "int": Kind.NUMBER,
    "index": Kind.NUMBER,
    "bool": Kind.BOOLEAN,
    "string": Kind.STRING,
    "list": Kind.TABLE,
    "generator": Kind.OBJECT,
    "object": Kind.OBJECT,
}
TENSOR_KINDS = frozenset({"T", "F", "like", "any", "Long", "Byte"})
SHARED_TYPE = ("T", "F", "like")  # kinds of parameter that have the number type of the call


def _fits(parameter: Parameter, kind: int, element: int | None) -> bool:
    """Whether an argument of this kind can be the parameter; ``element``: the number type of ``T`` so far."""
    wanted = parameter.kind
    if wanted in SHARED_TYPE:
        fits = is_tensor(kind) and element in (None, kind)
        return fits and (wanted != "F" or types.BY_CODE[kind].is_floating)
    if wanted == "any":
        return is_tensor(kind)
    if wanted in CODE:
        # CUDA tensors take indices and masks of both sorts, and in their own type; until October 2016 there was but
        # one CUDA type
        if kind >= types.CUDA and (element is None or element >= types.CUDA):
            return kind == CODE[wanted] + types.CUDA or (element is not None and kind in (OLD_CUDA, element))
        return kind == CODE[wanted]
    if wanted == "storage":
        return is_storage(kind)
    return kind == _PLAIN[wanted]


def match(
    parameters: Sequence[Parameter], kinds: Sequence[int], offset: int, element: int | None
) -> tuple[list[Slot], int | None] | None:
    """Fit ``kinds`` (the arguments from number ``offset`` on) to the parameters, or None."""
    if not parameters:
        return ([], element) if not kinds else None
    first, rest = parameters[0], parameters[1:]
    if first.kind == "sizes":
        count = 0
        if kinds and kinds[0] == Kind.STORAGE + types.LONG.code:
            count = 1
        else:
            while count < len(kinds) and kinds[count] == Kind.NUMBER:
                count += 1
        if count or first.optional:
            tail = match(rest, kinds[count:], offset + count, element)
            if tail is not None:
                slot = Slot(first, tuple(range(offset, offset + count)), tuple(kinds[:count]))
                return [slot, *tail[0]], tail[1]
        return None
    if kinds and _fits(first, kinds[0], element):
        shared = kinds[0] if first.kind in SHARED_TYPE else element
        tail = match(rest, kinds[1:], offset + 1, shared)
        if tail is not None:
            return [Slot(first, (offset,), (kinds[0],)), *tail[0]], tail[1]
    if first.optional:
        if kinds and kinds[0] == Kind.NIL:
            tail = match(rest, kinds[1:], offset + 1, element)
            if tail is not None:
                return [Slot(first, (), ()), *tail[0]], tail[1]
        tail = match(rest, kinds, offset, element)
        if tail is not None:
            return [Slot(first, (), ()), *tail[0]], tail[1]
    return None
