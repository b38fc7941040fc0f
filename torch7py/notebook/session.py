"""A program that is typed cell by cell: a runtime with a console and a screen."""

from __future__ import annotations

import re
from collections.abc import Callable

from torch7py.bridge.errors import LuaError
from torch7py.bridge.lua_values import LuaTable
from torch7py.bridge.runtime import Runtime
from torch7py.console.engine import Console
from torch7py.nn.object import TorchObject
from torch7py.ops import state
from torch7py.ops.screen import Bundle, Screen
from torch7py.show.picture import Shown, model_fragment
from torch7py.show.structure import model_of

__all__ = ["CellError", "Session", "picture_of_module"]

CARDS = 40  # of a model that are unfolded at first


class CellError(LuaError):
    """A cell failed: the error with the lines of the cell around it."""

    def __init__(self, error: LuaError, lines: list[str]) -> None:
        super().__init__(error.message, error.traceback, error.thrown)
        self.lines = lines

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of Python's traceback."""
        return self.lines

    def __reduce__(self) -> tuple[object, ...]:
        return LuaError, (self.message, self.traceback)


class Session:
    """``show`` shows pictures, in several forms, to who types."""

    def __init__(self, show: Callable[[Bundle], None]) -> None:
        self.show = show
        self.start()

    def start(self) -> None:
        """Begin with nothing: a new runtime."""
        self.runtime = Runtime()
        self.screen = self.runtime.state.screen = Screen(self.show)
        self.console = Console(self.runtime)

    def restart(self) -> None:
        self.runtime.close()
        self.start()

    def run(self, text: str, name: str) -> None:
        """Evaluate a cell. What it prints is printed; pictures and plots, and a model in the end, are shown.

        ``name`` stands for the file in errors, ``cell 3``.
        """
        self.runtime.globals["_RESULT"] = None
        try:
            self.console.evaluate(text, name)
        except LuaError as error:
            raise CellError(error, self._explained(error)) from None
        finally:
            self._pause()
        self._show_result()

    def _pause(self) -> None:
        with state.use(self.runtime.state):
            self.screen.pause()

    def _show_result(self) -> None:
        """Of a model that was printed, show the picture too."""
        results = self.runtime.globals.get("_RESULT")
        value = results.get(1) if isinstance(results, LuaTable) else None
        if isinstance(value, TorchObject):
            self.show({"text/html": picture_of_module(value), "text/plain": f"<{value.class_name}>"})

    def _explained(self, error: LuaError) -> list[str]:
        """The message, the line of the cell in which it happened, and the calls that led to it."""
        calls = re.findall(r"^\s*(\S.*:\d+:.*)$", error.traceback, re.MULTILINE)
        led = [f"      {call}" for call in calls] if len(calls) > 1 else []
        return [error.message, *self.console.explain(error), *led]


def picture_of_module(module: TorchObject) -> str:
    """A model for a page: what it is made of, without having run."""
    return model_fragment(Shown(model_of(module), cards=CARDS))
