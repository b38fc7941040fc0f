"""Ctrl-C and closed pipes while a Lua program runs.

Python handles a signal when it next executes Python code. A Lua loop that the JIT has compiled never does, so
a second thread watches: if an interrupt is not taken within ``PATIENCE`` seconds, it asks Lua for the place
(where Lua can tell, see ``Runtime.take_process``) and ends the process. A pipe whose reader has gone
(``| head``) ends the process silently, as it ended the original, in place of an exception; programs that the
script starts inherit that too.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

__all__ = ["INTERRUPTED", "PATIENCE", "Watch", "script_signals"]

INTERRUPTED = 130
"""The exit code of an interrupted command: 128 and the number of SIGINT."""

PATIENCE = 1.0
"""Seconds that a running operation has to notice an interrupt; a second Ctrl-C does not wait."""


class Watch:
    """The watch over one program. ``lua_can_tell``: SIGPROF makes Lua call ``end`` with the place it is at."""

    def __init__(self) -> None:
        self.lua_can_tell = False

    def end(self, place: str = "") -> None:
        """End the process, from whatever thread."""
        with suppress(OSError, ValueError):  # a closed or broken stdout must not keep the process alive
            sys.stdout.flush()
        os.write(2, f"{place}interrupted\n".encode("utf-8", "replace"))
        os._exit(INTERRUPTED)

    def watch(self, reading: socket.socket, taken: threading.Event) -> None:
        interrupts = 0
        while numbers := reading.recv(64):
            interrupts += numbers.count(signal.SIGINT)
            if interrupts > 1 or (interrupts == 1 and not taken.wait(PATIENCE)):
                if self.lua_can_tell:
                    os.kill(os.getpid(), signal.SIGPROF)
                    time.sleep(PATIENCE)  # not a wait for `taken`: Lua's way out sets that first
                self.end()


@contextmanager
def script_signals() -> Iterator[Watch]:
    """Handle signals as a script wants them inside the ``with`` block (main thread only)."""
    watch = Watch()
    taken = threading.Event()
    reading, writing = socket.socketpair()
    writing.setblocking(False)

    def take(number: int, frame: FrameType | None) -> None:
        taken.set()
        raise KeyboardInterrupt

    old_interrupt = signal.signal(signal.SIGINT, take)
    old_wakeup = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    old_pipe = signal.signal(signal.SIGPIPE, signal.SIG_DFL) if hasattr(signal, "SIGPIPE") else None
    watcher = threading.Thread(
        target=watch.watch, args=(reading, taken), name="torch7py-signals", daemon=True
    )
    watcher.start()
    try:
        yield watch
    finally:
        if old_pipe is not None:
            signal.signal(signal.SIGPIPE, old_pipe)
        signal.set_wakeup_fd(old_wakeup)
        signal.signal(signal.SIGINT, old_interrupt)
        writing.close()  # the watcher reads the end of the stream
        watcher.join()
        reading.close()
