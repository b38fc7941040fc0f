"""Other Lua states of a program, for the package ``threads``: runtimes with objects and settings of their own.

A state runs the jobs that it is sent, in the thread of the program. Jobs and results are serialized to bytes. After
``share`` a file holds references to tensors and storages instead of their contents, so that both states work on the
same memory.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any, ClassVar

import torch

from torch7py.bridge.dispatch import kind_of
from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime_interface import RuntimeInterface
from torch7py.ops import types
from torch7py.ops.errors import TorchError
from torch7py.ops.files import MemoryFile
from torch7py.ops.memory import Storage
from torch7py.t7 import format as t7
from torch7py.t7.errors import T7Error
from torch7py.t7.reader import NamedStorage, Reader, class_of_tensor
from torch7py.t7.writer import Writer

__all__ = ["state_functions"]

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


def state_functions(runtime: RuntimeInterface) -> dict[str, Callable[..., Any]]:
    """The functions for the package threads."""
    states = runtime.thread_states

    def open_state(path: str) -> int:
        """Create a state with this ``package.path``; returns its number."""
        number = len(states) + 1
        states[number] = state = runtime.another(number)
        state.set_global("__path", path)
        state.evaluate("package.path, __path = __path", CHUNK)
        return number

    def set_global(number: int, name: str, value: Any) -> None:
        _state(number).set_global(name, value)

    def run_job(number: int, serializer: str, job: Any) -> Any:
        """Run a job that was saved by the named serializer; returns its results, saved by the same one."""
        state = _state(number)
        state.set_global(JOB, runtime.handles.objects[job] if isinstance(job, int) else job)
        state.set_global("__threads_serializer", serializer)
        result = _executed(state, "return require('threads.worker').run()", CHUNK)
        runtime.advance()  # a job may move what both states share
        kind = kind_of(result)
        return result if kind is None else runtime.handles.give(result, kind)

    def run_source(number: int, source: str) -> None:
        _executed(_state(number), source, "=thread")
        runtime.advance()

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

    def _state(number: int) -> RuntimeInterface:
        state = states.get(number)
        if state is None:
            raise TorchError("this thread has been freed")
        return state

    return {
        "state_open": open_state,
        "state_set": set_global,
        "state_run": run_job,
        "state_source": run_source,
        "state_close": close_state,
        "state_share": share,
    }


def _executed(state: RuntimeInterface, source: str, name: str) -> Any:
    try:
        return state.evaluate(source, name)
    except LuaError as error:
        raise TorchError(str(error)) from error
