"""Names of files, whose bytes a script has and which Python spells as the system does."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["from_file_name", "to_file_name"]


def to_file_name(value: Any) -> Any:
    """An argument as Python has it: a text's bytes, one a character, as a name; what is no text as it is."""
    return os.fsdecode(value.encode("latin1")) if isinstance(value, str) else value


def from_file_name(value: Any) -> Any:
    """A result as a script has it: names as their bytes, also those in lists and tuples."""
    if isinstance(value, str):
        return os.fsencode(value).decode("latin1")
    if isinstance(value, (list, tuple)):
        return type(value)(map(from_file_name, value))
    return value
