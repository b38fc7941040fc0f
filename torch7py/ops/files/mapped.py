"""Files mapped to memory, whose numbers are not copied where possible."""

from __future__ import annotations

import mmap

import torch

from torch7py.ops.files.disk import DiskFile
from torch7py.ops.types import NumberType

__all__ = ["MappedFile"]

LARGE = 1 << 18  # bytes: below that a copy is as fast and does not keep the file open


class MappedFile(DiskFile):
    """A file to read, of which large blocks of numbers are mapped to memory, copy-on-write.

    Mapped memory is filled when it is first used; what is written to it stays in this process. The file must not be
    cut while it is used: replace it, as ``NewFile`` does. Numbers in the other byte order, and such as do not lie at
    a multiple of their size, are copied: no processor promises more than that to read them.
    """

    def _read_binary(self, number_type: NumberType, count: int) -> torch.Tensor:
        size = self._size_of(number_type)
        at = self.position()
        left = self.remaining()
        if (
            self._swapped
            or size != number_type.size
            or count * size < LARGE
            or at % size
            or left is None
            or left < count * size
        ):
            return super()._read_binary(number_type, count)
        start = at - at % mmap.ALLOCATIONGRANULARITY
        block = mmap.mmap(
            self._raw.fileno(), at - start + count * size, access=mmap.ACCESS_COPY, offset=start
        )
        self.skip(count * size)
        return torch.frombuffer(block, dtype=number_type.dtype, count=count, offset=at - start)
