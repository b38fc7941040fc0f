"""Steps of a Lua program beside the same steps of a port: first whether both compute the same, then the time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench.measure import Result, Target, alternate
from torch7py.bridge.runtime import Runtime

__all__ = ["AGREE", "UNITS", "beside_port", "program_beside_port"]

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


def program_beside_port(
    program: Path,
    what: str,
    sizes: Sequence[int],
    data: Sequence[str],
    make_port: Callable[..., Callable[[int], float]],
    **measured: Any,
) -> Result:
    """``beside_port`` of a Lua program of these sizes, which returns its training.

    The port is made of the program's globals ``data``. ``measured`` are the other arguments of ``beside_port``; the
    benchmark has the program's name.
    """
    with Runtime() as runtime:
        runtime.globals["sizes"] = list(sizes)
        train = runtime.execute(program.read_text(), f"@{program.name}")
        port = make_port(*(runtime.globals[name] for name in data))
        return beside_port(program.stem, what, train, port, **measured)
