"""Lua to plain PyTorch: programs that are translated, without running or verifying them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from bench.measure import Result, Target
from torch7py.translate.native.program import translate_script

__all__ = ["programs", "results"]

ROOT = Path(__file__).parents[1]
SAMPLES = ("lua_samples",)
TESTS = ("tests/translate/steps", "tests/translate/idioms", "tests/translate/programs")
ROUNDS = 5
MOST = 100  # us for a line: 10000 lines a second


def programs(*folders: str) -> list[Path]:
    """The programs of some folders of this project, always in the same order."""
    return [path for folder in folders for path in sorted((ROOT / folder).glob("*.lua"))]


def lines_of(path: Path, source: bytes) -> int:
    """Translate a program; how many lines it has, with the files of its own that it requires."""
    return sum(part.source.count(b"\n") for part in translate_script(source, str(path)).parts)


def results(quick: bool) -> Iterator[Result]:
    yield Result(
        "translate", "a line of the samples", "us", _time(SAMPLES, quick), target=Target(MOST, "figure")
    )
    # each line of a test is another construct, and most have fewer than 50 lines
    yield Result("translate", "a line of the tests", "us", _time(TESTS, quick))


def _time(folders: tuple[str, ...], quick: bool) -> float:
    """The processor's time for a line in us: other programs on the machine count little."""
    sources = [(path, path.read_bytes()) for path in programs(*folders)[:: 10 if quick else 1]]
    lines = sum(lines_of(path, source) for path, source in sources)  # this fills caches, and is not measured
    times = [_seconds(sources) for _ in range(1 if quick else ROUNDS)]
    return statistics.median(times) * 1e6 / lines


def _seconds(sources: list[tuple[Path, bytes]]) -> float:
    start = time.process_time()
    for path, source in sources:
        translate_script(source, str(path))
    return time.process_time() - start
