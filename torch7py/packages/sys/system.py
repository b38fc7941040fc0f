"""The functions of sys that ask the operating system; ``sys.lua`` has the others."""

from __future__ import annotations

import time

from torch7py.packages.registry import function

__all__ = ["clock", "usleep"]


@function("sys.clock")
def clock() -> float:
    """``sys.clock()``: seconds since 1970, to the microsecond."""
    return time.time()


@function("sys.usleep")
def usleep(microseconds: float = 1) -> int:
    """``sys.usleep(n)``: wait for n microseconds."""
    time.sleep(max(microseconds, 0) / 1e6)
    return 1
