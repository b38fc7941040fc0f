"""LuaFileSystem: attributes of files, directories, links."""

from __future__ import annotations

import os
import stat
from typing import Any

from torch7py.ops.errors import ArgumentError
from torch7py.ops.one_writer import by_one
from torch7py.packages.paths.filesystem import Outcome, failure
from torch7py.packages.registry import function

__all__ = ["attributes", "chdir", "currentdir", "link", "mkdir", "rmdir", "symlinkattributes", "touch"]

_MODES = (
    (stat.S_ISREG, "file"),
    (stat.S_ISDIR, "directory"),
    (stat.S_ISLNK, "link"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISFIFO, "named pipe"),
    (stat.S_ISCHR, "char device"),
    (stat.S_ISBLK, "block device"),
)


def _described(status: os.stat_result) -> dict[str, Any]:
    described: dict[str, Any] = {
        "mode": next((word for is_kind, word in _MODES if is_kind(status.st_mode)), "other"),
        "dev": status.st_dev,
        "ino": status.st_ino,
        "nlink": status.st_nlink,
        "uid": status.st_uid,
        "gid": status.st_gid,
        "access": int(status.st_atime),
        "modification": int(status.st_mtime),
        "change": int(status.st_ctime),
        "size": status.st_size,
        "permissions": stat.filemode(status.st_mode)[1:],
    }
    for name, field in (("rdev", "st_rdev"), ("blocks", "st_blocks"), ("blksize", "st_blksize")):
        if hasattr(status, field):  # not on Windows
            described[name] = getattr(status, field)
    return described


def _attributes(path: str, attribute: str | None, *, follow: bool) -> Any:
    try:
        described = _described(os.stat(path, follow_symlinks=follow))
    except OSError as error:
        return None, f"cannot obtain information from file '{path}': {error.strerror}", error.errno
    if attribute is None:
        return described
    if attribute not in described:
        raise ArgumentError(f"invalid attribute name '{attribute}'")
    return described[attribute]


@function("lfs.attributes", filenames=True)
def attributes(path: str, attribute: str | None = None) -> Any:
    """``lfs.attributes(path[, name])``: a table of a file's attributes, or one of them; nil, a message and an error
    number if there is no such file."""
    return _attributes(path, attribute, follow=True)


@function("lfs.symlinkattributes", filenames=True)
def symlinkattributes(path: str, attribute: str | None = None) -> Any:
    """``lfs.symlinkattributes(path[, name])``: the same of a link itself."""
    return _attributes(path, attribute, follow=False)


@function("lfs.currentdir", filenames=True)
def currentdir() -> str:
    """``lfs.currentdir()``: the working directory."""
    return os.getcwd()


@function("lfs.chdir", filenames=True)
def chdir(path: str) -> bool | tuple[None, str]:
    """``lfs.chdir(path)``: go to another working directory."""
    try:
        os.chdir(path)
    except OSError as error:
        return None, f"Unable to change working directory to '{path}'\n{error.strerror}\n"
    return True


def _message(error: OSError) -> tuple[None, str, int]:
    return None, error.strerror or "", error.errno or 0


@function("lfs.mkdir", filenames=True)
@by_one
def mkdir(path: str) -> Outcome:
    """``lfs.mkdir(path)``: make a directory; true, or nil, a message and a number."""
    try:
        os.mkdir(path)
    except OSError as error:
        return _message(error)
    return True


@function("lfs.rmdir", filenames=True)
@by_one
def rmdir(path: str) -> Outcome:
    """``lfs.rmdir(path)``: remove an empty directory."""
    try:
        os.rmdir(path)
    except OSError as error:
        return _message(error)
    return True


@function("lfs.touch", filenames=True)
@by_one
def touch(path: str, access: float | None = None, modification: float | None = None) -> Outcome:
    """``lfs.touch(path[, access[, modification]])``: set a file's times, by default to now."""
    times = None if access is None else (access, access if modification is None else modification)
    try:
        os.utime(path, times)
    except OSError as error:
        return _message(error)
    return True


@function("lfs.link", filenames=True)
@by_one
def link(old: str, new: str, symbolic: bool = False) -> Outcome:
    """``lfs.link(old, new[, symbolic])``: another name for a file."""
    try:
        if symbolic:
            os.symlink(old, new)
        else:
            os.link(old, new)
    except OSError as error:
        return _message(error)
    return True


@function("lfs._names", filenames=True)
def names(path: str) -> list[str] | tuple[None, str, int]:
    """The names in a directory, sorted."""
    try:
        return [".", "..", *sorted(os.listdir(path), key=os.fsencode)]
    except OSError as error:
        return failure(error, f"cannot open {path}")
