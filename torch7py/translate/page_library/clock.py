"""Times that are taken, by objects or by one clock of all files of a program."""

from __future__ import annotations

import time

__all__ = ["Timer", "tic", "toc"]


class Timer:
    """``torch.Timer()``: the seconds in which it goes; it does from the beginning."""

    def __init__(self) -> None:
        self.before = 0.0
        self.started: float | None = time.perf_counter()

    def seconds(self) -> float:
        return self.before + (0.0 if self.started is None else time.perf_counter() - self.started)

    def time(self) -> dict[str, float]:
        """The seconds by the clock on the wall, and those of the processor since the program began."""
        of_processor = time.process_time()
        return {"real": self.seconds(), "sys": 0.0, "user": of_processor}

    def reset(self) -> Timer:
        self.before = 0.0
        if self.started is not None:
            self.started = time.perf_counter()
        return self

    def stop(self) -> Timer:
        self.before, self.started = self.seconds(), None
        return self

    def resume(self) -> Timer:
        if self.started is None:
            self.started = time.perf_counter()
        return self


_CLOCK = Timer()


def tic() -> None:
    """``sys.tic()``"""
    _CLOCK.reset()


def toc(is_printed: bool = False) -> float:
    """``sys.toc([print])``: the seconds since ``sys.tic``."""
    seconds = _CLOCK.seconds()
    if is_printed:
        print(seconds)
    return seconds
