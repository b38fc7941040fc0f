"""What a program has printed and what became of it: Lua writes through C's standard output, Python through its own."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress

__all__ = ["flush", "give_up"]

LOST = "what was printed could not be written"


def flush() -> str | None:
    """Write out what has been printed. The message for a program of which something is lost, now or before.

    Lua's ``print`` and ``io.write`` do not stop at an error: only C's stream remembers it.
    """
    lost = None
    try:
        sys.stdout.flush()
    except OSError as error:
        lost = f"{LOST}: {error.strerror}"
        give_up()
    return LOST if lost is None and _has_failed() else lost


def _has_failed() -> bool:
    if os.name != "posix":
        return False
    library = ctypes.CDLL(None)
    for name in ("stdout", "__stdoutp"):  # the second on macOS
        with suppress(ValueError):
            stream = ctypes.c_void_p.in_dll(library, name)
            return bool(library.fflush(stream) or library.ferror(stream))
    return False


def give_up() -> None:
    """Have Python not write what it still holds: it would complain again when the process ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
