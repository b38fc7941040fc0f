"""What Lua prints goes where Python's own ``print`` would, in the order of both.

Where ``sys.stdout`` is the process's own, Lua writes to it by itself, as fast as ever, and the buffers of both
sides are emptied when one hands over to the other. Else (a notebook, a test, ``redirect_stdout``) each text goes to
``sys.stdout``.
"""

from __future__ import annotations

import codecs
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["Streams"]

STREAMS = {1: "stdout", 2: "stderr"}


class Streams:
    """The two streams of one runtime. ``redirect`` is streams.lua's function."""

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
        """Bytes of Lua's, a character each."""
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
