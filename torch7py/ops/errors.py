"""The errors that operations raise. The bridge adds the Lua file and line to them.

PyTorch is not imported here: the command raises these errors before it is loaded.
"""

from __future__ import annotations

__all__ = ["ArgumentError", "NotKnown", "ProcessLost", "Torch7Error", "TorchError"]


class Torch7Error(Exception):
    """The base of all errors that this package defines."""


class TorchError(Torch7Error):
    """An error of a Torch7 program, described in one line for its author."""


class ArgumentError(TorchError):
    """A call whose arguments fit no form of the function."""


class NotKnown(TorchError):
    """A result that nobody has kept and that cannot be computed any more."""


class ProcessLost(BaseException):
    """Another of the processes that run a program has ended. It passes every pcall: this one cannot go on by itself."""
