"""Steps of a Lua program beside the same steps of a port: first whether both compute the same, then the time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial

from bench.measure import Result, Target, alternate

__all__ = ["AGREE", "UNITS", "beside_port"]

AGREE = 1e-8  # how far apart, relative, the losses of the two may lie
CHECKED = 3  # calls whose losses are compared
UNITS = {"us": 1e-6, "ms": 1e-3}


def beside_port(
    benchmark: str,
    what: str,
    train: Callable[[int], float],
    port: Callable[[int], float],
    *,
    steps: int,
    rounds: int,
    target: Target,
    unit: str = "us",
) -> Result:
    """The processor's time of a step. Both functions train on for some steps and return a loss."""
    for _ in range(CHECKED):
        losses = train(1), port(1)
        if not math.isclose(*losses, rel_tol=AGREE):
            raise RuntimeError(f"{benchmark}, {what}: the two programs have different losses, {losses}")
    ours, plain = alternate(
        partial(train, steps), partial(port, steps), rounds, unit=UNITS[unit] * steps, clock=time.process_time
    )
    return Result(benchmark, what, unit, ours, plain, target)
