"""Measuring two programs fairly on a machine whose speed drifts, and what a measurement says."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

__all__ = ["Result", "Target", "alternate"]


LEAST = 1e-9  # of a program so short that the clock has stood still


def alternate(
    ours: Callable[[], object],
    plain: Callable[[], object],
    rounds: int,
    unit: float = 1,
    clock: Callable[[], float] = time.perf_counter,
    collects: bool = True,
) -> tuple[float, float]:
    """Median time of each of two programs, in units of ``unit`` seconds.

    They take turns, A B A B, so that a slow moment of the machine meets both. Each runs once before,
    unmeasured: that compiles what is compiled on the way and fills caches. Unless Python ``collects`` meanwhile,
    garbage is collected between them: where a round makes as many objects as start a collection, it falls to one or
    to the other by chance.
    """
    ours()
    plain()
    times = [(_seconds(ours, clock, collects), _seconds(plain, clock, collects)) for _ in range(rounds)]
    first, second = zip(*times, strict=True)
    return statistics.median(first) / unit, statistics.median(second) / unit


def _seconds(program: Callable[[], object], clock: Callable[[], float], collects: bool) -> float:
    if not collects:
        gc.collect()
        gc.disable()
    start = clock()
    program()
    seconds = max(clock() - start, LEAST)
    gc.enable()
    return seconds


@dataclass(frozen=True)
class Target:
    """The most that is allowed: of the ratio to plain PyTorch, or of our own figure."""

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
