"""The coroutine library: each coroutine is a thread, of which one runs at a time."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import Any

from torch7py.lua_compat.arguments import MISSING, a_function
from torch7py.lua_compat.errors import CAUGHT, LuaError, fail, thrown
from torch7py.lua_compat.values import Behaviour, Library, behaviours, call, multi

__all__ = ["Coroutine", "coroutines"]


preparations: list[Callable[[], None]] = []
"""What has to be done first in the thread of a coroutine."""


class _Killed(BaseException):
    """Ends the thread of a coroutine that nobody will resume."""


class Coroutine:
    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.status = "suspended"
        self.thread: threading.Thread | None = None
        self.wake = threading.Semaphore(0)  # for the coroutine
        self.done = threading.Semaphore(0)  # for whoever resumed it
        self.passed: tuple[Any, ...] = ()
        self.error: BaseException | None = None
        self.killed = False

    def run(self) -> None:
        for prepare in preparations:
            prepare()
        self.wake.acquire()
        try:
            if not self.killed:
                self.passed = multi(call(self.function, *self.passed))
        except _Killed:
            return
        except BaseException as error:  # noqa: BLE001  (carried over to the thread that resumed)
            self.error = error
        self.status = "dead"
        self.done.release()

    def resume(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        if self.status != "suspended":
            raise LuaError(f"cannot resume {'dead' if self.status == 'dead' else 'non-suspended'} coroutine")
        global _running
        before = _running
        if before is not None:
            before.status = "normal"
        self.passed, self.status = args, "running"
        if self.thread is None:
            context = contextvars.copy_context()
            self.thread = threading.Thread(target=context.run, args=(self.run,), daemon=True)
            self.thread.start()
        _running = self
        self.wake.release()
        self.done.acquire()
        _running = before
        if before is not None:
            before.status = "running"
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        return self.passed

    def yield_(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        self.passed, self.status = values, "suspended"
        self.done.release()
        self.wake.acquire()
        if self.killed:
            raise _Killed
        return self.passed

    def __del__(self) -> None:
        if self.status == "suspended" and self.thread is not None:
            self.killed = True
            self.wake.release()


_running: Coroutine | None = None


def create(function: Any = MISSING, *_: Any) -> Coroutine:
    return Coroutine(a_function(function, 1, "create"))


def _coroutine(value: Any, name: str) -> Coroutine:
    if not isinstance(value, Coroutine):
        raise fail(f"bad argument #1 to '{name}' (coroutine expected)")
    return value


def resume(co: Any = MISSING, *args: Any) -> tuple[Any, ...]:
    try:
        return (True, *_coroutine(co, "resume").resume(args))
    except CAUGHT as error:
        return False, thrown(error)


def yield_(*values: Any) -> tuple[Any, ...]:
    if _running is None:
        raise LuaError("attempt to yield across C-call boundary")
    return _running.yield_(values)


def wrap(function: Any = MISSING, *_: Any) -> Callable[..., Any]:
    coroutine = Coroutine(a_function(function, 1, "wrap"))

    def resumed(*args: Any) -> tuple[Any, ...]:
        return coroutine.resume(args)

    return resumed


def status(co: Any = MISSING, *_: Any) -> str:
    return _coroutine(co, "status").status


def running(*_: Any) -> Any:
    return _running


def isyieldable(*_: Any) -> bool:
    return _running is not None


coroutines = Library(
    {
        "create": create,
        "isyieldable": isyieldable,
        "resume": resume,
        "running": running,
        "status": status,
        "wrap": wrap,
        "yield": yield_,
    }
)


class Threads(Behaviour):
    kind = "thread"


behaviours[Coroutine] = Threads()
