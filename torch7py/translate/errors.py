"""What cannot be translated."""

from __future__ import annotations

__all__ = ["NotTranslated"]


class NotTranslated(Exception):
    """A construct without a translation: a stable code (see ``docs/codes``), the place in Lua, and the reason."""

    def __init__(self, code: str, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason} [{code}]")
        self.code = code
        self.place = place
        self.reason = reason
