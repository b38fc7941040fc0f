"""What the native style cannot do."""

from __future__ import annotations

__all__ = ["Problem"]


class Problem(Exception):
    """A construct without a native form: a stable code, the Lua line, and the reason."""

    def __init__(self, code: str, line: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.line = line
        self.reason = reason
        self.file = ""  # set where it is met, as a program may have several
