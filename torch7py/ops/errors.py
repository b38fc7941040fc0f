"""The errors that operations raise. The bridge adds the Lua file and line to them."""

from __future__ import annotations

import re

__all__ = ["ArgumentError", "Torch7Error", "TorchError", "message_of"]


_OUT_OF_MEMORY = re.compile(r"DefaultCPUAllocator: can't allocate memory: you tried to allocate (\d+) bytes")


class Torch7Error(Exception):
    """The base of all errors that this package defines."""


class TorchError(Torch7Error):
    """An error of a Torch7 program, described in one line for its author."""


class ArgumentError(TorchError):
    """A call whose arguments fit no form of the function."""


def message_of(error: BaseException) -> str:
    """An exception in one line for the author of a Lua script."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    text = str(error).strip()
    if isinstance(error, TorchError):
        return text
    first = text.split("\n", 1)[0]
    if isinstance(error, RuntimeError):  # raised by PyTorch
        wanted = _OUT_OF_MEMORY.search(first)
        return f"not enough memory for {wanted[1]} bytes" if wanted else first or "RuntimeError"
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
