"""Other Lua states of a program, for the package ``threads``: runtimes with objects and settings of their own.

A state runs the jobs that it is sent, one after the other, in a thread of its own (``workers.py``) or, where there is
a reason against it (``reason_for_turns``), in the program's thread as soon as they are sent; or, where that was asked
for, in a process of its own (``worker_process.py``). Jobs and results are serialized to bytes. After ``share`` a file
holds references to tensors and storages instead of their contents, so that both states work on the same memory.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from torch7py.bridge.dispatch import kind_of
from torch7py.bridge.runtime_interface import RuntimeInterface
from torch7py.bridge.shared_objects import SharingReader, SharingWriter
from torch7py.bridge.worker_process import WorkerProcess, can_fork
from torch7py.bridge.worker_tasks import Job, Setting, Source, Task, perform
from torch7py.bridge.workers import Worker, result_of
from torch7py.ops.errors import TorchError
from torch7py.ops.files import MemoryFile

__all__ = ["reason_for_turns", "state_functions", "stop_states"]

CHUNK = "=[torch7py] threads"
TOGETHER = 16  # a search for garbage, of 50 ms, follows so many closed states


def reason_for_turns(runtime: RuntimeInterface) -> str | None:
    """Why the jobs of this program are done in its own thread, one after the other; None where each state has a thread.

    The one place that decides it.
    """
    if runtime.pools == "in turn":
        return "it was asked for"
    if runtime.state.group is not None:
        return (
            "several processes run the program, and meet where it writes: their jobs must come in one order"
        )
    if runtime.is_watched:
        return "a tool watches the program, and is told of one thing after the other"
    return None


class ThreadState:
    """A Lua state that runs jobs, and its thread, if it has one."""

    def __init__(self, state: RuntimeInterface, threaded: bool) -> None:
        self.state = state
        self.worker = Worker(state.target, state.state) if threaded else None
        if self.worker is not None:  # a program that is forgotten leaves no thread behind
            weakref.finalize(self, self.worker.retire).atexit = False

    def do(self, task: Task) -> Callable[[], Any]:
        """Begin a task; returns what waits for its result and gives it, or raises its error."""
        state = self.state
        if self.worker is not None:
            begun = self.worker.do(lambda: perform(state, task))
            return lambda: result_of(begun)
        future: Future[Any] = Future()
        try:
            future.set_result(perform(state, task))
        except Exception as error:  # noqa: BLE001  (it is raised again where the result is taken)
            future.set_exception(error)
        return future.result

    def close(self, collect: bool) -> None:
        """Close the state when its jobs are done."""
        if self.worker is not None:
            self.worker.finish()
        self.state.close(collect)

    def prepare_to_stop(self) -> None:
        """Have the job that runs look whether it is to end."""
        self.state.state.stopping = self.worker is not None

    def stop(self) -> None:
        """Close the state at once. One whose job does not end is left as it is."""
        if self.worker is None or self.worker.stop():
            self.state.close(collect=False)


AnyState = ThreadState | WorkerProcess


def stop_states(states: dict[int, AnyState | None]) -> None:
    """Close the states of a program that ends."""
    running = [state for state in states.values() if state is not None]
    states.clear()
    for state in running:
        state.prepare_to_stop()
    for state in running:
        state.stop()


def state_functions(runtime: RuntimeInterface) -> dict[str, Callable[..., Any]]:
    """The functions for the package threads."""
    states: dict[int, AnyState | None] = runtime.thread_states
    begun: dict[int, Callable[[], Any]] = {}  # what gives the results that have not been taken
    numbers = itertools.count(1)
    openings = itertools.count(1)
    in_turn = reason_for_turns(runtime) is not None
    processes = runtime.pools == "processes" and not in_turn
    noted = runtime.shared_numbers if runtime.pools == "processes" else None

    def open_state(path: str) -> int:
        """Create a state with this ``package.path``; returns its number."""
        number = next(openings)

        def new_state() -> RuntimeInterface:
            state = runtime.another(number)
            state.set_global("__path", path)
            state.evaluate("package.path, __path = __path", CHUNK)
            return state

        if processes:
            if not can_fork(runtime.state):
                raise TorchError(
                    "pools of processes need a system that can fork, and a program without a GPU"
                )
            states[number] = WorkerProcess(new_state, number)
        else:
            states[number] = ThreadState(new_state(), not in_turn)
        return number

    def begin(number: int, task: Task) -> int:
        ticket = next(numbers)
        begun[ticket] = _state(number).do(task)
        if processes:
            runtime.advance()  # what is shared has moved
        return ticket

    def set_global(number: int, name: str, value: Any) -> None:
        _state(number).do(Setting(name, value))()

    saved_with: dict[int, list[int]] = {}  # by job: the numbers of shared objects

    def note_shared() -> int | None:
        """The job that was saved last: its objects go to another process with it."""
        if not processes:
            return None
        number = next(numbers)
        saved_with[number] = runtime.shared_numbers[:]
        runtime.shared_numbers.clear()
        return number

    def run_job(number: int, serializer: str, saved: Any, with_shared: int | None = None) -> int:
        """Have a job done that was saved by the named serializer; returns the number to wait for."""
        content = runtime.handles.objects[saved] if isinstance(saved, int) else saved
        objects = [] if with_shared is None else saved_with.pop(with_shared)
        return begin(number, Job(serializer, content, objects))

    def run_source(number: int, source: str) -> int:
        return begin(number, Source(source))

    def wait(ticket: int) -> Any:
        """What a job gave, saved by its serializer, when it has been done."""
        try:
            result = begun.pop(ticket)()
        finally:
            runtime.advance()  # a job may move what both states share
        kind = kind_of(result)
        return result if kind is None else runtime.handles.give(result, kind)

    closings = itertools.count(1)

    def close_state(number: int) -> None:
        state = states.get(number)
        if state is not None:
            states[number] = None
            state.close(collect=next(closings) % TOGETHER == 0)

    def share(handle: int) -> None:
        """Let a memory file hold tensors and storages by reference."""
        file = runtime.handles.objects[handle]
        assert isinstance(file, MemoryFile)
        weak: Any = weakref.proxy(file)
        file.attached["reader"], file.attached["writer"] = SharingReader(weak), SharingWriter(weak, noted)

    def _state(number: int) -> AnyState:
        state = states.get(number)
        if state is None:
            raise TorchError("this thread has been freed")
        return state

    return {
        "states_in_turn": lambda: in_turn,
        "states_are_processes": lambda: processes or (runtime.is_thread and runtime.pools == "processes"),
        "note_shared": note_shared,
        "state_is_alone": lambda: in_turn or not (runtime.is_thread or any(states.values())),
        "state_open": open_state,
        "state_set": set_global,
        "state_run": run_job,
        "state_source": run_source,
        "state_wait": wait,
        "state_close": close_state,
        "state_share": share,
    }
