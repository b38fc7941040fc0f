"""Whole files in and out (``torch7py.load`` and ``torch7py.save``, which are documented in torch7py/files.py)."""

from __future__ import annotations

import contextlib
import os
import struct
from typing import Any, Literal

from torch7py.ops.atomic import NewFile
from torch7py.ops.files import DiskFile
from torch7py.t7 import format as t7
from torch7py.t7.errors import T7Error
from torch7py.t7.layers import revive
from torch7py.t7.reader import Reader
from torch7py.t7.writer import Writer

__all__ = ["Form", "ReadForm", "load", "save"]

Form = Literal["binary", "ascii"]
ReadForm = Literal["binary", "ascii", "b32", "b64"]


def load(
    path: str | os.PathLike[str],
    *,
    format: ReadForm | None = None,
    referenced: bool = True,
    encoding: str = "latin1",
) -> Any:
    """``torch7py.load``, with the layers that have been imported so far."""
    with open(path, "rb") as file:
        head = file.read(64)
    binary, little = _look(head) if format is None else (format != "ascii", True)
    sizes = {"b32": (4,), "b64": (8,)}.get(format or "", (8, 4) if binary and format is None else (8,))
    try:
        return _read(path, binary, little, sizes[0], referenced, encoding)
    except T7Error as error:
        failure = error
    if len(sizes) > 1:
        with contextlib.suppress(T7Error):
            return _read(path, binary, little, sizes[1], referenced, encoding)
    hint = _what_it_is(head)
    if hint is not None:
        raise T7Error(f"{os.fspath(path)} is no .t7 file: it looks like {hint} ({failure})", failure.offset)
    raise failure


def _read(
    path: str | os.PathLike[str], binary: bool, little: bool, long_size: int, referenced: bool, encoding: str
) -> Any:
    file = DiskFile(path, "r")
    try:
        file.binary = binary
        if binary:
            file.set_order(little)
            file.set_long_size(long_size)
        reader = Reader(file, referenced=referenced, encoding=encoding)
        return revive(reader.read(), reader)
    finally:
        file.close()


def _look(head: bytes) -> tuple[bool, bool]:
    """Whether a file is binary, and in which order its bytes stand, by how it begins."""
    if len(head) >= 4:
        for little, code in ((True, "<i"), (False, ">i")):
            if t7.NIL <= struct.unpack_from(code, head)[0] <= t7.RECURSIVE_FUNCTION:
                return True, little
    return not head[:1].isdigit(), True


_SIGNS = (
    (b"PK\x03\x04", "a zip file (PyTorch's .pt, perhaps)"),
    (b"\x80\x02", "a Python pickle"),
    (b"\x80\x03", "a Python pickle"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
    (b"\x1f\x8b", "a gzip file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a numpy file"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"version https://git-lfs", "a git-lfs pointer, not the file it points to"),
    (b"\x1bLJ", "compiled Lua"),
    (b"\x1bLua", "compiled Lua"),
)


def _what_it_is(head: bytes) -> str | None:
    """What a file that is no ``.t7`` looks like instead."""
    for sign, name in _SIGNS:
        if head.startswith(sign):
            return name
    start = head.lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<?xml")):
        return "a web page"
    if not head:
        return "an empty file"
    if (
        len(head) > 4
        and all(32 <= byte < 127 or byte in b"\t\r\n" for byte in head)
        and not head[:1].isdigit()
    ):
        return "a text"
    return None


def save(
    obj: Any,
    path: str | os.PathLike[str],
    *,
    format: Form = "binary",
    referenced: bool = True,
    encoding: str = "latin1",
) -> None:
    """``torch7py.save``."""
    if format not in ("binary", "ascii"):
        raise T7Error(f"format must be 'binary' or 'ascii', not {format!r}")
    file = NewFile(path)
    try:
        file.binary = format == "binary"
        file.set_order(True)
        Writer(file, referenced=referenced, encoding=encoding).write(obj)
    except BaseException:
        file.discard()
        raise
    file.close()
