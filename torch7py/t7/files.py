"""Whole files in and out (``torch7py.load`` and ``torch7py.save``, which are documented in torch7py/files.py)."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

from torch7py.ops.atomic_file import NewFile
from torch7py.ops.files import DiskFile, MappedFile
from torch7py.t7.errors import T7Error
from torch7py.t7.layers import revive
from torch7py.t7.reader import Reader
from torch7py.t7.sniff import Layout, describe, layouts
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

    A T7Error says what the file looks like where none does. ``opened`` is the class of the open file. A pipe is read
    to its end first.
    """
    with _regular(path) as regular_path:
        return _read(regular_path, os.fspath(path), parse, use, format, opened)


@contextmanager
def _regular(path: str | os.PathLike[str]) -> Iterator[str | os.PathLike[str]]:
    """A file that can be read more than once: the file itself, or a copy of what comes out of a pipe."""
    mode = os.stat(path).st_mode
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        yield path
        return
    with open(path, "rb") as source, tempfile.NamedTemporaryFile(prefix="torch7py-") as copy:
        shutil.copyfileobj(source, copy)
        copy.flush()
        yield copy.name


def _read(
    path: str | os.PathLike[str],
    name: str,
    parse: Callable[[DiskFile, Layout], P],
    use: Callable[[P], R],
    format: ReadForm | None,
    opened: type[DiskFile],
) -> R:
    with open(path, "rb") as raw:
        head = raw.read(512)
    failures: list[T7Error] = []
    parsed_layouts: list[tuple[int, P]] = []
    for layout in layouts(head, format):
        file = opened(path, "r")
        try:
            file.binary = layout.binary
            if layout.binary:
                file.set_order(layout.little)
                file.set_long_size(layout.long_size)
            parsed = parse(file, layout)
            left = file.remaining() or 0
        except T7Error as error:
            failures.append(error)
            continue
        finally:
            file.close()
        parsed_layouts.append((left, parsed))
        if not left:
            break
    if not parsed_layouts:
        # The right layout is the one that got furthest.
        furthest = max(failures, key=lambda error: -1 if error.offset is None else error.offset)
        raise furthest.about(name, describe(head)) from None
    try:
        # Longs of the wrong size may make sense too, but what is read with them seldom ends where the file does.
        return use(min(parsed_layouts, key=lambda pair: pair[0])[1])
    except T7Error as error:
        raise error.about(name, describe(head)) from error


def load(
    path: str | os.PathLike[str],
    *,
    format: ReadForm | None = None,
    referenced: bool = True,
    encoding: str = "latin1",
    mmap: bool = False,
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
