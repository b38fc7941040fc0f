"""Settings of a process that has a program to itself: threads that wait, freed memory, and the depth of C's stack."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
from collections.abc import Iterator

__all__ = ["deepen_stack", "keep_freed_memory", "load_libraries", "wait_passively"]

# mallopt's parameters, as glibc's malloc.h numbers them.
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3

KEPT = 1 << 30  # bytes that are kept at most
STACK = 112 << 20  # bytes
MAPPED = 32 << 20  # blocks below so many bytes are kept: the most that glibc takes


def wait_passively() -> None:
    """Let PyTorch's threads sleep while they wait for work. Must be called before PyTorch is imported.

    By default OpenMP's threads wait in a loop, for a long time where there are no more of them than cores. A program of
    many small operations then spends the time of whole cores on waiting, and on a machine where others compute it waits
    for threads that nobody runs. A policy that the environment sets already stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@contextlib.contextmanager
def load_libraries() -> Iterator[None]:
    """For the length of some imports: nothing of what they load is garbage, so nobody looks for it, then or later.

    PyTorch brings a million objects. A search among them takes a tenth of a second.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


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


def deepen_stack() -> None:
    """Let C's stack take the deepest recursion that Lua's own stack allows.

    A function that calls itself through ``string.gsub`` takes 8 KB of it each time. Lua says "stack overflow" after
    some thousand times, which the usual 8 MB do not hold. The stack of the first thread grows up to the limit of the
    moment.
    """
    if not sys.platform.startswith("linux"):
        return
    import resource

    now, most = resource.getrlimit(resource.RLIMIT_STACK)
    wanted = STACK if most == resource.RLIM_INFINITY else min(STACK, most)
    if now != resource.RLIM_INFINITY and now < wanted:
        resource.setrlimit(resource.RLIMIT_STACK, (wanted, most))
