"""Files that are replaced atomically: a reader sees the old file or all of the new one.

Where the system can do that (Linux: ``O_TMPFILE``) the new file has no name while it is written, so nothing is left
when the process is killed. Just before it replaces the target it gets a temporary name in the same folder. Elsewhere it
has that name from the start, and is locked as long as its process lives. Temporary names are derived from the target's,
so the next process that writes the target reuses what a killed one has left.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from torch7py.ops.files import DiskFile
from torch7py.ops.one_writer import open_for_writing

if sys.platform != "win32":
    import fcntl

__all__ = ["NewFile", "replacing"]

NAMES = 1000  # processes that may write the same file at once
_TEMPORARY_FILE = getattr(os, "O_TMPFILE", 0)
_NOT_THERE = {errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL, errno.ENOSYS}


def _lock(file: int) -> bool:
    """Lock a file for this process; False when another process has locked it."""
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _is_at(name: str, file: int) -> bool:
    """Whether a name still refers to an open file."""
    try:
        there = os.stat(name)
    except OSError:
        return False
    mine = os.fstat(file)
    return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)


def _names_beside(target: str) -> Iterator[str]:
    folder, name = os.path.split(target)
    ending = os.path.splitext(name)[1]
    for number in range(NAMES):
        yield os.path.join(folder, f".{name[:200]}.new{number or ''}{ending}")


def _take_over(name: str) -> int | None:
    """Open and lock a file left under this name; None when a living process has it, or when it is gone."""
    try:
        file = os.open(name, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return None
    if _lock(file) and _is_at(name, file):
        return file
    os.close(file)
    return None


def _open_beside(target: str) -> tuple[int, str]:
    """A new empty file with a name beside the target's."""
    for name in _names_beside(target):
        try:
            file = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            if sys.platform == "win32" or (left := _take_over(name)) is None:
                continue
            os.ftruncate(left, 0)
            return left, name
        if _lock(file) and _is_at(name, file):
            return file, name
        os.close(file)
    raise FileExistsError(errno.EEXIST, "there are too many unfinished files beside it", target)


def _open_nameless(target: str) -> int | None:
    if not _TEMPORARY_FILE or not os.path.exists("/proc/self/fd"):
        return None
    try:
        file = os.open(os.path.dirname(target) or ".", os.O_RDWR | _TEMPORARY_FILE, 0o600)
    except OSError as error:
        if error.errno in _NOT_THERE:
            return None
        raise
    _lock(file)
    return file


def _link(file: int, name: str) -> bool:
    """Give a nameless file a name; False when another one has it."""
    try:
        # With a directory (which an absolute path does not need) Python follows the link to the file.
        os.link(f"/proc/self/fd/{file}", name, src_dir_fd=file, follow_symlinks=True)
    except FileExistsError:
        return False
    return True


def _name_beside(file: int, target: str) -> str:
    """Give a nameless file a name beside the target's."""
    for name in _names_beside(target):
        if _link(file, name):
            return name
        left = _take_over(name)
        if left is not None:
            os.unlink(name)
            os.close(left)
            if _link(file, name):
                return name
    raise FileExistsError(errno.EEXIST, "there are too many unfinished files beside it", target)


def _permissions_for(target: str) -> int:
    try:
        return stat.S_IMODE(os.stat(target).st_mode)
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


@contextmanager
def replacing(name: str | os.PathLike[str]) -> Iterator[str]:
    """The name of an empty file to write, which replaces ``name`` when the block ends without an error.

    A device or a pipe is not replaced: the contents of the temporary file are written to it.
    """
    target = os.path.realpath(name)
    if os.path.exists(target) and not os.path.isfile(target):
        with tempfile.TemporaryDirectory() as folder:
            elsewhere = os.path.join(folder, os.path.basename(target))
            yield elsewhere
            with open(elsewhere, "rb") as source, open(target, "wb") as out:
                shutil.copyfileobj(source, out)
        return
    permissions = _permissions_for(target)
    file, temporary = _open_beside(target)
    try:
        yield temporary
        with open(temporary, "rb+") as written:
            os.fsync(written.fileno())
        os.chmod(temporary, permissions)
        os.replace(temporary, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    finally:
        os.close(file)


class NewFile(DiskFile):
    """A file that replaces another one when it is closed.

    Until then that name refers to the old file, and ``discard`` keeps it. The new file gets the old one's permissions.
    A device or a pipe is written directly.
    """

    def __init__(self, name: str | os.PathLike[str]) -> None:
        self._target: str | None = None  # the file to replace
        self._temporary: str | None = None
        super().__init__(name, "w")

    def _open(self, name: str) -> IO[bytes]:
        return open_for_writing(
            name, lambda path: self._open_new(path) if path == name else open(path, "wb", buffering=0)
        )

    def _open_new(self, name: str) -> IO[bytes]:
        target = os.path.realpath(name)
        if os.path.exists(target) and not os.path.isfile(target):
            return open(name, "wb", buffering=0)
        self._permissions = _permissions_for(target)
        file = _open_nameless(target)
        if file is None:
            file, self._temporary = _open_beside(target)
        self._target = target
        return open(file, "wb", buffering=0)

    def __del__(self) -> None:
        if getattr(self, "opened", False):
            self._collected = True
            self.discard()

    def close(self) -> None:
        target, self._target = self._target, None
        if target is None:
            super().close()
            return
        try:
            self.sync_to_disk()
            file = self._raw.fileno()
            os.chmod(file if os.chmod in os.supports_fd else str(self._temporary), self._permissions)
            temporary = self._temporary or _name_beside(file, target)
            self._temporary = temporary
            if sys.platform == "win32":
                super().close()
            os.replace(temporary, target)
        except BaseException:
            self._remove()
            raise
        finally:
            if self.opened:
                super().close()

    def discard(self) -> None:
        """Close and delete the new file; the old one stays."""
        try:
            super().close()
        finally:
            if self._target is not None:
                self._remove()

    def _remove(self) -> None:
        if self._temporary is not None:
            with suppress(FileNotFoundError):
                os.unlink(self._temporary)
