"""Numbers within sentences."""

from __future__ import annotations

__all__ = ["counted", "untranslated"]


def counted(number: int, noun: str) -> str:
    """``1 parameter``, ``9,472 parameters``"""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def untranslated(places: int) -> str:
    """``1 place has no translation``"""
    return f"{counted(places, 'place')} {'has' if places == 1 else 'have'} no translation"
