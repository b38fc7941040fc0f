"""Real programs as they are, against the seconds that they took under the original when they were recorded.

Both are the program's whole run on one thread; ours is without the start of the process and the loading of packages,
which the original hardly has and which ``start_up`` measures.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from bench.measure import Result, Target
from tests.programs.recorded_runs import (
    MissingCheckoutError,
    copy_of_checkout,
    notes_of,
    records,
    run_recorded,
)

__all__ = ["results"]

SHORT = 0.05  # seconds; what --quick runs
MEDIAN, WORST = 2.0, 4.0  # how much longer the programs may take


def results(quick: bool) -> Iterator[Result]:
    ratios = []
    for record in sorted(records(), key=lambda record: record["name"]):
        if quick and record["seconds"] > SHORT:
            continue
        try:
            seconds = _run(record)
        except MissingCheckoutError as missing:
            click.echo(f"{record['name']}: left out, {missing}")
            continue
        ratios.append(seconds / record["seconds"])
        yield Result("programs", record["name"], "s", seconds, record["seconds"], Target(WORST))
    if ratios:
        yield Result("programs", "median", "x", statistics.median(ratios), None, Target(MEDIAN, "figure"))
        yield Result("programs", "worst", "x", max(ratios), None, Target(WORST, "figure"))


def _run(record: dict[str, Any]) -> float:
    """The processor's seconds of one run."""
    with TemporaryDirectory() as scratch:
        folder = copy_of_checkout(record, Path(scratch, "checkout"))
        notes = Path(scratch, "notes")
        run_recorded(record, folder, notes, "clock=1")
        return dict(notes_of(notes, "seconds"))["cpu"]
