"""What cannot be translated."""

from __future__ import annotations

from torch7py.ops.errors import Torch7Error

__all__ = ["NotTranslated"]


class NotTranslated(Torch7Error):
    """A construct or a layer without a translation: a stable code (see ``docs/codes``), the reason, and where it is
    known the place in Lua."""

    code = ""

    def __init__(self, reason: str, code: str = "", location: str = "") -> None:
        super().__init__(f"{location}: {reason} [{code}]" if location else reason)
        self.code = code or self.code
        self.place = location
        self.reason = reason
