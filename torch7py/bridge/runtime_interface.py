"""What the modules below ``runtime.py`` know of a runtime: the objects that its Lua holds, and calls into that Lua."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable, MutableMapping
from typing import Any, Protocol

from torch7py.bridge.dispatch import Dispatcher
from torch7py.bridge.handles import Handles
from torch7py.bridge.interrupts import Target
from torch7py.nn.shared_models import SharedModels
from torch7py.ops.state import State

__all__ = ["RuntimeInterface"]


class RuntimeInterface(Protocol):
    """A running Lua state (``Runtime`` is the only class of this kind)."""

    handles: Handles
    dispatcher: Dispatcher
    closed: bool
    callbacks: dict[str, Any]  # the bridge's own Lua functions, by name
    adapters: list[Callable[..., Any]]  # functions that only Lua refers to: lupa does not keep them alive
    dropped: list[int]  # numbers of Lua values that Python no longer refers to
    last_exception: tuple[BaseException, str] | None  # the last one that passed through Lua, and its message
    thread_states: dict[int, Any]  # of the package ``threads``, see thread_states.py; None once freed
    pools: str  # how that package's jobs are done: in "threads", in "processes" or "in turn"
    shared_numbers: list[int]  # of the shared objects in what was saved last for another process
    is_thread: bool  # whether this is one of those states
    state: State
    target: Target

    shared_models: SharedModels | None  # what divides the calls of models among several processes

    @property
    def shared(self) -> ctypes.Array[ctypes.c_int64]:
        """Numbers that Lua reads directly from memory."""

    @property
    def values(self) -> MutableMapping[int, Any]:
        """The Lua tables and functions that the user holds, by number."""

    @property
    def is_watched(self) -> bool:
        """Whether a tool changes the program's source to watch it."""

    # -- calls into Lua -----------------------------------------------------------------------------------

    def call_lua(self, callback: str, *arguments: Any) -> Any:
        """Call one of the bridge's Lua functions; its results are decoded by ``calls.read_answer``."""

    def enter_lua(self, callback: str, *arguments: Any, values: tuple[Any, ...] = ()) -> Any:
        """The same for a user: ``values`` and results are converted as docs/value_conversion.md says."""

    def read_lua(self, callback: str, *arguments: Any, values: tuple[Any, ...] = ()) -> list[Any]:
        """``enter_lua`` without the conversion of the results."""

    def evaluate(self, source: str, name: str = "=python") -> Any:
        """Run Lua source and return what it returns."""

    def set_global(self, name: str, value: Any) -> None:
        """Set a global variable of Lua's."""

    # -- calls from Lua -----------------------------------------------------------------------------------

    def left(self) -> contextlib.AbstractContextManager[None]:
        """The scope of a user's Python function that Lua has called."""

    def python_function(self, function: Callable[..., Any]) -> Any:
        """The object that stands for a user's Python function in Lua."""

    def cuda_scope(self, on: bool) -> contextlib.AbstractContextManager[None]:
        """A scope whose new tensors are of CUDA types, or are not."""

    def final_exception(self, message: str) -> BaseException:
        """The exception that ends more than the program and is passing through Lua."""

    def cause_of(self, message: str) -> BaseException | None:
        """The Python exception behind a Lua error with this message."""

    # -- life ---------------------------------------------------------------------------------------------

    def another(self, number: int) -> RuntimeInterface:
        """A new runtime with the same settings, for a thread of the program."""

    def close(self, collect: bool = True) -> None:
        """Let go of everything that Lua holds."""

    def advance(self) -> None:
        """Invalidate what Lua has cached about the memory of tensors."""

    def drop(self) -> None:
        """Let Lua release the values that Python no longer refers to."""

    def collected(self) -> None:
        """Lua's garbage collector has run."""
