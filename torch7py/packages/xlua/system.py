"""What Torch7's xlua package asks of the system; the rest of it is strings and closures, in Lua."""

from __future__ import annotations

import os
import shutil
import sys

from torch7py.packages.registry import function

__all__ = ["columns"]


@function("xlua._columns")
def columns() -> int:
    """The width of the terminal, 80 where there is none."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None and stream.isatty() and "COLUMNS" not in os.environ:
            return os.get_terminal_size(stream.fileno()).columns or 80
    return shutil.get_terminal_size().columns
