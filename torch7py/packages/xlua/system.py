"""The functions of xlua that ask the operating system; ``xlua.lua`` has the others."""

from __future__ import annotations

import os
import shutil
import sys

from torch7py.packages.registry import function

__all__ = ["columns"]


@function("xlua._columns")
def columns() -> int:
    """The width of the terminal, or 80 without a terminal."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None and stream.isatty() and "COLUMNS" not in os.environ:
            return os.get_terminal_size(stream.fileno()).columns or 80
    return shutil.get_terminal_size().columns
