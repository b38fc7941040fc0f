"""Numbers in a text file: read as by C's scanf, written as by printf, a line for every value."""

from __future__ import annotations

import struct

import torch

from torch7py.ops import types
from torch7py.ops.files.binary import CODES
from torch7py.ops.files.encoding import (
    NUMBER,
    SPACE,
    as_bytes,
    format_number,
    format_numbers,
    parse_number,
    parse_numbers,
    to_vector,
)
from torch7py.ops.files.stream import PIECE, Stream
from torch7py.ops.types import NumberType

__all__ = ["TextNumbers"]

DOUBLE = types.BY_NAME["Double"]


class TextNumbers(Stream):
    """A stream with the numbers of a text."""

    def _read_text(self, number_type: NumberType, count: int) -> torch.Tensor:
        if number_type.size == 1:
            data = bytearray(self.take(count))
            empty = torch.empty(0, dtype=number_type.dtype)
            result = torch.frombuffer(data, dtype=number_type.dtype).clone() if data else empty
        else:
            self._skip_space()
            line = self._read_line_of_numbers(number_type, count)
            if line is not None:
                return line
            result = self._read_words(number_type, count)
        if count > 0:
            self.skip_spacing()
        return result

    def _skip_space(self) -> None:
        while True:
            match = SPACE.match(self._buffer, self._at)
            assert match is not None
            self._at = match.end()
            if self._at < len(self._buffer) or self._fill(1) == 0:
                return

    def _find_line(self) -> int | None:
        """Have the rest of this line in the buffer; where it ends, None if the file ends first."""
        end = self._at
        available = len(self._buffer) - self._at
        while (end := self._buffer.find(b"\n", end)) < 0:
            more = self._fill(2 * available + PIECE)
            end = self._at + available
            if more == available:
                return None
            available = more
        return end

    def _read_line_of_numbers(self, number_type: NumberType, count: int) -> torch.Tensor | None:
        """A line of exactly these numbers and its end, or None and nothing is read."""
        end = self._find_line() if self.auto_spacing and count >= 2 else None
        if end is None or end - self._at < 2 * count - 1:
            return None
        numbers = torch.empty(count, dtype=number_type.dtype)
        at, done = self._at, 0
        while at < end:  # in pieces: a number as a word takes many times its memory
            cut = self._buffer.find(b" ", at + PIECE, end) if end - at > PIECE else end
            cut = end if cut < 0 else cut
            words = bytes(self._buffer[at:cut]).split(b" ")
            piece = parse_numbers(number_type, words) if done + len(words) <= count else None
            if piece is None:
                return None
            numbers[done : done + len(piece)] = piece
            at, done = cut + 1, done + len(piece)
        if done != count:
            return None
        self._at = end + 1
        return numbers

    def _read_words(self, number_type: NumberType, count: int) -> torch.Tensor:
        values: list[float] = []
        for _ in range(count):
            word = self._read_word(number_type)
            if word is None:
                break
            values.append(parse_number(number_type, word))
        return to_vector(number_type, values)

    def _read_word(self, number_type: NumberType) -> bytes | None:
        self._skip_space()
        window = 64
        while True:
            available = self._fill(window)
            match = NUMBER[number_type.is_floating].match(self._buffer, self._at, self._at + window)
            if match is None:
                return None
            if match.end() - self._at < window or available < window:
                self._at = match.end()
                return match.group()
            window *= 2
            if window > PIECE:
                return None

    def _skip_line_of_numbers(self, count: int) -> bool:
        """Go past a line of exactly so many numbers, which are counted but not parsed; False if it is none."""
        self._skip_space()
        end = self._find_line() if count >= 2 else None
        if end is None or self._buffer.count(b" ", self._at, end) != count - 1:
            return False
        self._at = end + 1
        return True

    def _write_text_number(self, number_type: NumberType, value: float) -> None:
        value = number_type.cast(value)
        if number_type.is_floating and number_type is not DOUBLE:
            code = CODES[number_type.name]
            value = struct.unpack(code, struct.pack(code, value))[0]
        end = b"\n" if self.auto_spacing else b""
        if number_type.size == 1:
            self.put(bytes([int(value) & 255]) + end)
        else:
            self.put(format_number(number_type, value).encode("ascii") + end)

    def _write_text(self, number_type: NumberType, values: torch.Tensor) -> None:
        if not len(values):
            return
        if number_type.size == 1:
            self._put(as_bytes(values))
        else:
            self._put(format_numbers(number_type, values, " " if self.auto_spacing else ""))
        if self.auto_spacing:
            self._put(b"\n")
