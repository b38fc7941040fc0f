"""Files and sources for ``require.lua``: read, patched, never executed here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch7py.bridge import source

__all__ = ["host_functions"]


def read_file(path: str) -> str | None:
    """The bytes of a file, one character each; None when it cannot be read."""
    try:
        return Path(path.encode("latin1").decode("utf-8", "surrogateescape")).read_bytes().decode("latin1")
    except OSError:
        return None


def host_functions() -> dict[str, Callable[..., Any]]:
    return {"read_file": read_file, "patch": source.patch}
