"""The mutexes and conditions that the Lua states of the package threads share, by number.

What the thread of the caller alone could do, it does not wait for: that is an error. So it is where the jobs of a pool
are done in turn, all in one thread.
"""

from __future__ import annotations

import itertools
import threading
from contextlib import suppress

from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.ops.support import restricted, unsupported
from torch7py.packages.registry import function

__all__: list[str] = []

_numbers = itertools.count(1)


class _Mutex:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner: int | None = None

    def lock(self) -> None:
        this = threading.get_ident()
        if self._owner == this:
            raise TorchError("this mutex is locked already: the thread would wait for ever")
        state.wait_until(lambda seconds: self._lock.acquire(timeout=seconds))
        self._owner = this

    def unlock(self) -> None:
        self._owner = None
        with suppress(RuntimeError):  # it is not locked
            self._lock.release()


_mutexes: dict[int, _Mutex] = {}
_conditions: dict[int, threading.Event] = {}  # set: signalled since it was last waited for


def _mutex(number: int) -> _Mutex:
    mutex = _mutexes.get(number)
    if mutex is None:
        raise TorchError("this mutex has been freed")
    return mutex


def _condition(number: int) -> threading.Event:
    condition = _conditions.get(number)
    if condition is None:
        raise TorchError("this condition has been freed")
    return condition


@function("threads._mutex_new")
def mutex_new() -> int:
    number = next(_numbers)
    _mutexes[number] = _Mutex()
    return number


@function("threads._mutex_known")
def mutex_known(number: int) -> bool:
    return number in _mutexes


@function("threads._mutex_lock")
def mutex_lock(number: int) -> None:
    _mutex(number).lock()


@function("threads._mutex_unlock")
def mutex_unlock(number: int) -> None:
    _mutex(number).unlock()


@function("threads._condition_new")
def condition_new() -> int:
    number = next(_numbers)
    _conditions[number] = threading.Event()
    return number


@function("threads._condition_known")
def condition_known(number: int) -> bool:
    return number in _conditions


@function("threads._condition_signal")
def condition_signal(number: int) -> None:
    _condition(number).set()


@function("threads._condition_wait")
def condition_wait(number: int, alone: bool) -> bool:
    """Wait until the condition has been signalled since it was last waited for. ``alone``: nobody could do so now."""
    condition = _condition(number)
    if not alone:
        state.wait_until(condition.wait)
    signalled = condition.is_set()
    condition.clear()
    return signalled


@function("threads._free")
def free(number: int) -> None:
    _mutexes.pop(number, None)
    _conditions.pop(number, None)


restricted(
    "threads.Threads",
    "results come in the order in which jobs were begun, whichever was done first; jobs are done one after the other "
    "where several processes run the program, where a tool watches it, and with --pools in-turn",
)
restricted("threads.Condition", "a signal that nobody waits for is kept for the next who does")
restricted("threads.Mutex", "locking it twice in one thread is an error")
restricted(
    "threads.sharedserialize",
    "shares tensors, storages and counters; each thread has a copy of a tds.Hash or tds.Vec, which cannot be changed. "
    "What a job resizes, others must not use before its result has been taken",
)
unsupported("threads.AtomicCounter", "it is tds.AtomicCounter")
