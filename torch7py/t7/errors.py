"""What goes wrong with a ``.t7`` file."""

from __future__ import annotations

from torch7py.ops.errors import TorchError

__all__ = ["T7Error"]


class T7Error(TorchError):
    """A file that is no ``.t7`` file or a damaged one, an object that cannot be saved or used.

    ``offset`` is the place in the file, in bytes from its start, where there is one; ``problem`` is what is wrong
    there.
    """

    def __init__(self, problem: str, offset: int | None = None) -> None:
        super().__init__(problem if offset is None else f"offset {offset}: {problem}")
        self.problem = problem
        self.offset = offset

    def about(self, path: str, verdict: str) -> T7Error:
        """The same, of a file by name, with what that file seems to be."""
        error = T7Error(self.problem, self.offset)
        error.args = (f"{path}: {verdict}; {self}",)
        return error
