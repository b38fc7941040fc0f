"""Numbers within sentences."""

from __future__ import annotations

__all__ = ["counted", "seconds", "untranslated"]


def counted(number: int, noun: str) -> str:
    """``1 parameter``, ``9,472 parameters``"""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def seconds(limit: float) -> str:
    """``1 second``, ``0.5 seconds``"""
    return f"{limit:g} second{'s' * (limit != 1)}"


def untranslated(places: int) -> str:
    """``1 place has no translation``"""
    return f"{counted(places, 'place')} {'has' if places == 1 else 'have'} no translation"
