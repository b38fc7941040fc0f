"""Conversion of file names between Lua's bytes and Python's text."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["from_file_name", "to_file_name"]


def to_file_name(value: Any) -> Any:
    """An argument for Python: a string of bytes, one a character, as a file name; other values unchanged."""
    return os.fsdecode(value.encode("latin1")) if isinstance(value, str) else value


def from_file_name(value: Any) -> Any:
    """A result for Lua: file names as their bytes, also in lists and tuples."""
    if isinstance(value, str):
        return os.fsencode(value).decode("latin1")
    if isinstance(value, (list, tuple)):
        return type(value)(map(from_file_name, value))
    return value
