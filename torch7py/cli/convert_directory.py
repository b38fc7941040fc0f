"""``torch7py convert DIR OUT --jobs N``: many files in several processes, with a line of JSON for each.

A run that was cut off is begun again with the same command: files whose result is there and not older than they are
left out. Results are written whole or not at all.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import click

__all__ = ["Conversion", "convert_in_processes", "serve"]


@dataclass(frozen=True)
class Conversion:
    """A file to convert, its name in the directory, where the result goes, and the options of the command."""

    source: Path
    name: str
    target: Path
    entry: str
    inputs: tuple[str, ...]

    def is_done(self) -> bool:
        """Whether the result is there, and not older than the file."""
        try:
            return self.target.stat().st_mtime_ns >= self.source.stat().st_mtime_ns
        except OSError:
            return False


def convert_in_processes(orders: Sequence[Conversion], work: Callable[[Connection], None], jobs: int) -> int:
    """Print a line of JSON for each file as it is ready; returns how many failed."""
    failed = 0
    terminal = sys.stderr.isatty()
    with click.progressbar(
        _results(orders, work, jobs),
        length=len(orders),
        file=sys.stderr,
        label=f"{len(orders)} files",
        hidden=not terminal,
    ) as bar:
        for result in bar:
            if terminal:
                click.echo("\r\x1b[K", nl=False, err=True)  # the line of the bar is free for what is said
            click.echo(json.dumps(result))
            failed += "error" in result
    return failed


def _results(
    orders: Sequence[Conversion], work: Callable[[Connection], None], jobs: int
) -> Iterator[dict[str, Any]]:
    from torch7py.translate.worker import Worker

    left = []
    for order in orders:
        if order.is_done():
            yield {"file": order.name, "to": str(order.target), "skipped": True}
        else:
            left.append(order)
    workers = [Worker(work) for _ in range(min(jobs, len(left)))]
    if not workers:
        return
    free: SimpleQueue[Worker] = SimpleQueue()
    for worker in workers:
        free.put(worker)

    def convert(order: Conversion) -> dict[str, Any]:
        worker = free.get()
        started = time.monotonic()
        try:
            answer = worker.ask(order, None)
        finally:
            free.put(worker)
        assert answer is not None  # as there is no limit
        about = {"error": answer.failure} if answer.failure else answer.report
        return {
            "file": order.name,
            "to": str(order.target),
            **about,
            "seconds": round(time.monotonic() - started, 3),
        }

    pool = ThreadPoolExecutor(len(workers))
    try:
        for future in as_completed([pool.submit(convert, order) for order in left]):
            yield future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.end()


def serve(connection: Connection, convert: Callable[[Conversion], dict[str, Any]]) -> None:
    """A worker's life: convert what it is asked for, and say how that went."""
    from torch7py.cli.failure import Failure, one_line
    from torch7py.translate.worker import Answer

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process hears it, and ends this one
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    connection.send(None)
    while True:
        try:
            order: Conversion = connection.recv()
        except EOFError:
            return
        try:
            with one_line(order.name):
                order.target.parent.mkdir(parents=True, exist_ok=True)
                answer = Answer(convert(order))
        except Failure as failure:
            answer = Answer(failure=failure.message)
        connection.send(answer)
