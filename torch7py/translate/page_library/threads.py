"""Pools of threads, whose jobs a page does in turn: they share all that they use."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable
from typing import Any

import torch

from torch7py.translate.page_library.values import call, call_all


class Pool:
    """``threads.Threads``: ``addjob`` does a job at once, and its end callback waits for ``dojob`` with the results.

    The jobs draw random numbers of their own.
    """

    def __init__(self, count: Any) -> None:
        self.count = int(count)
        self.waiting: deque[tuple[Any, tuple[Any, ...]]] = deque()
        self.by_thread = False  # whether jobs name their thread
        self.state = torch.get_rng_state()

    def done(self, job: Callable[..., Any], *args: Any) -> tuple[Any, ...]:
        """The results of a job."""
        outside = torch.get_rng_state()
        torch.set_rng_state(self.state)
        try:
            return call_all(job, *args)
        finally:
            self.state = torch.get_rng_state()
            torch.set_rng_state(outside)

    def specific(self, flag: Any = None) -> bool:
        if flag is not None:
            self.synchronize()
            self.by_thread = flag
        return self.by_thread

    def addjob(self, *args: Any) -> None:
        job, *others = args[1:] if self.by_thread else args
        while not self.acceptsjob():
            self.dojob()
        self.waiting.append(((*others, None)[0], self.done(job, *others[1:])))

    def acceptsjob(self, *_: Any) -> bool:
        return len(self.waiting) < 3 * self.count  # as many wait, run and are done

    def hasjob(self) -> bool:
        return bool(self.waiting)

    def haserror(self) -> bool:
        return False  # an error is raised where it occurs

    def dojob(self) -> None:
        callback, results = self.waiting.popleft()
        if callback is not None:
            call(callback, *results)

    def synchronize(self) -> None:
        while self.waiting:
            self.dojob()

    terminate = synchronize


def threads(count: Any, *starts: Callable[..., Any]) -> tuple[Pool, list[list[Any]]]:
    """``threads.Threads(count, start, ...)``: a pool, and what the last of these functions gave in each thread.

    All jobs share what the functions set, so each is called once, as that of thread 1.
    """
    pool = Pool(count)
    results: tuple[Any, ...] = ()
    for start in starts:
        results = pool.done(start, 1)
    return pool, [[*results] for _ in range(pool.count)]


MUTEX_NUMBERS = itertools.count(1)


class Mutex:
    """``threads.Mutex``, for which no job waits, as they are done in turn."""

    def __init__(self, number: Any = None) -> None:
        self.number = next(MUTEX_NUMBERS) if number is None else number

    def id(self) -> Any:
        return self.number

    def lock(self) -> None:
        """No other job runs."""

    unlock = free = lock


def safe(function: Callable[..., Any], _: Any = None) -> Callable[..., Any]:
    """``threads.safe(f)``: no two jobs run at a time."""
    return function
