"""A limit of time for what runs in the main thread, in Lua or in Python."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

__all__ = ["Limit"]

PATIENCE = 5.0  # seconds in which an interrupt is to be taken before the next one
MOST = 3  # interrupts


class Limit:
    """Interrupts a ``with`` block after some seconds, as Ctrl-C would; ``over`` says whether it has.

    ``give_up`` is called, in another thread, where the block does not take several interrupts.
    """

    def __init__(self, seconds: float, give_up: Callable[[], None] = lambda: None) -> None:
        self.seconds, self.give_up = seconds, give_up
        self.over = False

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        done = threading.Event()
        lock = threading.Lock()

        def watch() -> None:
            if done.wait(self.seconds):
                return
            for _ in range(MOST):
                with lock:
                    if done.is_set():
                        return
                    self.over = True
                    os.kill(os.getpid(), signal.SIGINT)
                if done.wait(PATIENCE):
                    return
            self.give_up()

        thread = threading.Thread(target=watch, name="torch7py-limit", daemon=True)
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        thread.start()
        try:
            yield
        finally:
            with lock:  # after this no further interrupt comes
                done.set()
            with contextlib.suppress(KeyboardInterrupt):  # one that is on its way
                time.sleep(0)
            signal.signal(signal.SIGINT, before)
