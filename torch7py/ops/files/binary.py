"""Numbers in a binary file: in either byte order, longs of 4 or 8 bytes."""

from __future__ import annotations

import struct

import numpy as np
import torch

from torch7py.ops import types
from torch7py.ops.files.encoding import as_bytes, memory_of, swap_bytes
from torch7py.ops.files.stream import UNKNOWN, Stream
from torch7py.ops.types import NumberType

__all__ = ["CODES", "BinaryNumbers"]

INT, LONG = types.BY_NAME["Int"], types.BY_NAME["Long"]
CODES = {
    "Double": "d",
    "Float": "f",
    "Long": "q",
    "Int": "i",
    "Short": "h",
    "Char": "b",
    "Byte": "B",
    "Half": "e",
}


class BinaryNumbers(Stream):
    """A stream with the numbers of a binary file."""

    def _size_of(self, number_type: NumberType) -> int:
        return self.long_size or 8 if number_type is LONG else number_type.size

    def _code_of(self, number_type: NumberType) -> str:
        return "i" if number_type is LONG and self.long_size == 4 else CODES[number_type.name]

    def _read_binary(self, number_type: NumberType, count: int) -> torch.Tensor:
        size = self._size_of(number_type)
        remaining = self.remaining()
        if remaining is not None:
            count = min(count, remaining // size)
        if remaining is None:
            return self._decode(number_type, self.take(count * size))
        numbers = torch.empty(count, dtype=number_type.dtype)
        if size == number_type.size:
            if not count:
                return numbers
            memory = memory_of(numbers)
            self._read_into(memory)
            if self._swapped:
                np.frombuffer(memory, dtype=f"u{size}").byteswap(inplace=True)
            return numbers
        step = UNKNOWN // size
        for start in range(0, count, step):
            piece = self._decode(number_type, self.take(min(step, count - start) * size))
            numbers[start : start + len(piece)] = piece
        return numbers

    def _decode(self, number_type: NumberType, data: bytes) -> torch.Tensor:
        """Numbers from the bytes of a file; an incomplete last one is dropped."""
        size = self._size_of(number_type)
        whole = bytearray(data[: len(data) // size * size])
        if not whole:
            return torch.empty(0, dtype=number_type.dtype)
        if self._swapped:
            whole = bytearray(swap_bytes(whole, size))
        stored = torch.int32 if size != number_type.size else number_type.dtype
        return torch.frombuffer(whole, dtype=stored).to(number_type.dtype, copy=True)

    def _write_binary_number(self, number_type: NumberType, value: float) -> None:
        stored = INT if number_type is LONG and self.long_size == 4 else number_type
        self.put(struct.pack(self._order + CODES[stored.name], stored.cast(value)))

    def _write_binary(self, number_type: NumberType, values: torch.Tensor) -> None:
        if number_type is LONG and self.long_size == 4:
            values = values.to(torch.int32)
        data: bytes | memoryview = as_bytes(values)
        if self._swapped:
            data = swap_bytes(data, values.element_size())
        self._put(data)
