"""C's memory allocator, set for a program that makes and drops large tensors all the time."""

from __future__ import annotations

import ctypes
import sys

__all__ = ["keep_freed_memory"]

# mallopt's parameters, as glibc's malloc.h numbers them.
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3

KEPT = 1 << 30  # bytes that are kept at most
MAPPED = 32 << 20  # blocks below so many bytes are kept: the most that glibc takes


def keep_freed_memory() -> None:
    """Let freed memory of up to 1 GB stay with the process instead of going back to the system at once.

    A layer's result takes the place of the last one, and the next call asks for as much again. By glibc's defaults
    much of that goes to the system and back, which clears every page: a training step of char-rnn in float took 1.9
    times as long. Elsewhere than on glibc this does nothing.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_TRIM_THRESHOLD, KEPT)
        mallopt(M_MMAP_THRESHOLD, MAPPED)
