"""The errors that the ground floor raises. The bridge adds the Lua file and line to them."""

from __future__ import annotations

__all__ = ["ArgumentError", "TorchError"]


class TorchError(Exception):
    """Something a Torch7 program did wrong, said in one line meant for its author."""


class ArgumentError(TorchError):
    """A call whose arguments fit no form of the function."""
