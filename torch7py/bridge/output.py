"""What a program prints goes where Python's own ``print`` would, in the order of both, and a failed write is reported.

Where ``sys.stdout`` is the process's own, Lua writes through C's standard output, and each language empties its buffer
before the other runs. Else (a notebook, a test, ``redirect_stdout``) each text is written to ``sys.stdout``.
"""

from __future__ import annotations

import codecs
import ctypes
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

__all__ = ["Streams", "flush", "give_up", "takes_colors"]

LOST = "what was printed could not be written"
STREAMS = {1: "stdout", 2: "stderr"}


class Streams:
    """The two streams of one runtime. ``redirect`` is output.lua's function."""

    def __init__(self) -> None:
        self.redirect: Callable[..., None] | None = None
        self._seen: dict[int, Any] = {}  # the streams as they were when they were last looked at
        self._direct = {1: True, 2: True}
        decoder = codecs.getincrementaldecoder("utf-8")
        self._clean = (object(), object())  # the streams that need no more than to be emptied
        self._decoders = {number: decoder("replace") for number in STREAMS}

    def into_lua(self) -> None:
        """Python hands over to Lua."""
        out, error = sys.stdout, sys.stderr
        if self._clean == (out, error) and not out.closed and not error.closed:
            out.flush()
            error.flush()
            return
        for number, name in STREAMS.items():
            stream = getattr(sys, name)
            if number not in self._seen or stream is not self._seen[number]:
                self._look(number, stream)
            if self._direct[number] and stream is not None and not stream.closed:
                stream.flush()
        self._clean = (out, error) if all(self._direct.values()) and out and error else (object(), object())

    def into_python(self) -> None:
        """Lua hands over to Python."""
        if self._direct[1] and self.redirect is not None:
            self.redirect(0)

    def _look(self, number: int, stream: Any) -> None:
        try:
            direct = stream is None or stream.fileno() == number
        except (OSError, ValueError, AttributeError):
            direct = False
        self._seen[number] = stream
        if direct != self._direct[number]:
            self._direct[number] = direct
            assert self.redirect is not None
            self.redirect(number, not direct)

    def write(self, number: int, text: str) -> None:
        """Write bytes of Lua's, one character each."""
        stream = getattr(sys, STREAMS[int(number)])
        data = text.encode("latin1")
        buffer = getattr(stream, "buffer", None)
        if buffer is None:
            stream.write(self._decoders[int(number)].decode(data))
        else:
            stream.flush()
            buffer.write(data)

    def flush(self, number: int) -> None:
        getattr(sys, STREAMS[int(number)]).flush()


def flush() -> str | None:
    """Flush what the program printed; returns a message if some of it could not be written, now or earlier.

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
    """Discard what Python still buffers, so that it does not fail again at the end of the process."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def takes_colors(stream: Any) -> bool:
    """Whether to colour what is written to a stream: to a terminal that can, unless NO_COLOR (no-color.org) is set."""
    try:
        terminal = bool(getattr(stream, "isatty", lambda: False)())  # some have no such method
    except ValueError:  # it is closed
        return False
    return terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
