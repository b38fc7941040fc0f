"""Names of files, and the files and directories under them. Names are those of a Unix, with slashes."""

from __future__ import annotations

import atexit
import contextlib
import os
import platform
import shutil
import sys
import tempfile
import uuid
from typing import Any

from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.ops.one_writer import by_one
from torch7py.ops.rounding import format_number
from torch7py.packages.registry import function

__all__ = ["basename", "concat", "cwd", "dirname", "dirp", "extname", "filep", "listing", "mkdir", "rmdir"]

Outcome = bool | tuple[None, str, int]  # true, or nil, an error message and the system's error number


def _name(value: Any, number: int, where: str) -> str:
    """An argument that is a name; a number is one too, as everywhere in Lua."""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return format_number("%.14g", value)
    kind = "nil" if value is None else "boolean" if isinstance(value, bool) else "table or object"
    raise ArgumentError(f"bad argument #{number} to '{where}' (string expected, got {kind})")


def failure(error: OSError, name: str) -> tuple[None, str, int]:
    """The results of Lua's functions after an error."""
    return None, f"{name}: {error.strerror}", error.errno or 0


# -- names ----------------------------------------------------------------------------------------------------


@function("paths.cwd", filenames=True)
def cwd() -> str:
    """``paths.cwd()``: the working directory."""
    return os.getcwd().replace(os.sep, "/")


@function("paths.concat", filenames=True)
def concat(*names: Any) -> str:
    """``paths.concat(...)``: the absolute name of a file, each name seen from the one before.

    The first is seen from the working directory; ``.`` and ``..`` are resolved.
    """
    root, parts = "", list[str]()
    for number, value in enumerate((cwd(), *names)):
        name = _name(value, number, "concat")
        drive, rest = os.path.splitdrive(name)
        if drive or rest.startswith("/"):
            root, parts = drive or root, []
        for part in rest.split("/"):
            if part == "..":
                del parts[-1:]
            elif part not in ("", "."):
                parts.append(part)
    return f"{root}/{'/'.join(parts)}"


def _last_slash(name: str) -> int:
    """Where the last slash is that something follows; -1 for none."""
    return name.rstrip("/").rfind("/")


@function("paths.basename", filenames=True)
def basename(name: Any, suffix: str = "") -> str:
    """``paths.basename(name[, suffix])``: the last part of a name, without ``.suffix`` if it ends in that."""
    name = _name(name, 1, "basename")
    base: str = name[_last_slash(name) + 1 :].partition("/")[0]
    suffix = suffix.removeprefix(".")
    if suffix and len(base) > len(suffix):
        base = base.removesuffix("." + suffix)
    return base


@function("paths.dirname", filenames=True)
def dirname(name: Any) -> str:
    """``paths.dirname(name)``: the part of a name before its last component; ``.`` if there is none."""
    name = _name(name, 1, "dirname")
    slash = _last_slash(name)
    if slash < 0:
        return name if name.startswith("/") else "."
    return name[:slash] or "/"


@function("paths.extname", filenames=True)
def extname(name: Any) -> str | tuple[()]:
    """``paths.extname(name)``: the text after the last dot, even one in a directory's name; no value without a dot."""
    _, dot, extension = _name(name, 1, "extname").rpartition(".")
    return extension if dot else ()


# -- files ----------------------------------------------------------------------------------------------------


@function("paths.filep", filenames=True)
def filep(name: Any) -> bool:
    """``paths.filep(name)``: whether there is such a file, and it is not a directory."""
    name = _name(name, 1, "filep")
    return os.path.exists(name) and not os.path.isdir(name)


@function("paths.dirp", filenames=True)
def dirp(name: Any) -> bool:
    """``paths.dirp(name)``: whether there is such a directory."""
    return os.path.isdir(_name(name, 1, "dirp"))


@function("paths.dir", filenames=True)
def listing(name: Any) -> list[str] | None:
    """``paths.dir(name)``: the names in a directory, with ``.`` and ``..``; nil where there is none.

    They are sorted, where the original had them as the file system did.
    """
    try:
        entries = os.listdir(_name(name, 1, "dir"))
    except OSError:
        return None
    return [".", "..", *sorted(entries, key=os.fsencode)]


@function("paths.mkdir", filenames=True)
@by_one
def mkdir(name: Any) -> Outcome:
    """``paths.mkdir(name)``: make a directory and those above it; true, or nil, a message and a number."""
    name = _name(name, 1, "mkdir")
    above = dirname(name)
    if above != name and not os.path.isdir(above):
        mkdir(above)
    try:
        os.mkdir(name)
    except OSError as error:
        return failure(error, name)
    return True


@function("paths.rmdir", filenames=True)
@by_one
def rmdir(name: Any) -> Outcome:
    """``paths.rmdir(name)``: remove an empty directory."""
    name = _name(name, 1, "rmdir")
    try:
        os.rmdir(name)
    except OSError as error:
        return failure(error, name)
    return True


@function("paths.rmall", filenames=True)
@by_one
def rmall(name: Any, more: str | None = None) -> bool | tuple[None, str] | tuple[None, str, Any]:
    """``paths.rmall(name, 'yes')``: remove a file, or a directory with all that is in it."""
    name = _name(name, 1, "rmall")
    if more != "yes":
        return None, "missing second argument ('yes')"
    try:
        if os.path.islink(name) or filep(name):
            os.remove(name)
        elif os.path.isdir(name):
            shutil.rmtree(name)
        else:
            return None, "not a file or directory", name
    except OSError as error:
        return failure(error, error.filename or name)
    return True


@function("paths.tmpname", filenames=True)
@by_one
def tmpname() -> str:
    """``paths.tmpname()``: a name for a temporary file, which is removed when the program ends."""
    name = os.path.join(tempfile.gettempdir(), f"luatmp{uuid.uuid4().hex[:8]}")

    def remove() -> None:
        with contextlib.suppress(OSError):
            os.remove(name)

    atexit.register(remove)
    return name


# -- the system -----------------------------------------------------------------------------------------------


@function("paths.uname")
def uname() -> tuple[str, str, str]:
    """``paths.uname()``: the names of the system (``Linux``, ``Darwin``, ``Windows``), the host, the processor."""
    return platform.system(), platform.node(), platform.machine()


@function("paths.execdir", filenames=True)
def execdir() -> str:
    """``paths.execdir()``: the directory of the program that runs the script."""
    return os.path.dirname(sys.executable)


@function("paths.findprogram", filenames=True)
def findprogram(*names: Any) -> str | None:
    """``paths.findprogram(...)``: the full name of the first program that is on the PATH."""
    for number, value in enumerate(names, 1):
        name = _name(value, number, "findprogram")
        for folder in os.environ.get("PATH", ".").split(os.pathsep):
            path = concat(folder, name)
            if filep(path):
                return path
    return None


@function("paths.getregistryvalue")
def getregistryvalue(*arguments: Any) -> None:
    """``paths.getregistryvalue``: the registry of Windows, which is not supported."""
    raise TorchError("paths.getregistryvalue: the registry of Windows is not supported")
