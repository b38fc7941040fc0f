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
TARGET = 1 / 1.5  # on two cores that nobody else uses


def results(quick: bool) -> Iterator[Result]:
    rounds, batches, size = (1, 2, 2) if quick else (7, 12, 32)
    with ExitStack() as stack:
        trains = []
        for pools in ("threads", "in turn"):
            runtime = stack.enter_context(Runtime(seed=1, pools=pools))
            train, _, _ = runtime.execute(
                PROGRAM.read_text().replace("= ...", f"= {size}"), f"@{PROGRAM.name}"
            )
            trains.append(train)
        beside, in_turn = alternate(
            partial(trains[0], batches), partial(trains[1], batches), rounds, 1e-3 * batches
        )
        if trains[0](1) != trains[1](1):
            raise RuntimeError("pools: the two ways have different losses")
    yield Result("pools", "a batch and a step (in turn)", "ms", beside, in_turn, Target(TARGET))
