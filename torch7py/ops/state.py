"""The global settings of a Torch7 program: the only mutable global of the project.

Each runtime has a State and makes it current while it runs. Python code without a runtime shares one State
per process, created on first use. The current State is a context variable: a new thread starts with the
process's State, so code that passes work to a thread makes its State current there with ``use``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch

from torch7py.ops.batch_part import BatchPart
from torch7py.ops.mersenne import Generator
from torch7py.ops.process_group import ProcessGroup
from torch7py.ops.screen import Screen
from torch7py.ops.types import DOUBLE, NumberType

__all__ = ["State", "current", "of_process", "use", "wait_until"]

GLANCE = 0.1  # seconds after which whoever waits looks whether it is to stop


@dataclass(eq=False)
class State:
    """The settings of one Torch7 program.

    Attributes:
        default_type: the type of ``torch.Tensor`` (``torch.setdefaulttensortype``).
        generator: the stream that random functions draw from by default. A new one is seeded from the system's
            entropy.
        device: where new tensors are placed.
        gpu: the device behind the CUDA types: the GPU, or the CPU in its stead; None where programs find no GPU.
        cuda_generator: the stream of the CUDA types, once there are tensors of these.
        generation: the year whose ``rnn`` and ``nn`` the program gets, 2015 or 2016 (and later, see ``quirks.py``);
            None, which means the later one, until nn is first required.
        cutorch_generation: the year whose cutorch the program gets, 2015 or 2016 (and later, see
            ``bridge/generation.py``); None, which means the later one, until cutorch is first required.
        libm: the loop that ``ops/libm.py`` computes with; None for Python's ``math``.
        prints: the program's ``print``; None where there is no program.
        screen: where the program's pictures are shown (``ops/screen.py``); None where there is no such place.
        group: the processes that run the program together; None where one does.
        batch_part: which part of a batch the program computes just now, where several processes share it.
        run: a number that is another whenever Python code of a user's may have run; 0 where no program runs.
        stopping: whether the program is to stop, so that nothing in it waits any longer.
        packages: the state of packages, by name.
        trusted_bytecode: digests of the Lua functions that this process has compiled and saved, and whether each is
            also stored for later processes. Only the State of the process has entries.
    """

    default_type: NumberType = DOUBLE
    generator: Generator = field(default_factory=Generator)
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    gpu: torch.device | None = None
    cuda_generator: Generator | None = None
    generation: int | None = None
    cutorch_generation: int | None = None
    libm: Callable[[str, int, int, int], None] | None = None
    prints: Callable[..., None] | None = None
    screen: Screen | None = None
    group: ProcessGroup | None = None
    batch_part: BatchPart | None = None
    run: int = 0
    stopping: bool = False
    packages: dict[str, Any] = field(default_factory=dict)
    trusted_bytecode: dict[str, bool] = field(default_factory=dict)

    def check(self) -> None:
        """Stop the program if it is to stop: no pcall keeps this."""
        if self.stopping:
            raise KeyboardInterrupt


_current: ContextVar[State | None] = ContextVar("torch7py_state", default=None)
_default: State | None = None
_default_lock = threading.Lock()


def current() -> State:
    """The State of the running program, or the process's."""
    return _current.get() or of_process()


def of_process() -> State:
    """The State of the process itself, for what all programs in it share."""
    global _default
    if _default is None:
        with _default_lock:
            if _default is None:
                _default = State()
    return _default


class use:  # a class takes half the time of a generator, on every call from Python into Lua
    """Make a State the current one for the length of a ``with`` block, in this thread or task."""

    __slots__ = ("_state", "_token")

    def __init__(self, state: State) -> None:
        self._state = state

    def __enter__(self) -> State:
        self._token = _current.set(self._state)
        return self._state

    def __exit__(self, *error: object) -> None:
        _current.reset(self._token)


def wait_until(arrived: Callable[[float], bool]) -> None:
    """Wait until ``arrived``, which waits for so many seconds at most, is true. A program that is to stop does not."""
    state = current()
    while not arrived(GLANCE):
        state.check()
