"""Threads that run the jobs of Lua states, each those of one state.

Lua runs without Python's lock, and so do PyTorch's operations: jobs and the program use several cores at once
(docs/decisions/2026-11-30-jobs-in-threads.md).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

from torch7py.bridge.interrupts import Interrupts, Target
from torch7py.ops import state

__all__ = ["Worker", "abandoned", "result_of"]

STACK = (
    112 << 20
)  # bytes of C's stack: the deepest recursion that Lua allows (cli/process.py); what is not used costs nothing
PATIENCE = 1.0  # seconds that a job has to notice that it is to end

_starting = threading.Lock()  # the size of stacks is a setting of the process
_abandoned: list[Worker] = []


class Worker:
    """A thread that does what it is given, one thing after the other."""

    def __init__(self, target: Target, process_state: state.State) -> None:
        """``target`` and ``process_state`` belong to the Lua state whose jobs these are."""
        self._target, self._state = target, process_state
        self._work: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=_serve, args=(self._work,), name="torch7py-jobs", daemon=True)
        with _starting:
            before = threading.stack_size(STACK)
            try:
                self._thread.start()
            finally:
                threading.stack_size(before)

    def do(self, job: Callable[[], Any]) -> Future[Any]:
        """Have the thread do this after all that it was given before."""
        future: Future[Any] = Future()
        self._work.put((job, future))
        return future

    def retire(self) -> None:
        """Let the thread end when it has done its work."""
        self._work.put(None)

    def finish(self) -> None:
        """Wait until the thread has done its work, and has ended."""
        self.retire()
        state.wait_until(self._ended)

    def stop(self) -> bool:
        """End the thread, and the job that it runs; whether that was possible. What it has not begun is not done."""
        self._state.stopping = True
        self.retire()
        end = time.monotonic() + PATIENCE
        while not self._ended(0.0):
            if self._target.entries():
                Interrupts.stop(self._target)
            if self._ended(0.05):
                break
            if time.monotonic() > end:
                _abandoned.append(self)
                return False
        return True

    def _ended(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()


def _serve(work: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None]) -> None:
    while (item := work.get()) is not None:
        job, future = item
        try:
            result = job()
        except BaseException as error:  # noqa: BLE001  (it is raised again where the result is taken)
            future.set_exception(error)
        else:
            future.set_result(result)
            del result
        del item, job, future


def result_of(future: Future[Any]) -> Any:
    """The result of a job, or its error. Waits until it has been done."""

    def arrived(seconds: float) -> bool:
        finished.wait(seconds)
        return finished.is_set()

    if not future.done():
        finished = threading.Event()
        future.add_done_callback(lambda _: finished.set())
        state.wait_until(arrived)
    return future.result()


def abandoned() -> bool:
    """Whether there is a thread that could not be ended, so that the process must end at once."""
    return any(not worker._ended(0.0) for worker in _abandoned)
