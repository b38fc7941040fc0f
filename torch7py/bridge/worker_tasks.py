"""What a Lua state of the package threads is sent to do, in whatever thread or process it lives."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime_interface import RuntimeInterface
from torch7py.ops.errors import TorchError

__all__ = ["Job", "Setting", "Source", "Task", "perform"]

JOB = "__threads_job"  # the global by which a state gets its next job
CHUNK = "=[torch7py] threads"


class Job(NamedTuple):
    """A job that was saved by the named serializer; ``shared``: the numbers of the objects that it refers to."""

    serializer: str
    content: Any
    shared: list[int]


class Source(NamedTuple):
    """Lua to run."""

    text: str


class Setting(NamedTuple):
    """A global variable to set."""

    name: str
    value: Any


Task = Job | Source | Setting


def perform(state: RuntimeInterface, task: Task) -> Any:
    """Do it; of a job the results, saved by its serializer."""
    if isinstance(task, Setting):
        state.set_global(task.name, task.value)
        return None
    if isinstance(task, Source):
        return _executed(state, task.text, "=thread")
    state.set_global(JOB, task.content)
    state.set_global("__threads_serializer", task.serializer)
    result = _executed(state, "return true, require('threads.worker').run()", CHUNK)
    if not isinstance(result, tuple):
        raise SystemExit(result)  # the code that the job has given to os.exit
    return result[1]


def _executed(state: RuntimeInterface, source: str, name: str) -> Any:
    try:
        return state.evaluate(source, name)
    except LuaError as error:
        raise TorchError(str(error)) from error
