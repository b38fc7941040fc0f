"""What an argument of a call is, as one small number."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from torch7py.ops import types

__all__ = ["Kind", "describe", "is_storage", "is_tensor"]


class Kind(enum.IntEnum):
    """What an argument is. 0-7 are tensors and 8-15 storages, by ``NumberType.code``, 32-39 and 40-47 those of CUDA
    types."""

    TENSOR = 0
    STORAGE = 8
    MODULE = 16
    TABLE = 17
    OBJECT = 18
    NIL = 24
    BOOLEAN = 25
    NUMBER = 26
    STRING = 27
    LUA_TABLE = 28
    FUNCTION = 29
    OTHER = 30


_NAMES = {
    Kind.MODULE: "module",
    Kind.TABLE: "table",
    Kind.OBJECT: "object",
    Kind.NIL: "nil",
    Kind.BOOLEAN: "boolean",
    Kind.NUMBER: "number",
    Kind.STRING: "string",
    Kind.LUA_TABLE: "table",
    Kind.FUNCTION: "function",
    Kind.OTHER: "other",
}


def is_tensor(kind: int) -> bool:
    return kind % types.CUDA < Kind.STORAGE


def is_storage(kind: int) -> bool:
    return Kind.STORAGE <= kind % types.CUDA < Kind.MODULE


def describe(kinds: Sequence[int]) -> str:
    """Argument kinds in Torch7's words, for messages: ``(DoubleTensor, number)``."""
    words = []
    for kind in kinds:
        if is_tensor(kind):
            words.append(f"{types.BY_CODE[kind].name}Tensor")
        elif is_storage(kind):
            words.append(f"{types.BY_CODE[kind - Kind.STORAGE].name}Storage")
        else:
            words.append(_NAMES[Kind(kind)])
    return f"({', '.join(words)})"
