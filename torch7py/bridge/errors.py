"""Errors on their way between Lua and Python.

A Python exception below a Lua call becomes a Lua error string ``file.lua:LINE: message``; what Lua throws, a string or
any other value, becomes a ``LuaError``, which is the same Lua value again when it is back in Lua. What no Lua
program may catch (KeyboardInterrupt, SystemExit) passes through Lua's ``pcall`` unseen.
"""

from __future__ import annotations

from typing import Protocol

from torch7py.ops.errors import Torch7Error

__all__ = ["LuaError", "LuaSyntaxError", "RuntimeClosed"]


class _Reference(Protocol):
    number: int

    def runtime(self) -> object: ...


class LuaError(Torch7Error):
    """A Lua program failed. ``message`` is one line with file and line, ``traceback`` the Lua stack.

    ``thrown`` is the value that was thrown, for as long as the program may still get it back.
    """

    def __init__(self, message: str, traceback: str = "", thrown: _Reference | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.traceback = traceback
        self.thrown = thrown

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.message, self.traceback)


class LuaSyntaxError(LuaError):
    """The source is not Lua; the message names file and line."""

    def __init__(self, message: str, traceback: str = "", thrown: _Reference | None = None) -> None:
        super().__init__(message, traceback, thrown)
        self.file, self.line, self.reason = _split(message)


def _split(message: str) -> tuple[str, int, str]:
    """File, line and reason of ``file:line: reason``."""
    position, separator, reason = message.partition(": ")
    file, _, line = position.rpartition(":")
    return (file, int(line), reason) if separator and line.isdigit() else ("", 0, message)


class RuntimeClosed(Torch7Error, RuntimeError):
    """A Lua value was used after its runtime had been closed."""
