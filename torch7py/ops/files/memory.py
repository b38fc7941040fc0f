"""``torch.MemoryFile``: a file in a CharStorage."""

from __future__ import annotations

import torch

from torch7py.ops import types
from torch7py.ops.errors import ArgumentError
from torch7py.ops.files.encoding import as_bytes
from torch7py.ops.files.file import File, parse_mode
from torch7py.ops.memory import Storage

__all__ = ["MemoryFile"]

CHAR = types.BY_NAME["Char"]


class MemoryFile(File):
    """``torch.MemoryFile([storage,] [mode])``: a file in memory, by default to read and write.

    ``storage`` is a CharStorage that ends with a 0, which is not part of the file; it is brought up to date by
    ``storage()``, ``synchronize`` and ``close``.
    """

    def __init__(self, storage: Storage | None = None, mode: str = "rw") -> None:
        readable, writable = parse_mode(mode, ("r", "w", "rw"))
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

    def _let_go(self) -> None:
        """Free the memory: the file may be garbage for long before a collector finds it."""
        self._buffer, self._written = bytearray(), False
        self._storage = Storage.of_size(CHAR, 1, torch.device("cpu"))

    def give_up(self) -> bytes:
        """All bytes of the file, which is not needed any more."""
        content = self.content()
        self._let_go()
        return content

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
        self._let_go()

    def describe(self) -> str:
        status, mode = self._state()
        return f"torch.MemoryFile [status: {status} -- mode: {mode}]"
