"""Gradients of tables, of which a backward touches few rows: the others are known to be zeros.

A buffer that was zeroed and to which only rows were added since then has other numbers than zero in these rows alone.
So ``zeroGradParameters`` clears them and no others, and ``updateParameters`` moves the weights of them and no others:
the numbers are those of the whole pass, to the last bit.

This is known of a buffer only as long as nobody else writes to it. PyTorch's version counter tells of most that do.
What it does not see, writing by a pointer or through another tensor on the same memory, begins with the tensor itself:
it is forgotten for good when a script, or another part of the package, asks for the buffer. Python code of a user's
could have it from ``.grad`` unasked; what is known lasts no longer than a program runs without such code
(``State.run``).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from torch7py.ops import state

__all__ = ["TouchedRows", "accumulate", "converted", "forget", "move", "saves_more", "watch", "zero"]

SHARE = 4  # all rows are touched if those that were named are more than the whole number over this

WORTH = 1 << 17  # numbers: to clear and to subtract them takes as long as to single out some rows
MANY = 1 << 19  # numbers: to clear and to subtract them takes as long as a list of instructions saves


class TouchedRows:
    """What is known of one buffer: since when, and the rows that were added to."""

    __slots__ = ("parts", "run", "version")

    def __init__(self) -> None:
        self.run = self.version = 0
        self.parts: list[torch.Tensor] = []

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        return type(None), ()  # a copy of a tensor, or one read from a file, is another buffer

    def known(self, buffer: torch.Tensor) -> bool:
        run = state.current().run
        return run != 0 and run == self.run and buffer._version == self.version

    def keep(self, buffer: torch.Tensor, parts: list[torch.Tensor]) -> None:
        """All numbers outside of these rows are zeros now."""
        self.run, self.version, self.parts = state.current().run, buffer._version, parts

    def rows(self) -> torch.Tensor:
        return self.parts[0] if len(self.parts) == 1 else torch.cat(self.parts)


def watch(buffer: torch.Tensor) -> None:
    """Keep book of a buffer that nobody else has yet, if it is large enough."""
    if buffer.numel() > WORTH:
        buffer.torch7_rows = TouchedRows()  # type: ignore[attr-defined]


def forget(buffer: torch.Tensor | None) -> None:
    """Somebody gets the buffer, and may write to it at any time."""
    if buffer is not None and _of(buffer) is not None:
        buffer.torch7_rows = None  # type: ignore[attr-defined]


def saves_more(buffer: torch.Tensor | None) -> bool:
    """Whether what is known of a buffer saves more than a list of instructions would by writing to it by a pointer."""
    return buffer is not None and buffer.numel() > MANY and _of(buffer) is not None


def converted(buffer: torch.Tensor, convert: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """What becomes of a buffer in a conversion, which hands it to nobody."""
    other = convert(buffer)
    if other is not buffer and _of(buffer) is not None:
        watch(other)
    return other


def _of(buffer: torch.Tensor) -> TouchedRows | None:
    return getattr(buffer, "torch7_rows", None)


def zero(buffer: torch.Tensor) -> None:
    """``buffer:zero()``."""
    touched = _of(buffer)
    if touched is None or not touched.known(buffer):
        buffer.zero_()
    elif touched.parts:
        buffer.index_fill_(0, touched.rows(), 0)
    if touched is not None:
        touched.keep(buffer, [])


def accumulate(buffer: torch.Tensor, rows: torch.Tensor, gradient: torch.Tensor, scale: float) -> None:
    """Add ``scale`` times the rows of ``gradient`` to these rows of the buffer."""
    touched = _of(buffer)
    known = touched is not None and touched.known(buffer)
    buffer.index_add_(0, rows, gradient, alpha=scale)
    if touched is not None and known:
        parts = [*touched.parts, rows]
        if SHARE * sum(map(len, parts)) <= len(buffer):
            touched.keep(buffer, parts)


def move(parameter: torch.Tensor, buffer: torch.Tensor, rate: float) -> None:
    """``parameter - rate * buffer``, in place."""
    touched, factor = _of(buffer), -1.0 * rate  # a float: of the whole number 0 there is no -0
    # A row of zeros moves nothing, unless the rate turns -0 into 0 or zeros into NaN.
    if touched is None or not 0 <= rate < math.inf or not touched.known(buffer):
        parameter.add_(buffer, alpha=factor)
    elif touched.parts:
        rows = touched.rows()  # one that is there twice is moved to the same place twice
        parameter.index_copy_(0, rows, parameter[rows].add_(buffer[rows], alpha=factor))
