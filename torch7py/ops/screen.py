"""Where a program can show pictures: a notebook has a screen, a run has none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

__all__ = ["Bundle", "Screen"]

Bundle: TypeAlias = "dict[str, str | bytes]"
"""The forms of one thing by their MIME types: ``{"image/png": b"...", "text/plain": "..."}``."""


class Screen:
    """``show`` shows something at once. ``pending`` are functions by name that are called when the program pauses.

    What a program goes on to change, a figure for one, is shown then, once.
    """

    def __init__(self, show: Callable[[Bundle], None]) -> None:
        self.show = show
        self.pending: dict[str, Callable[[], None]] = {}

    def pause(self) -> None:
        """The program pauses: show what is pending. An error in one does not keep the others."""
        while self.pending:
            _, function = self.pending.popitem()
            function()
