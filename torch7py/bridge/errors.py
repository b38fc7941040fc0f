"""Errors on their way between Lua and Python.

A Python exception below a Lua call becomes a Lua error string ``file.lua:LINE: message``; what Lua throws
(a string or any other value) crosses Python frames as a ``Thrown`` and is the same value again when it is
back in Lua. What leaves the runtime is a ``LuaError``.
"""

from __future__ import annotations

__all__ = ["LuaError", "Thrown"]


class LuaError(Exception):
    """A Lua program failed. ``message`` is one line with file and line, ``traceback`` the Lua stack."""

    def __init__(self, message: str, traceback: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.traceback = traceback


class Thrown(Exception):
    """A Lua error passing through Python; ``number`` is where Lua keeps the value that was thrown."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(text)
        self.number = number
