"""Conversion of numbers to and from the bytes of a file: binary in either byte order, or text.

Text is C's: ``%.17g`` for doubles, ``%.9g`` for floats and halves, ``%d`` for whole numbers. Bytes and chars are
written as the bytes they are also in a text.
"""

from __future__ import annotations

import ctypes
import math
import re
import sys
from typing import Any

import numpy as np
import torch

from torch7py.ops.errors import TorchError
from torch7py.ops.types import NumberType

__all__ = [
    "NATIVE_IS_LITTLE",
    "NUMBER",
    "SPACE",
    "as_bytes",
    "format_number",
    "format_numbers",
    "memory_of",
    "parse_number",
    "parse_numbers",
    "swap_bytes",
    "to_vector",
]

SPACE = re.compile(rb"[ \t\n\v\f\r]*")
# What C's scanf takes for a number, a whole one and any.
NUMBER = {
    False: re.compile(rb"[+-]?[0-9]+"),
    True: re.compile(
        rb"[+-]?(?:nan(?:\([0-9a-z_]*\))?|inf(?:inity)?|0x[0-9a-f]+(?:\.[0-9a-f]*)?(?:p[+-]?[0-9]+)?"
        rb"|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?)",
        re.IGNORECASE,
    ),
}


def format_number(number_type: NumberType, value: float) -> str:
    """One number as C's printf writes it for this type."""
    if not number_type.is_floating:
        return str(int(value))
    if value != value:
        return "-nan" if math.copysign(1.0, value) < 0 else "nan"
    return f"{value:.17g}" if number_type.name == "Double" else f"{value:.9g}"


def format_numbers(number_type: NumberType, values: torch.Tensor, separator: str) -> bytes:
    """The elements of a vector as text."""
    listed = values.tolist()
    if number_type.is_floating and any(v != v for v in listed):
        return separator.join(format_number(number_type, v) for v in listed).encode("ascii")
    if not listed:
        return b""
    template = "%d" if not number_type.is_floating else "%.17g" if number_type.name == "Double" else "%.9g"
    return (separator.join([template] * len(listed)) % tuple(listed)).encode("ascii")


def parse_number(number_type: NumberType, text: bytes) -> float:
    """A number from what ``NUMBER`` matched."""
    if not number_type.is_floating:
        return int(text)
    lower = text.lower()
    if b"x" in lower:
        return float.fromhex(lower.decode("ascii"))
    return float(lower.partition(b"(")[0])


def parse_numbers(number_type: NumberType, words: list[bytes]) -> torch.Tensor | None:
    """A vector from words of a text, None when one of them is not a number of this type and nothing else."""
    if any(b"_" in word for word in words):  # Python's idea of a number, not C's
        return None
    try:
        values: Any = list(map(float if number_type.is_floating else int, words))
    except ValueError:
        return None
    return to_vector(number_type, values)


def to_vector(number_type: NumberType, values: list[float]) -> torch.Tensor:
    """Numbers read from text as a vector of their type; whole numbers must fit."""
    if number_type.is_floating:
        return torch.tensor(values, dtype=torch.float64).to(number_type.dtype)
    limits = torch.iinfo(number_type.dtype)
    if values and (min(values) < limits.min or max(values) > limits.max):
        raise TorchError(f"read error: a number does not fit the type {number_type.name}")
    return torch.tensor(values, dtype=number_type.dtype)


def swap_bytes(data: bytes | bytearray | memoryview, size: int) -> bytes:
    """Elements of ``size`` bytes in the other byte order."""
    if size == 1:
        return bytes(data)
    return np.frombuffer(data, dtype=f"u{size}").byteswap().tobytes()


def memory_of(vector: torch.Tensor) -> memoryview:
    """The memory of a contiguous vector on the CPU. numpy's view of it would forbid to resize it ever after."""
    if not vector.numel():
        return memoryview(b"")
    memory: Any = (ctypes.c_ubyte * vector.nbytes).from_address(vector.data_ptr())
    memory.owner = vector
    return memoryview(memory).cast("B")


def as_bytes(vector: torch.Tensor) -> memoryview:
    """The bytes of a vector, without a copy where they are on the CPU already."""
    return memory_of(vector.detach().cpu().contiguous())


NATIVE_IS_LITTLE = sys.byteorder == "little"
