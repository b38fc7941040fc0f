"""``torch.DiskFile``: numbers, storages of them and texts in a file, as text or as they lie in memory."""

from __future__ import annotations

import os
import re
import sys
from functools import partial
from typing import IO, Any

import torch

from torch7py.translate.page_library.tensors import DTYPES
from torch7py.translate.page_library.values import Storage


class DiskFile:
    """A file of numbers. ``readInt()`` gives a number, ``readInt(n)`` a vector; ``writeInt`` takes either."""

    def __init__(self, path: str, mode: str = "r", quiet: bool = False) -> None:
        if mode not in ("r", "w", "rw"):
            raise TypeError(f"a file in the mode {mode}")
        exists = mode == "rw" and os.path.exists(path)
        self.file: IO[bytes] = open(  # noqa: SIM115
            path, {"r": "rb", "w": "wb"}.get(mode, "r+b" if exists else "w+b")
        )
        self.is_text = True
        self.is_quiet, self.failed = bool(quiet), False
        self.order = sys.byteorder

    def __getattr__(self, name: str) -> Any:
        kind = DTYPES.get(name.removeprefix("read").removeprefix("write"))
        if kind is None or not name.startswith(("read", "write")):
            raise AttributeError(name)
        return partial(self._read if name.startswith("read") else self._write, kind)

    def _fail(self, what: str) -> None:
        self.failed = True
        if not self.is_quiet:
            raise RuntimeError(f"read error: {what}")

    def _read(self, dtype: torch.dtype, count: Any = None) -> Any:
        wanted = 1 if count is None else int(count)
        values = (self._words if self.is_text else self._bytes)(dtype, wanted)
        if len(values) < wanted:
            self._fail(f"read {len(values)} blocks instead of {wanted}")
        if count is not None:
            return values.as_subclass(Storage)
        return values[0].item() if len(values) else 0

    def _bytes(self, dtype: torch.dtype, count: int) -> torch.Tensor:
        size = torch.empty(0, dtype=dtype).element_size()
        data = self.file.read(count * size)
        data = data[: len(data) // size * size]
        if self.order != sys.byteorder:
            data = b"".join(data[at : at + size][::-1] for at in range(0, len(data), size))
        return torch.frombuffer(bytearray(data), dtype=dtype) if data else torch.empty(0, dtype=dtype)

    def _words(self, dtype: torch.dtype, count: int) -> torch.Tensor:
        if dtype in (torch.uint8, torch.int8):  # letters
            values = self._bytes(dtype, count)
        else:
            words = [word for _ in range(count) if (word := self._word())]
            values = torch.tensor(
                [float(w) if dtype.is_floating_point else int(w) for w in words], dtype=dtype
            )
        if count and self.file.read(1) not in (b"\n", b""):  # the end of the line belongs to them
            self.file.seek(-1, os.SEEK_CUR)
        return values

    def _word(self) -> bytes:
        while (letter := self.file.read(1)).isspace():
            pass
        word = b""
        while letter and not letter.isspace():
            word, letter = word + letter, self.file.read(1)
        if letter:
            self.file.seek(-1, os.SEEK_CUR)
        return word

    def _write(self, dtype: torch.dtype, values: Any) -> int:
        vector = torch.as_tensor(values, dtype=dtype).flatten()
        if not self.is_text or dtype in (torch.uint8, torch.int8):
            data = vector.numpy()
            self.file.write((data if self.order == sys.byteorder else data.byteswap()).tobytes())
        else:
            form = {torch.float32: "%.9g", torch.float64: "%.17g"}.get(dtype, "%d")
            self.file.write(" ".join(form % value for value in vector.tolist()).encode())
        if self.is_text:
            self.file.write(b"\n")
        return len(vector)

    def readString(self, form: str) -> str:
        if not re.match(r"\*?[al]", form):
            raise TypeError(f"readString of {form}")
        if "a" in form:
            return self.file.read().decode()
        line = self.file.readline()
        if not line:
            self._fail("read 0 blocks instead of 1")
        return line.decode().removesuffix("\n")

    def writeString(self, text: str) -> int:
        return self.file.write(text.encode())

    def seek(self, position: Any) -> DiskFile:
        self.file.seek(int(position) - 1)
        return self

    def seekEnd(self) -> DiskFile:
        self.file.seek(0, os.SEEK_END)
        return self

    def position(self) -> int:
        return self.file.tell() + 1

    def synchronize(self) -> DiskFile:
        self.file.flush()
        return self

    def close(self) -> None:
        self.file.close()

    def hasError(self) -> bool:
        return self.failed

    def _set(self, **settings: Any) -> DiskFile:
        vars(self).update(settings)
        return self

    def clearError(self) -> DiskFile:
        return self._set(failed=False)

    def quiet(self) -> DiskFile:
        return self._set(is_quiet=True)

    def pedantic(self) -> DiskFile:
        return self._set(is_quiet=False)

    def ascii(self) -> DiskFile:
        return self._set(is_text=True)

    def binary(self) -> DiskFile:
        return self._set(is_text=False)

    def littleEndianEncoding(self) -> DiskFile:
        return self._set(order="little")

    def bigEndianEncoding(self) -> DiskFile:
        return self._set(order="big")

    def nativeEndianEncoding(self) -> DiskFile:
        return self._set(order=sys.byteorder)
