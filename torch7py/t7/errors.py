"""What goes wrong with a ``.t7`` file."""

from __future__ import annotations

from torch7py.ops.errors import TorchError

__all__ = ["T7Error"]


class T7Error(TorchError):
    """A file that is no ``.t7`` file or a damaged one, an object that cannot be saved or used.

    ``offset`` is the place in the file, in bytes from its start, where there is one.
    """

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message if offset is None else f"offset {offset}: {message}")
        self.offset = offset
