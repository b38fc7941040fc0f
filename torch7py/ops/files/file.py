"""``torch.File``: the base class of all files."""

from __future__ import annotations

import struct
import sys

import torch

from torch7py.ops import types
from torch7py.ops.errors import ArgumentError
from torch7py.ops.files.binary import BinaryNumbers
from torch7py.ops.files.stream import PIECE
from torch7py.ops.files.text import TextNumbers
from torch7py.ops.types import NumberType

__all__ = ["File", "parse_mode"]

INT = types.BY_NAME["Int"]


class File(BinaryNumbers, TextNumbers):
    """``torch.File``: the base of all files, binary or text as ``binary`` says."""

    # -- numbers ------------------------------------------------------------------------------------------

    def read_int(self) -> int:
        """The next number as an int."""
        if self.binary and self.readable and len(self._buffer) - self._at >= 4:
            value: int = struct.unpack_from(self._order + "i", self._buffer, self._at)[0]
            self._at += 4
            return value
        return int(self.read_number(INT))

    def read_number(self, number_type: NumberType) -> float:
        """One number; 0 where a quiet file has none left."""
        self._check_read()
        if self.binary:
            size = self._size_of(number_type)
            if self._fill(size) >= size:
                code = self._order + self._code_of(number_type)
                value: float = struct.unpack_from(code, self._buffer, self._at)[0]
                self._at += size
                return value
        numbers = self.read_numbers(number_type, 1)
        return numbers.item() if len(numbers) else 0

    def read_numbers(self, number_type: NumberType, count: int) -> torch.Tensor:
        """A vector of the next numbers, shorter where a quiet file has no more."""
        self._check_read()
        if count < 0:
            raise ArgumentError(f"cannot read {count} numbers")
        read = self._read_binary if self.binary else self._read_text
        numbers = read(number_type, count)
        if len(numbers) != count:
            self._fail(f"read error: read {len(numbers)} blocks instead of {count}")
        return numbers

    def skip_numbers(self, number_type: NumberType, count: int) -> None:
        """Go past the next numbers; those of a text are counted but not parsed."""
        self._check_read()
        if self.binary or number_type.size == 1:
            self.skip(count * self._size_of(number_type))
            if not self.binary and count:
                self.skip_spacing()
        elif not self._skip_line_of_numbers(count):
            self.read_numbers(number_type, count)

    def write_int(self, value: int) -> None:
        """A whole number that fits."""
        if self.binary:
            self.put(struct.pack(self._order + "i", value))
        else:
            self.put(b"%d\n" % value if self.auto_spacing else b"%d" % value)

    def write_number(self, number_type: NumberType, value: float) -> None:
        """One number, cast to the type as C casts it."""
        if self.binary:
            self._write_binary_number(number_type, value)
        else:
            self._write_text_number(number_type, value)

    def write_numbers(self, values: torch.Tensor) -> int:
        """The elements of a vector; returns how many."""
        self._check_write()
        write = self._write_binary if self.binary else self._write_text
        write(types.of(values), values)
        return len(values)

    # -- strings ------------------------------------------------------------------------------------------

    def read_string(self, form: str) -> bytes:
        """The next line without its end (``"*l"``), or all that is left (``"*a"``)."""
        self._check_read()
        if form[:2] not in ("*a", "*l"):
            raise ArgumentError("readString: the format must be '*a' or '*l'")
        if self._fill(1) == 0:
            self._fail("read error: read 0 blocks instead of 1")
            return b""
        if form[1] == "a":
            return self.take(sys.maxsize)
        line = bytearray()
        while (available := self._fill(PIECE)) > 0:
            end = self._buffer.find(b"\n", self._at)
            if end >= 0:
                line += self._buffer[self._at : end]
                self._at = end + 1
                break
            line += self._buffer[self._at : self._at + available]
            self._at += available
        return bytes(line)

    def write_string(self, text: bytes) -> int:
        """The bytes and nothing else; returns how many."""
        self.put(text)
        return len(text)

    def _state(self) -> tuple[str, str]:
        """Whether the file is open, and its mode, for ``tostring``."""
        status = "open" if self.opened else "closed"
        return status, ("r" if self.readable else " ") + ("w" if self.writable else " ")


def parse_mode(mode: str, allowed: tuple[str, ...]) -> tuple[bool, bool]:
    """Whether a mode of those allowed reads, and whether it writes."""
    if mode not in allowed:
        quoted = [f"'{m}'" for m in allowed]
        raise ArgumentError(f"file mode should be {', '.join(quoted[:-1])} or {quoted[-1]}")
    return "r" in mode, "w" in mode
