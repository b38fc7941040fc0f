"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["replacement"]


@contextmanager
def replacement(path: str | os.PathLike[str]) -> Iterator[str]:
    """The name of a new file to write, which takes the place of ``path`` when the block ends without an error.

    What is no regular file (a device, a pipe) is named itself. The new file has the old one's permissions.
    """
    target = os.path.realpath(path)
    try:
        mode: int | None = os.stat(target).st_mode
    except OSError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode):
        yield os.fspath(path)
        return
    folder, name = os.path.split(target)
    handle, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder or ".")
    try:
        os.close(handle)
        yield temporary
        os.chmod(temporary, _permissions(mode))
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def _permissions(mode: int | None) -> int:
    if mode is not None:
        return stat.S_IMODE(mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
