"""Files as Torch7 has them: numbers, storages and strings in and out, binary or as text.

``File`` is what all have in common; ``DiskFile`` and ``PipeFile`` read and write through the system, ``MemoryFile``
in a CharStorage. Positions are 0-based here. A file that fails says so in an error, or when it is quiet in
``has_error``.
"""

from __future__ import annotations

import os
import stat
import struct
import subprocess
import sys
from typing import IO, Any

import numpy as np
import torch

from torch7py.ops import types
from torch7py.ops.encoding import (
    NATIVE_IS_LITTLE,
    NUMBER,
    SPACE,
    as_bytes,
    format_number,
    format_numbers,
    memory_of,
    parse_number,
    parse_numbers,
    swap_bytes,
    to_vector,
)
from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.ops.memory import Storage
from torch7py.ops.types import NumberType

__all__ = ["DiskFile", "File", "MemoryFile", "PipeFile"]

INT, LONG, DOUBLE, CHAR = (types.BY_NAME[name] for name in ("Int", "Long", "Double", "Char"))
_CODES = {
    "Double": "d",
    "Float": "f",
    "Long": "q",
    "Int": "i",
    "Short": "h",
    "Char": "b",
    "Byte": "B",
    "Half": "e",
}
PIECE = 1 << 16  # bytes read ahead, and written behind
UNKNOWN = 1 << 24  # bytes taken at once from a source of unknown length


