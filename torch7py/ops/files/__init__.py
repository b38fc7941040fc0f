"""Torch7's files: numbers, storages and strings, read and written in binary or as text.

``stream`` reads and writes bytes, ``binary`` and ``text`` convert numbers, ``file`` is the common base class.
``disk`` has the files of the system, ``mapped`` those whose numbers are not copied, ``memory`` those in a CharStorage.
Positions count from 0. A failure raises an error, or sets ``has_error`` if the file is quiet.
"""

from __future__ import annotations

from torch7py.ops.files.disk import DiskFile, PipeFile
from torch7py.ops.files.file import File
from torch7py.ops.files.mapped import MappedFile
from torch7py.ops.files.memory import MemoryFile

__all__ = ["DiskFile", "File", "MappedFile", "MemoryFile", "PipeFile"]
