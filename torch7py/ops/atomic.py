"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from torch7py.ops.files import DiskFile

__all__ = ["NewFile", "replacing"]


@contextmanager
def replacing(name: str | os.PathLike[str]) -> Iterator[str]:
    """The name of an empty file to write, which takes the place of ``name`` when the block ends without an error."""
    target = os.path.realpath(name)
    try:
        permissions = stat.S_IMODE(os.stat(target).st_mode)
    except OSError:
        permissions = _default_permissions()
    folder, own = os.path.split(target)
    handle, temporary = tempfile.mkstemp(prefix=f".{own}.", suffix=os.path.splitext(own)[1], dir=folder)
    os.close(handle)
    try:
        yield temporary
        with open(temporary, "rb+") as written:
            os.fsync(written.fileno())
        os.chmod(temporary, permissions)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


class NewFile(DiskFile):
    """A file written under another name, which takes its own name when it is closed.

    Whoever reads that name finds the old file or all of the new one. ``discard`` leaves the old one. The new file
    gets the old one's permissions. What is no regular file (a device, a pipe) is written as it is.
    """

    def __init__(self, name: str | os.PathLike[str]) -> None:
        self._temporary: str | None = None
        super().__init__(name, "w")

    def _open(self, name: str) -> IO[bytes]:
        self._target = os.path.realpath(name)
        try:
            mode: int | None = os.stat(self._target).st_mode
        except OSError:
            mode = None
        if mode is not None and not stat.S_ISREG(mode):
            return super()._open(name)
        self._permissions = _default_permissions() if mode is None else stat.S_IMODE(mode)
        folder, own = os.path.split(self._target)
        handle, self._temporary = tempfile.mkstemp(prefix=f".{own}.", dir=folder)
        return open(handle, "wb", buffering=0)

    def __del__(self) -> None:
        if getattr(self, "opened", False):
            self.discard()

    def close(self) -> None:
        temporary, self._temporary = self._temporary, None
        if temporary is None:
            super().close()
            return
        try:
            self.sync_to_disk()
            super().close()
            os.chmod(temporary, self._permissions)
            os.replace(temporary, self._target)
        except BaseException:
            os.unlink(temporary)
            raise

    def discard(self) -> None:
        """Close without putting the file in its place."""
        temporary, self._temporary = self._temporary, None
        try:
            super().close()
        finally:
            if temporary is not None:
                os.unlink(temporary)


def _default_permissions() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
