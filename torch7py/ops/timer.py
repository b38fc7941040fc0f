"""Time and threads: torch.Timer, tic and toc, setnumthreads."""

from __future__ import annotations

import inspect
import os
import time
from dataclasses import dataclass, field

import torch

from torch7py.ops.errors import ArgumentError
from torch7py.ops.registry import Form, operation, torch_class

__all__ = ["Timer", "Times"]


@dataclass(frozen=True)
class Times:
    """Seconds of the wall clock, and of processor time of this process: in user code and in the system."""

    real: float
    user: float
    sys: float

    @classmethod
    def now(cls) -> Times:
        process = os.times()
        return cls(time.time(), process.user, process.system)

    def __add__(self, other: Times) -> Times:
        return Times(self.real + other.real, self.user + other.user, self.sys + other.sys)

    def __sub__(self, other: Times) -> Times:
        return Times(self.real - other.real, self.user - other.user, self.sys - other.sys)


@torch_class("torch.Timer")
@dataclass(eq=False)
class Timer:
    """``torch.Timer()``: a stopwatch that runs from the start.

    ``total`` is what was counted until the last stop, ``started`` when it was started since, None while it is
    stopped.
    """

    total: Times = Times(0.0, 0.0, 0.0)
    started: Times | None = field(default_factory=Times.now)

    def time(self) -> Times:
        """The time counted so far (``timer:time()``, a table of ``real``, ``user`` and ``sys``)."""
        return self.total if self.started is None else self.total + (Times.now() - self.started)

    def stop(self) -> None:
        """Stop counting until it is resumed (``timer:stop()``)."""
        self.total, self.started = self.time(), None

    def resume(self) -> None:
        """Go on counting after a stop (``timer:resume()``)."""
        if self.started is None:
            self.started = Times.now()

    def reset(self) -> None:
        """Forget the time counted; a running timer runs on, a stopped one stays stopped (``timer:reset()``)."""
        self.total = Times(0.0, 0.0, 0.0)
        if self.started is not None:
            self.started = Times.now()


def _timer(value: object) -> Timer:
    if not isinstance(value, Timer):
        raise ArgumentError("an object of another class where a torch.Timer is expected")
    return value


operation(
    "torch.Timer.new", "", Form.FUNCTION, returns="object", about="A stopwatch that runs from the start."
)(Timer)
for _name, _method in (("reset", Timer.reset), ("stop", Timer.stop), ("resume", Timer.resume)):
    operation(
        f"torch.Timer.{_name}",
        "timer:object",
        Form.METHOD,
        returns="self",
        about=inspect.getdoc(_method) or "",
    )(lambda timer, method=_method: method(_timer(timer)))


@operation("torch.Timer.time", "timer:object", Form.METHOD, returns="object")
def _time(timer: object) -> dict[str, float]:
    """The seconds counted so far, as a table: ``real`` by the clock, ``user`` and ``sys`` of this process's work."""
    times = _timer(timer).time()
    return {"real": times.real, "user": times.user, "sys": times.sys}


@operation("torch.Timer.__tostring", "timer:object", Form.METHOD, returns="value")
def _text(timer: object) -> str:
    """The class and whether the timer runs."""
    return f"torch.Timer [status: {'stopped' if _timer(timer).started is None else 'running'}]"


operation("tic", "", Form.FUNCTION, returns="value", about="The time now, in seconds, for ``toc``.")(
    time.time
)
operation("toc", "start:number", Form.FUNCTION, returns="value", about="The seconds since a ``tic``.")(
    lambda start: time.time() - start
)
operation(
    "getnumthreads", "", Form.FUNCTION, returns="value", about="How many threads an operation may use."
)(torch.get_num_threads)
operation("getnumcores", "", Form.FUNCTION, returns="value", about="How many processors the machine has.")(
    lambda: os.cpu_count() or 1
)


@operation("setnumthreads", "n:int", Form.FUNCTION, returns="value")
def _set_threads(n: int) -> None:
    """``torch.setnumthreads(n)``: how many threads an operation may use."""
    if n > 0:
        torch.set_num_threads(n)
