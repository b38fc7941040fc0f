"""The base class of files below ``File``: reading ahead and writing of bytes, and the settings of a file."""

from __future__ import annotations

from typing import Any

from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.ops.files.encoding import NATIVE_IS_LITTLE

__all__ = ["PIECE", "UNKNOWN", "Stream"]

PIECE = 1 << 16  # bytes read ahead, and written behind
UNKNOWN = 1 << 24  # bytes taken at once from a source of unknown length


class Stream:
    """Bytes in and out.

    Reading goes through ``_buffer`` from ``_at`` on; ``_fill`` brings more into it.
    """

    def __init__(self, readable: bool, writable: bool, quiet: bool) -> None:
        self.readable = readable
        self.writable = writable
        self.quiet = quiet
        self.binary = False
        self.auto_spacing = True
        self.has_error = False
        self.long_size = 0
        self.opened = True
        self.attached: dict[str, Any] = {}  # what others keep as long as the file
        self._buffer: bytes | bytearray = b""
        self._at = 0
        self._order = "="  # of bytes, as struct has it
        self._swapped = False

    # -- the source and the sink --------------------------------------------------------------------------

    def _fill(self, count: int) -> int:
        """Have this many bytes in the buffer behind ``_at`` if there are as many; returns how many there are."""
        return len(self._buffer) - self._at

    def _read_into(self, target: memoryview) -> int:
        """Fill memory with the bytes to come; returns how many there were."""
        count = min(self._fill(len(target)), len(target))
        target[:count] = self._buffer[self._at : self._at + count]
        self._at += count
        return count

    def _put(self, data: bytes | memoryview) -> None:
        raise NotImplementedError

    def remaining(self) -> int | None:
        """The bytes left to read, None in a pipe, where it is unknown."""
        return self._fill(0)

    def position(self) -> int:
        raise NotImplementedError

    def known_position(self) -> int | None:
        """The position for error messages; None in a pipe, which has none."""
        return self.position()

    def seek(self, position: int) -> None:
        raise NotImplementedError

    def seek_end(self) -> None:
        raise NotImplementedError

    def synchronize(self) -> None:
        """Have what was written arrive."""
        self._check_open()

    def close(self) -> None:
        self._check_open()
        self.opened = False
        self._buffer, self._at = b"", 0

    # -- settings -----------------------------------------------------------------------------------------

    def set_order(self, little: bool) -> None:
        """The order of the bytes of a binary number."""
        self._check_open()
        self._order = "<" if little else ">"
        self._swapped = little != NATIVE_IS_LITTLE

    def set_long_size(self, size: int) -> None:
        """Longs have 4 or 8 bytes in a binary file; 0 stands for this machine's 8."""
        self._check_open()
        if size not in (0, 4, 8):
            raise ArgumentError(f"longSize: a long has 4 or 8 bytes (0 for this machine's), not {size}")
        self.long_size = size

    # -- checks -------------------------------------------------------------------------------------------

    def _check_open(self) -> None:
        if not self.opened:
            raise TorchError("attempt to use a closed file")

    def _check_read(self) -> None:
        self._check_open()
        if not self.readable:
            raise TorchError("attempt to read in a write-only file")

    def _check_write(self) -> None:
        self._check_open()
        if not self.writable:
            raise TorchError("attempt to write in a read-only file")

    def _fail(self, message: str) -> None:
        self.has_error = True
        if not self.quiet:
            raise TorchError(message)

    # -- bytes --------------------------------------------------------------------------------------------

    def take(self, count: int) -> bytes:
        """The next bytes, fewer at the end; nothing is allocated for bytes that are not there."""
        if self._fill(min(count, UNKNOWN)) >= count:
            available_data = bytes(self._buffer[self._at : self._at + count])
            self._at += count
            return available_data
        data = bytearray()
        while len(data) < count:
            available = min(self._fill(min(count - len(data), UNKNOWN)), count - len(data))
            if available == 0:
                break
            data += self._buffer[self._at : self._at + available]
            self._at += available
        return bytes(data)

    def put(self, data: bytes | memoryview) -> None:
        self._check_write()
        self._put(data)

    def skip_spacing(self) -> None:
        """Go past the end of line that a text has behind a value."""
        if self.auto_spacing and self._fill(1) and self._buffer[self._at] == 10:
            self._at += 1

    def put_spacing(self) -> None:
        """Write the end of line that a text has behind a value."""
        if self.auto_spacing:
            self._put(b"\n")

    def skip(self, count: int) -> None:
        """Go past this many bytes, which the file must have."""
        self._check_read()
        if len(self._buffer) - self._at >= count:
            self._at += count
            return
        left = self.remaining()
        if left is None or left < count:
            self._fail(f"read error: {left} bytes are left, not {count}")
        else:
            self.seek(self.position() + count)
