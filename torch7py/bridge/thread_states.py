"""Other Lua states of a program, for the package ``threads``: runtimes with objects and settings of their own.

A state runs the jobs that it is sent, one after the other, in a thread of its own (``workers.py``) or, where there is
a reason against it (``reason_for_turns``), in the program's thread as soon as they are sent. Jobs and results are
serialized to bytes. After ``share`` a file holds references to tensors and storages instead of their contents, so that
both states work on the same memory.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, ClassVar

import torch

from torch7py.bridge.dispatch import kind_of
from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime_interface import RuntimeInterface
from torch7py.bridge.workers import Worker, result_of
from torch7py.ops import types
from torch7py.ops.errors import TorchError
from torch7py.ops.files import MemoryFile
from torch7py.ops.memory import Storage
from torch7py.t7 import format as t7
from torch7py.t7.errors import T7Error
from torch7py.t7.reader import NamedStorage, Reader, class_of_tensor
from torch7py.t7.writer import Writer

__all__ = ["reason_for_turns", "state_functions", "stop_states"]

JOB = "__threads_job"  # the global by which a state gets its next job
CHUNK = "=[torch7py] threads"
TOGETHER = 16  # a search for garbage, of 50 ms, follows so many closed states


class Shared:
    """Objects on their way from one state to another, by number."""

    objects: ClassVar[dict[int, Any]] = {}
    _numbers = itertools.count(1)

    @classmethod
    def put(cls, obj: Any) -> int:
        number = next(cls._numbers)
        if isinstance(obj, Storage):
            _ = obj.untyped  # its memory is the same for all who get it
        cls.objects[number] = obj
        return number

    @classmethod
    def take(cls, number: int, at: int | None) -> Any:
        if number not in cls.objects:
            raise T7Error("a shared object that was read before, or by another process", at)
        return cls.objects.pop(number)


class SharingWriter(Writer):
    """Writes a tensor or storage as the number of a shared object."""

    def _start(self, obj: Any, waiting: list[Any]) -> Any:
        if not isinstance(obj, (torch.Tensor, Storage)):
            return super()._start(obj, waiting)
        if self._begin(t7.TORCH, obj):
            t7.write_class(self.file, 1, _class_of(obj))
            self.file.write_number(types.LONG, Shared.put(obj))
        return None


class SharingReader(Reader):
    """Reads what ``SharingWriter`` wrote. Each object can be read once."""

    def tensor_or_storage(self, index: int, name: str) -> Any:
        at = self.file.known_position()
        return self._keep(index, t7.TORCH, Shared.take(int(self.file.read_number(types.LONG)), at))


def _class_of(obj: torch.Tensor | Storage) -> str:
    if isinstance(obj, torch.Tensor):
        return class_of_tensor(obj)
    return obj.class_name if isinstance(obj, NamedStorage) else obj.type.storage


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

    def do(self, job: Callable[[], Any]) -> Future[Any]:
        if self.worker is not None:
            return self.worker.do(job)
        future: Future[Any] = Future()
        try:
            future.set_result(job())
        except Exception as error:  # noqa: BLE001  (it is raised again where the result is taken)
            future.set_exception(error)
        return future

    def close(self, collect: bool) -> None:
        """Close the state when its jobs are done."""
        if self.worker is not None:
            self.worker.finish()
        self.state.close(collect)

    def stop(self) -> None:
        """Close the state at once. One whose job does not end is left as it is."""
        if self.worker is None or self.worker.stop():
            self.state.close(collect=False)


def stop_states(states: dict[int, ThreadState | None]) -> None:
    """Close the states of a program that ends."""
    running = [state for state in states.values() if state is not None]
    states.clear()
    for state in running:
        state.state.state.stopping = state.worker is not None
    for state in running:
        state.stop()


def state_functions(runtime: RuntimeInterface) -> dict[str, Callable[..., Any]]:
    """The functions for the package threads."""
    states: dict[int, ThreadState | None] = runtime.thread_states
    jobs: dict[int, Future[Any]] = {}  # those whose results have not been taken
    numbers = itertools.count(1)
    openings = itertools.count(1)
    in_turn = reason_for_turns(runtime) is not None

    def open_state(path: str) -> int:
        """Create a state with this ``package.path``; returns its number."""
        number = next(openings)
        state = runtime.another(number)
        state.set_global("__path", path)
        state.evaluate("package.path, __path = __path", CHUNK)
        states[number] = ThreadState(state, not in_turn)
        return number

    def set_global(number: int, name: str, value: Any) -> None:
        _state(number).state.set_global(name, value)

    def begin(number: int, job: Callable[[RuntimeInterface], Any]) -> int:
        thread = _state(number)
        state = thread.state
        ticket = next(numbers)
        jobs[ticket] = thread.do(lambda: job(state))
        return ticket

    def run_job(number: int, serializer: str, saved: Any) -> int:
        """Have a job done that was saved by the named serializer; returns the number to wait for."""
        content = runtime.handles.objects[saved] if isinstance(saved, int) else saved

        def job(state: RuntimeInterface) -> Any:
            state.set_global(JOB, content)
            state.set_global("__threads_serializer", serializer)
            result = _executed(state, "return true, require('threads.worker').run()", CHUNK)
            if not isinstance(result, tuple):
                raise SystemExit(result)  # the code that the job has given to os.exit
            return result[1]

        return begin(number, job)

    def run_source(number: int, source: str) -> int:
        return begin(number, lambda state: _executed(state, source, "=thread"))

    def wait(ticket: int) -> Any:
        """What a job gave, saved by its serializer, when it has been done."""
        try:
            result = result_of(jobs.pop(ticket))
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
        file.attached["reader"], file.attached["writer"] = SharingReader(weak), SharingWriter(weak)

    def _state(number: int) -> ThreadState:
        state = states.get(number)
        if state is None:
            raise TorchError("this thread has been freed")
        return state

    return {
        "states_in_turn": lambda: in_turn,
        "state_is_alone": lambda: in_turn or not (runtime.is_thread or any(states.values())),
        "state_open": open_state,
        "state_set": set_global,
        "state_run": run_job,
        "state_source": run_source,
        "state_wait": wait,
        "state_close": close_state,
        "state_share": share,
    }


def _executed(state: RuntimeInterface, source: str, name: str) -> Any:
    try:
        return state.evaluate(source, name)
    except LuaError as error:
        raise TorchError(str(error)) from error
