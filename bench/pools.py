"""A pool of threads that prepares batches beside the training (programs/loader.lua), against the same in turn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bench.measure import Result, Target, alternate
from torch7py.bridge.runtime import Runtime

__all__ = ["results"]

PROGRAM = Path(__file__).parent / "programs" / "loader.lua"
TARGET = 0.67  # on two cores that nobody else uses


def results(quick: bool) -> Iterator[Result]:
    rounds, batches, size = (1, 2, 2) if quick else (7, 12, 32)
    with ExitStack() as stack:
        trains = []
        for pools in ("processes", "threads", "in turn"):
            runtime = stack.enter_context(Runtime(seed=1, pools=pools))
            train, _, _ = runtime.execute(
                PROGRAM.read_text().replace("= ...", f"= {size}"), f"@{PROGRAM.name}"
            )
            trains.append(train)
        *others, in_turn = (partial(train, batches) for train in trains)
        times = [alternate(other, in_turn, rounds, 1e-3 * batches) for other in others]
        for train in trains[:2]:  # as often as in turn
            train(batches * (rounds + 1))
        if len({train(1) for train in trains}) > 1:
            raise RuntimeError("pools: the ways have different losses")
    for name, (ours, plain) in zip(("processes", "threads"), times, strict=True):
        target = Target(TARGET) if name == "processes" else None
        yield Result("pools", f"a batch and a step, {name} (in turn)", "ms", ours, plain, target)
