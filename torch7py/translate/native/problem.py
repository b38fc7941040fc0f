"""What the native style cannot do."""

from __future__ import annotations

from torch7py.translate.tree import Statement

__all__ = ["Problem", "Undecided"]


class Problem(Exception):
    """A construct without a native form: a stable code, the Lua line, and the reason."""

    def __init__(self, code: str, line: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.line = line
        self.reason = reason
        self.file = ""  # set where it is met, as a program may have several
        self.statement: Statement | None = None  # that is not translated for it, set there, too


class Undecided(Problem):
    """A construct whose idiomatic form hangs on what the program does not tell: of what kind a value is, or how many.

    A plain call is right whatever that is.
    """
