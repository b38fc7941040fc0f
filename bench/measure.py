"""Measuring two programs fairly on a machine whose speed drifts, and what a measurement says."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

__all__ = ["Result", "Target", "alternate"]


def alternate(*programs: Callable[[], object], rounds: int) -> tuple[float, ...]:
    """Median seconds of each program. They take turns, A B A B, so that a slow moment meets all of them.

    Each runs once before, unmeasured: that compiles what is compiled on the way and fills caches.
    """
    for program in programs:
        program()
    times: list[list[float]] = [[] for _ in programs]
    for _ in range(rounds):
        for program, seconds in zip(programs, times, strict=True):
            start = time.perf_counter()
            program()
            seconds.append(time.perf_counter() - start)
    return tuple(map(statistics.median, times))


@dataclass(frozen=True)
class Target:
    """What is asked of a figure: at most ``limit`` times plain PyTorch (``ratio``), or at most ``limit`` units."""

    limit: float
    of: Literal["ratio", "figure"] = "ratio"


@dataclass(frozen=True)
class Result:
    """One line of the table. ``ours`` and ``plain`` are times in ``unit``; less is better.

    Where no program of PyTorch does the same, ``plain`` is None, or with ``for_scale`` something near that
    gives the eye a measure.
    """

    benchmark: str
    what: str
    unit: str
    ours: float
    plain: float | None = None
    target: Target | None = None
    for_scale: bool = False

    @property
    def ratio(self) -> float | None:
        return None if self.plain is None else self.ours / self.plain

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        value = self.ratio if self.target.of == "ratio" else self.ours
        if value is None:
            raise ValueError(f"{self.what}: a target for the ratio needs plain PyTorch's figure")
        return value <= self.target.limit
