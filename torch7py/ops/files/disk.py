"""Files of the system, and pipes to and from commands."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from typing import IO, Any

from torch7py.ops import state
from torch7py.ops.files.file import File, parse_mode
from torch7py.ops.files.stream import PIECE
from torch7py.ops.one_writer import by_one, open_for_writing, written

__all__ = ["DiskFile", "PipeFile"]


class DiskFile(File):
    """``torch.DiskFile(name[, mode[, quiet]])``: a file of the system.

    Modes: ``"r"`` to read (the default), ``"w"`` to write it anew, ``"rw"`` for both in what is there. OSError when
    it cannot be opened.
    """

    def __init__(self, name: str | os.PathLike[str], mode: str = "r", quiet: bool = False) -> None:
        readable, writable = parse_mode(mode, ("r", "w", "rw"))
        super().__init__(readable, writable, quiet)
        self.opened = False
        self.name = os.fspath(name)
        self._out = bytearray()
        self._unbuffered = False
        self._collected = False  # closed at no certain moment, by the collector
        self._start(self._open(self.name))
        self.opened = True

    def _start(self, raw: Any) -> None:
        self._raw = raw

    def _open(self, name: str) -> IO[bytes]:
        if not self.readable:
            return open_for_writing(name, lambda path: open(path, "wb", buffering=0))
        if not self.writable:
            return open(name, "rb", buffering=0)
        return open_for_writing(
            name,
            lambda path: open(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b", buffering=0),
            keeps=True,
        )

    def __del__(self) -> None:
        if getattr(self, "opened", False):
            self._collected = True
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
            if self.writable and not self._collected:
                written(self.name)

    def set_native_order(self) -> None:
        self._check_open()
        self._order, self._swapped = "=", False

    def describe(self) -> str:
        status, mode = self._state()
        return f"torch.DiskFile on <{self.name}> [status: {status} -- mode {mode}]"


class PipeFile(DiskFile):
    """``torch.PipeFile(command[, mode[, quiet]])``: reads what a shell command prints, or writes its input."""

    _process: subprocess.Popen[bytes] | None

    def __init__(self, name: str, mode: str = "r", quiet: bool = False) -> None:
        parse_mode(mode, ("r", "w"))
        super().__init__(name, mode, quiet)

    def _open(self, name: str) -> IO[bytes]:
        group = state.current().group
        if group is not None and (self.readable or not group.acts):
            return self._of_first(name)
        piped: dict[str, Any] = {"stdout" if self.readable else "stdin": subprocess.PIPE}
        sys.stdout.flush()
        self._process = subprocess.Popen(name, shell=True, bufsize=0, **piped)
        stream = self._process.stdout if self.readable else self._process.stdin
        assert stream is not None
        return stream

    def _of_first(self, command: str) -> IO[bytes]:
        """What the command prints, read to its end by the first of several processes; the others write to nobody."""
        self._process = None
        stream = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  (it is this file's, which closes it)
        if self.readable:
            run = by_one(
                lambda: subprocess.run(command, shell=True, stdout=subprocess.PIPE, check=False).stdout
            )
            stream.write(run())
            stream.seek(0)
        return stream

    def remaining(self) -> int | None:
        return None

    def known_position(self) -> int | None:
        return None

    def _write(self, data: bytes | bytearray | memoryview) -> None:
        try:
            super()._write(data)
        except BrokenPipeError:
            self._fail("write error: the command no longer reads")

    def close(self) -> None:
        super().close()
        if self._process is not None:
            self._process.wait()

    def describe(self) -> str:
        status, mode = self._state()
        return f"torch.PipeFile on <{self.name}> [status: {status} -- mode: {mode}]"