class File:
    """``torch.File``: the base of all files.

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
        """The bytes left to read, None where nobody knows (a pipe)."""
        return self._fill(0)

    def position(self) -> int:
        raise NotImplementedError

    def place(self) -> int | None:
        """The position for messages, None where there is none (a pipe)."""
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
            data = bytes(self._buffer[self._at : self._at + count])
            self._at += count
            return data
        found = bytearray()
        while len(found) < count:
            available = min(self._fill(min(count - len(found), UNKNOWN)), count - len(found))
            if available == 0:
                break
            found += self._buffer[self._at : self._at + available]
            self._at += available
        return bytes(found)

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

    # -- numbers ------------------------------------------------------------------------------------------

    def _size_of(self, number_type: NumberType) -> int:
        return self.long_size or 8 if number_type is LONG else number_type.size

    def _code_of(self, number_type: NumberType) -> str:
        return "i" if number_type is LONG and self.long_size == 4 else _CODES[number_type.name]

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
        found = self.read_numbers(number_type, 1)
        return found.item() if len(found) else 0

    def read_numbers(self, number_type: NumberType, count: int) -> torch.Tensor:
        """A vector of the next numbers, shorter where a quiet file has no more."""
        self._check_read()
        if count < 0:
            raise ArgumentError(f"cannot read {count} numbers")
        read = self._read_binary if self.binary else self._read_text
        found = read(number_type, count)
        if len(found) != count:
            self._fail(f"read error: read {len(found)} blocks instead of {count}")
        return found

    def _read_binary(self, number_type: NumberType, count: int) -> torch.Tensor:
        size = self._size_of(number_type)
        remaining = self.remaining()
        if remaining is not None:
            count = min(count, remaining // size)
        if remaining is None:
            return self._decode(number_type, self.take(count * size))
        found = torch.empty(count, dtype=number_type.dtype)
        if size == number_type.size:
            if not count:
                return found
            memory = memory_of(found)
            self._read_into(memory)
            if self._swapped:
                np.frombuffer(memory, dtype=f"u{size}").byteswap(inplace=True)
            return found
        step = UNKNOWN // size
        for start in range(0, count, step):
            piece = self._decode(number_type, self.take(min(step, count - start) * size))
            found[start : start + len(piece)] = piece
        return found

    def _decode(self, number_type: NumberType, data: bytes) -> torch.Tensor:
        """Numbers as they stand in a file; what is left of a last one is dropped."""
        size = self._size_of(number_type)
        whole = bytearray(data[: len(data) // size * size])
        if not whole:
            return torch.empty(0, dtype=number_type.dtype)
        if self._swapped:
            whole = bytearray(swap_bytes(whole, size))
        stored = torch.int32 if size != number_type.size else number_type.dtype
        return torch.frombuffer(whole, dtype=stored).to(number_type.dtype, copy=True)

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
        found = torch.empty(count, dtype=number_type.dtype)
        at, done = self._at, 0
        while at < end:  # in pieces: a number as a word takes many times its memory
            cut = self._buffer.find(b" ", at + PIECE, end) if end - at > PIECE else end
            cut = end if cut < 0 else cut
            words = bytes(self._buffer[at:cut]).split(b" ")
            piece = parse_numbers(number_type, words) if done + len(words) <= count else None
            if piece is None:
                return None
            found[done : done + len(piece)] = piece
            at, done = cut + 1, done + len(piece)
        if done != count:
            return None
        self._at = end + 1
        return found

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

    def skip_numbers(self, number_type: NumberType, count: int) -> None:
        """Go past the next numbers; those of a text are counted but not parsed."""
        if self.binary or number_type.size == 1:
            self.skip(count * self._size_of(number_type))
            if not self.binary and count:
                self.skip_spacing()
            return
        self._skip_space()
        end = self._find_line() if count >= 2 else None
        if end is not None and self._buffer.count(b" ", self._at, end) == count - 1:
            self._at = end + 1
        else:
            self.read_numbers(number_type, count)

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

    def write_int(self, value: int) -> None:
        """A whole number that fits."""
        if self.binary:
            self.put(struct.pack(self._order + "i", value))
        else:
            self.put(b"%d\n" % value if self.auto_spacing else b"%d" % value)

    def write_number(self, number_type: NumberType, value: float) -> None:
        """One number, cast to the type as C casts it."""
        if self.binary:
            stored = INT if number_type is LONG and self.long_size == 4 else number_type
            self.put(struct.pack(self._order + _CODES[stored.name], stored.cast(value)))
            return
        value = number_type.cast(value)
        if number_type.is_floating and number_type is not DOUBLE:
            code = _CODES[number_type.name]
            value = struct.unpack(code, struct.pack(code, value))[0]
        end = b"\n" if self.auto_spacing else b""
        if number_type.size == 1:
            self.put(bytes([int(value) & 255]) + end)
        else:
            self.put(format_number(number_type, value).encode("ascii") + end)

    def write_numbers(self, values: torch.Tensor) -> int:
        """The elements of a vector; returns how many."""
        self._check_write()
        number_type = types.of(values)
        if self.binary:
            self._write_binary(number_type, values)
        elif len(values):
            if number_type.size == 1:
                self._put(as_bytes(values))
            else:
                self._put(format_numbers(number_type, values, " " if self.auto_spacing else ""))
            if self.auto_spacing:
                self._put(b"\n")
        return len(values)

    def _write_binary(self, number_type: NumberType, values: torch.Tensor) -> None:
        if number_type is LONG and self.long_size == 4:
            values = values.to(torch.int32)
        data: bytes | memoryview = as_bytes(values)
        if self._swapped:
            data = swap_bytes(data, values.element_size())
        self._put(data)

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


def _mode(mode: str, allowed: tuple[str, ...]) -> tuple[bool, bool]:
    if mode not in allowed:
        quoted = [f"'{m}'" for m in allowed]
        raise ArgumentError(f"file mode should be {', '.join(quoted[:-1])} or {quoted[-1]}")
    return "r" in mode, "w" in mode


class DiskFile(File):
    """``torch.DiskFile(name[, mode[, quiet]])``: a file of the system.

    Modes: ``"r"`` to read (the default), ``"w"`` to write it anew, ``"rw"`` for both in what is there. OSError when
    it cannot be opened.
    """

    def __init__(self, name: str | os.PathLike[str], mode: str = "r", quiet: bool = False) -> None:
        readable, writable = _mode(mode, ("r", "w", "rw"))
        super().__init__(readable, writable, quiet)
        self.opened = False
        self.name = os.fspath(name)
        self._out = bytearray()
        self._unbuffered = False
        self._start(self._open(self.name))
        self.opened = True

    def _start(self, raw: Any) -> None:
        self._raw = raw

    def _open(self, name: str) -> IO[bytes]:
        if not self.readable:
            return open(name, "wb", buffering=0)
        if not self.writable:
            return open(name, "rb", buffering=0)
        return open(os.open(name, os.O_RDWR | os.O_CREAT, 0o666), "r+b", buffering=0)

    def __del__(self) -> None:
        if getattr(self, "opened", False):
            self.close()

    def _fill(self, count: int) -> int:
        available = len(self._buffer) - self._at
        if available < count:
            if self._out:
                self._flush()
            pieces = [bytes(self._buffer[self._at :])]
            while available < count:
                piece = self._raw.read(max(PIECE, count - available))
                if not piece:
                    break
                pieces.append(piece)
                available += len(piece)
            self._buffer, self._at = b"".join(pieces), 0
        return available

    def _read_into(self, target: memoryview) -> int:
        done = min(len(self._buffer) - self._at, len(target))
        target[:done] = self._buffer[self._at : self._at + done]
        self._at += done
        if done < len(target) and self._out:
            self._flush()
        while done < len(target):
            count = self._raw.readinto(target[done:])
            if not count:
                break
            done += count
        return done

    def remaining(self) -> int | None:
        status = os.fstat(self._raw.fileno())
        if not stat.S_ISREG(status.st_mode):
            return None
        return max(0, max(status.st_size, self._raw.tell() + len(self._out)) - self.position())

    def _put(self, data: bytes | memoryview) -> None:
        if len(self._buffer) > self._at:
            self._raw.seek(self.position())
        self._buffer, self._at = b"", 0
        if len(data) < PIECE:
            self._out += data
            if len(self._out) < PIECE and not self._unbuffered:
                return
            data = b""
        self._flush()
        self._write(data)

    def _write(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data)
        try:
            while len(view):
                view = view[self._raw.write(view) :]
        except OSError as error:
            self._fail(f"write error: {error.strerror}, {len(view)} bytes not written")

    def _flush(self) -> None:
        out, self._out = self._out, bytearray()
        self._write(out)

    def position(self) -> int:
        self._check_open()
        try:
            return int(self._raw.tell()) - (len(self._buffer) - self._at) + len(self._out)
        except OSError:
            self._fail("unable to obtain the offset in this file")
            return 0

    def _move(self, position: int, whence: int) -> None:
        self._check_open()
        self._flush()
        self._buffer, self._at = b"", 0
        try:
            self._raw.seek(position, whence)
        except (OSError, OverflowError):
            self._fail(
                "unable to seek at end of file" if whence else f"unable to seek to position {position}"
            )

    def seek(self, position: int) -> None:
        self._move(position, os.SEEK_SET)

    def seek_end(self) -> None:
        self._move(0, os.SEEK_END)

    def synchronize(self) -> None:
        self._check_open()
        self._flush()

    def no_buffer(self) -> None:
        """Write through at once from now on."""
        self.synchronize()
        self._unbuffered = True

    def sync_to_disk(self) -> None:
        """Return when the system says that the data would outlive a power cut."""
        self.synchronize()
        os.fsync(self._raw.fileno())

    def close(self) -> None:
        self._check_open()
        try:
            self._flush()
        finally:
            self._raw.close()
            super().close()

    def set_native_order(self) -> None:
        self._check_open()
        self._order, self._swapped = "=", False

    def describe(self) -> str:
        return f"torch.DiskFile on <{self.name}> [status: {_status(self)} -- mode {_modes(self)}]"


class PipeFile(DiskFile):
    """``torch.PipeFile(command[, mode[, quiet]])``: what a command of the shell prints, or what it is given."""

    def __init__(self, name: str, mode: str = "r", quiet: bool = False) -> None:
        _mode(mode, ("r", "w"))
        super().__init__(name, mode, quiet)

    def _open(self, name: str) -> IO[bytes]:
        piped: dict[str, Any] = {"stdout" if self.readable else "stdin": subprocess.PIPE}
        sys.stdout.flush()
        self._process = subprocess.Popen(name, shell=True, bufsize=0, **piped)
        found = self._process.stdout if self.readable else self._process.stdin
        assert found is not None
        return found

    def remaining(self) -> int | None:
        return None

    def place(self) -> int | None:
        return None

    def _write(self, data: bytes | bytearray | memoryview) -> None:
        try:
            super()._write(data)
        except BrokenPipeError:
            self._fail("write error: the command no longer reads")

    def close(self) -> None:
        super().close()
        self._process.wait()

    def describe(self) -> str:
        return f"torch.PipeFile on <{self.name}> [status: {_status(self)} -- mode: {_modes(self)}]"


class MemoryFile(File):
    """``torch.MemoryFile([storage,] [mode])``: a file in memory, by default to read and write.

    ``storage`` is a CharStorage that ends with a 0, which is not part of the file; it is brought up to date by
    ``storage()``, ``synchronize`` and ``close``.
    """

    def __init__(self, storage: Storage | None = None, mode: str = "rw") -> None:
        readable, writable = _mode(mode, ("r", "w", "rw"))
        super().__init__(readable, writable, False)
        self._buffer: bytearray
        self._written = False
        if storage is None:
            self._storage = Storage.of_size(CHAR, 1, torch.device("cpu"))
            self._buffer = bytearray()
            return
        if storage.type is not CHAR:
            raise ArgumentError(f"a MemoryFile is made on a CharStorage, not on a {storage.type.storage}")
        data = bytearray(as_bytes(storage.tensor()))
        if not data or data[-1] != 0:
            raise ArgumentError("the CharStorage of a MemoryFile must end with a 0")
        del data[-1]
        self._storage, self._buffer = storage, data

    def _put(self, data: bytes | memoryview) -> None:
        self._written = True
        end = self._at + len(data)
        self._buffer[self._at : end] = data
        self._at = end

    def storage(self) -> Storage:
        """The storage with what the file holds, and a 0 behind it."""
        self._check_open()
        if self._written or len(self._storage) != len(self._buffer) + 1:
            self._storage.resize(len(self._buffer) + 1)
            content = torch.frombuffer(self._buffer + b"\0", dtype=torch.int8)
            self._storage.tensor().copy_(content)
            self._written = False
        return self._storage

    def content(self) -> bytes:
        """All bytes of the file."""
        return bytes(self._buffer)

    def position(self) -> int:
        self._check_open()
        return self._at

    def seek(self, position: int) -> None:
        self._check_open()
        if position <= len(self._buffer):
            self._at = position
        else:
            self._fail(f"unable to seek at position {position}")

    def seek_end(self) -> None:
        self._check_open()
        self._at = len(self._buffer)

    def synchronize(self) -> None:
        self._check_open()
        if self._written:
            self.storage()

    def close(self) -> None:
        self.synchronize()
        super().close()

    def describe(self) -> str:
        return f"torch.MemoryFile [status: {_status(self)} -- mode: {_modes(self)}]"


def _status(file: File) -> str:
    return "open" if file.opened else "closed"


def _modes(file: File) -> str:
    return ("r" if file.readable else " ") + ("w" if file.writable else " ")
