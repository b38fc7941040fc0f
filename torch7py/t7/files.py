"""Whole files in and out (``torch7py.load`` and ``torch7py.save``, which are documented in torch7py/files.py)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from torch7py.ops.atomic import NewFile
from torch7py.ops.files import DiskFile, MappedFile
from torch7py.t7.errors import T7Error
from torch7py.t7.kinds import Layout, describe, layouts
from torch7py.t7.layers import revive
from torch7py.t7.reader import Reader
from torch7py.t7.writer import Writer

__all__ = ["Form", "ReadForm", "load", "read_file", "save"]

Form = Literal["binary", "ascii"]
ReadForm = Literal["binary", "ascii", "b32", "b64"]
P = TypeVar("P")
R = TypeVar("R")


def read_file(
    path: str | os.PathLike[str],
    parse: Callable[[DiskFile, Layout], P],
    use: Callable[[P], R],
    format: ReadForm | None = None,
    opened: type[DiskFile] = DiskFile,
) -> R:
    """What ``use`` makes of what ``parse`` reads from a file in the layout that fits it.

    A T7Error says what the file looks like where none does. ``opened`` is the class of the open file.
    """
    with open(path, "rb") as raw:
        head = raw.read(512)
    failures: list[T7Error] = []
    for layout in layouts(head, format):
        file = opened(path, "r")
        try:
            file.binary = layout.binary
            if layout.binary:
                file.set_order(layout.little)
                file.set_long_size(layout.long_size)
            parsed = parse(file, layout)
        except T7Error as error:
            failures.append(error)
            continue
        finally:
            file.close()
        try:
            return use(parsed)
        except T7Error as error:
            raise error.about(os.fspath(path), describe(head)) from error
    # The right layout is the one that got furthest.
    furthest = max(failures, key=lambda error: -1 if error.offset is None else error.offset)
    raise furthest.about(os.fspath(path), describe(head)) from None


def load(
    path: str | os.PathLike[str],
    *,
    format: ReadForm | None = None,
    referenced: bool = True,
    encoding: str = "latin1",
    mmap: bool = True,
) -> Any:
    """``torch7py.load``, with the layers that have been imported so far."""

    def parse(file: DiskFile, layout: Layout) -> tuple[Any, Reader]:
        reader = Reader(file, referenced=referenced, encoding=encoding)
        return reader.read(), reader

    return read_file(path, parse, lambda read: revive(*read), format, MappedFile if mmap else DiskFile)


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
