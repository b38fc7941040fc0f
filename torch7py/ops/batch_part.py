"""Where a part of a batch lies in the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["BatchPart"]


@dataclass(frozen=True)
class BatchPart:
    """Which part of a batch the program computes just now: ``length`` of ``total``, from ``start``, along ``axis``."""

    axis: int
    start: int
    length: int
    total: int

    def batch_axis(self, shape: Sequence[int]) -> tuple[int, int] | None:
        """The axis of a tensor of the part along which the batch lies, and how many elements an example has there.

        Rows may have been merged with what follows them, as ``nn.View`` does. None where no axis fits.
        """
        if self.axis < len(shape) and shape[self.axis] == self.length:
            return self.axis, 1
        if self.axis == 0 and shape and shape[0] and shape[0] % self.length == 0:
            return 0, shape[0] // self.length
        for axis, size in enumerate(shape):
            if size == self.length:
                return axis, 1
        return None
