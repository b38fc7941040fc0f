"""What a file is, by how it begins: which form of ``.t7``, or what else."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from torch7py.t7 import format as t7

__all__ = ["Layout", "describe", "layouts", "what_else"]


@dataclass(frozen=True)
class Layout:
    """How the numbers of a file stand in it; ``long_size`` is that of its longs, which a text does not have."""

    binary: bool
    little: bool = True
    long_size: int = 8

    def __str__(self) -> str:
        if not self.binary:
            return "text"
        return f"binary, {'little' if self.little else 'big'}-endian, longs of {self.long_size} bytes"


def layouts(head: bytes, format: str | None) -> list[Layout]:
    """The layouts to try, by how a file begins, or by the name of a format.

    Nothing says how long the longs are: it is tried.
    """
    if format == "ascii":
        return [Layout(False)]
    if format is not None:
        return [Layout(True, True, 4 if format == "b32" else 8)]
    order = _order(head)
    if order is None:
        return [Layout(False)] if head[:1].isdigit() else [Layout(True)]
    return [Layout(True, order, 8), Layout(True, order, 4)]


def _order(head: bytes) -> bool | None:
    """Whether a binary file has its bytes in the order little end first; None for a file that is not binary."""
    if len(head) >= 4:
        for little, code in ((True, "<i"), (False, ">i")):
            if t7.NIL <= struct.unpack_from(code, head)[0] <= t7.RECURSIVE_FUNCTION:
                return little
    return None


_SIGNS = (
    (b"PK\x03\x04", "a zip file (PyTorch's .pt, perhaps)"),
    (b"\x80\x02", "a Python pickle"),
    (b"\x80\x03", "a Python pickle"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
    (b"\x1f\x8b", "a gzip file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"7z\xbc\xaf", "a 7-Zip file"),
    (b"Rar!", "a RAR file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"MATLAB 5.0", "a MATLAB file"),
    (b"\x93NUMPY", "a numpy file"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "an SQLite database"),
    (b"version https://git-lfs", "a git-lfs pointer, not the file it points to"),
    (b"\x1bLJ", "compiled Lua"),
    (b"\x1bLua", "compiled Lua"),
    (b"\x7fELF", "a program"),
)


def what_else(head: bytes) -> str | None:
    """What a file is that is no ``.t7``, where that shows."""
    if not head:
        return "an empty file"
    for sign, name in _SIGNS:
        if head.startswith(sign):
            return name
    if head[257:262] == b"ustar":
        return "a tar archive"
    if len(head) > 9 and head[8:9] == b"{" and head[:8][3:] == bytes(5):
        return "a safetensors file"
    start = head.lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<?xml", b"<head", b"<!--")):
        return "a web page"
    if start.startswith((b"{", b"[")) and _is_text(head):
        return "JSON"
    if _is_text(head) and not _begins_with_number(head):
        return "a text"
    return None


def _begins_with_number(head: bytes) -> bool:
    """Whether a text begins like a .t7 file: with the kind of a value on a line of its own."""
    return head[:1].isdigit() and (len(head) == 1 or head[1:2].isspace())


def _is_text(head: bytes) -> bool:
    text = head.decode("utf-8", "ignore")  # the last character may be cut
    return len(text.encode()) > len(head) - 4 and all(c.isprintable() or c in "\t\r\n" for c in text)


def describe(head: bytes) -> str:
    """What to say of a file that could not be read."""
    other = what_else(head)
    if other is not None:
        return f"the file is no .t7 file: it looks like {other}"
    if _begins_with_number(head):
        return "the file begins like a .t7 file of text: it is damaged or cut short"
    order = _order(head)
    if order is not None:
        return f"the file begins like a {'binary' if order else 'big-endian'} .t7 file: it is damaged or cut short"
    shown = " ".join(f"{byte:02x}" for byte in head[:8])
    return f"the file is no .t7 file: it begins with the bytes {shown}"
