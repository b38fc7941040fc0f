"""Programs that do not end, under a limit in seconds that lets them come far enough on however busy a machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

__all__ = ["LIMITS", "long_enough"]

LIMITS = (1, 4, 16, 60)
T = TypeVar("T")


def long_enough(run: Callable[[int], T], is_far_enough: Callable[[T], bool]) -> tuple[int, T]:
    """Run under ever longer limits until the program came far enough: the last limit, and what it gave."""
    for limit in LIMITS:
        result = run(limit)
        if is_far_enough(result):
            break
    return limit, result
