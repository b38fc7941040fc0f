"""``torch.MemoryFile``, as programs copy modules by it."""

from __future__ import annotations

import copy
from typing import Any

from torch7py.translate.page_library.layers import Object
from torch7py.translate.page_library.module_methods import clone_object


class MemoryFile:
    """Objects that are written one after the other. Whoever reads one gets a copy."""

    def __init__(self, source: Any = "w", _: Any = None) -> None:
        self.contents: list[Any] = source.contents if isinstance(source, MemoryFile) else []
        self.position = 0

    def binary(self) -> MemoryFile:
        return self

    def ascii(self) -> MemoryFile:
        return self

    def storage(self) -> MemoryFile:
        """The memory, which only another file is made of."""
        return self

    # Torch7's names.

    def writeObject(self, value: Any) -> MemoryFile:
        self.contents.append(clone_object(value) if isinstance(value, Object) else copy.deepcopy(value))
        return self

    def readObject(self) -> Any:
        value = self.contents[self.position]
        self.position += 1
        return clone_object(value) if isinstance(value, Object) else copy.deepcopy(value)

    def seek(self, position: Any) -> MemoryFile:
        if position != 1:
            raise TypeError(f"a place {position} in a memory file")
        self.position = 0
        return self

    def close(self) -> None:
        pass
