"""Ctrl-C and closed pipes while a Lua program runs.

A program that Lua or Python executes takes an interrupt at once (``bridge/interrupts.py``). What neither does, an
operation that computes for minutes or a C function that waits, is not interrupted; so a second thread watches: if
an interrupt is not taken within ``PATIENCE`` seconds, it ends the process. A pipe whose reader has gone (``|
head``) ends the process silently, as it ended the original, in place of an exception; programs that the script
starts inherit that too.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from torch7py.cli.failure import INTERRUPTED

__all__ = ["PATIENCE", "script_signals"]

PATIENCE = 1.0
"""Seconds that a running operation has to notice an interrupt; a second Ctrl-C does not wait."""


def _end(endings: Iterable[Callable[[], None]]) -> None:
    """End the process, from whatever thread."""
    for ending in endings:
        ending()
    with suppress(OSError, ValueError):  # a closed or broken stdout must not keep the process alive
        sys.stdout.flush()
    os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED)


def _watch(reading: socket.socket, taken: threading.Event, endings: Iterable[Callable[[], None]]) -> None:
    interrupts = 0
    while numbers := reading.recv(64):
        interrupts += numbers.count(signal.SIGINT)
        if interrupts > 1 or (interrupts == 1 and not taken.wait(PATIENCE)):
            _end(endings)


@contextmanager
def script_signals(endings: Iterable[Callable[[], None]] = ()) -> Iterator[None]:
    """Handle signals as a script wants them inside the ``with`` block (main thread only).

    ``endings`` are called where the process is ended from another thread.
    """
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
        target=_watch, args=(reading, taken, endings), name="torch7py-signals", daemon=True
    )
    watcher.start()
    try:
        yield
    finally:
        if old_pipe is not None:
            signal.signal(signal.SIGPIPE, old_pipe)
        signal.set_wakeup_fd(old_wakeup)
        signal.signal(signal.SIGINT, old_interrupt)
        writing.close()  # the watcher reads the end of the stream
        watcher.join()
        reading.close()
