"""Files as Torch7 has them: numbers, storages and strings in and out, binary or as text.

``stream`` has the bytes, ``binary`` and ``text`` are how numbers stand among them, ``file`` is what all files have in
common. ``disk`` has the files of the system, ``mapped`` those whose numbers are not copied, ``memory`` those in a
CharStorage. Positions are 0-based here. A file that fails says so in an error, or when it is quiet in ``has_error``.
"""

from __future__ import annotations

from torch7py.ops.files.disk import DiskFile, PipeFile
from torch7py.ops.files.file import File
from torch7py.ops.files.mapped import MappedFile
from torch7py.ops.files.memory import MemoryFile

__all__ = ["DiskFile", "File", "MappedFile", "MemoryFile", "PipeFile"]
