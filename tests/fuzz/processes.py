"""Numbered attempts in processes of their own: one that dies, hangs or takes all memory is a fault that is told."""

from __future__ import annotations

import faulthandler
import os
import re
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Fault", "current", "in_processes", "report"]

SECONDS = 20  # of the processor for one attempt
WAITED = 400  # by the clock, on a busy machine

# What a process works on: its own folder, in which the files of these names tell of it when it has died.
CURRENT, DONE, FOUND, SAID = "current", "done", "found", "said"


@dataclass(frozen=True)
class Fault:
    """Something that must not happen: by which attempt, of what kind, at which call or file, and what was said."""

    number: int
    kind: str
    what: str
    message: str

    @property
    def group(self) -> tuple[str, str, str]:
        """Faults of one cause mostly have one group."""
        name = re.sub(r".*\):(\w+)$", r":\1", re.split(r"\((?!.*\):)", self.what, maxsplit=1)[0])
        return self.kind, name[-60:], re.sub(r"-?[\d.]+(e[+-]?\d+)?", "N", self.message)[:90]


def current(what: str) -> None:
    """What is tried now."""
    Path(CURRENT).write_text(what)


def in_processes(
    attempt: Callable[[int], None], count: int, first: int, jobs: int, batch: int
) -> Iterator[list[Fault]]:
    """The faults of so many attempts, a list for each process or chain of processes that makes ``batch`` of them."""
    ends = range(first + batch, first + count + batch, batch)
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda end: _chain(attempt, end - batch, min(end, first + count)), ends)


def _chain(attempt: Callable[[int], None], first: int, last: int) -> list[Fault]:
    faults: list[Fault] = []
    with tempfile.TemporaryDirectory(prefix="torch7py-fuzz-") as made:
        folder = Path(made)
        while first < last:
            process = os.fork()
            if process == 0:
                _run(attempt, first, last, folder)
            _, status = os.waitpid(process, 0)
            done = folder / DONE
            first = int(done.read_text()) + 1 if done.exists() else first
            if status:
                name = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else "an exception"
                what = _text(folder / CURRENT, "\n").partition("\n")[0]
                faults.append(Fault(first, name, what[:300], _text(folder / SAID)[:1500]))
                done.write_text(str(first))
                first += 1
        for line in _text(folder / FOUND, "\n").splitlines():
            number, kind, what, message = line.split("\t", 3)
            faults.append(Fault(int(number), kind, what, message))
    return faults


def _text(path: Path, between: str = " ") -> str:
    if not path.exists():
        return ""
    return between.join(path.read_text(errors="replace").splitlines())


def _run(attempt: Callable[[int], None], first: int, last: int, folder: Path) -> None:
    """In the new process: the attempts, and its end."""
    try:
        os.chdir(folder)
        silent = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(silent, descriptor)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))
        for timer in (signal.SIGALRM, signal.SIGVTALRM):
            signal.signal(timer, signal.SIG_DFL)
        faulthandler.enable(os.open(SAID, os.O_WRONLY | os.O_CREAT | os.O_TRUNC))
        for number in range(first, last):
            signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
            signal.alarm(WAITED)
            attempt(number)
            Path(DONE).write_text(str(number))
    finally:
        error = sys.exc_info()[1]
        if error is not None:
            Path(SAID).write_text(f"{type(error).__name__}: {error} (from {error.__cause__!r})")
        os._exit(0 if error is None else 1)


def report(search: Callable[[int, int, int], Iterator[list[Fault]]], batch: int) -> None:
    """The command line of a search: COUNT [FIRST] [JOBS]. One fault of each group is shown."""
    count, first, jobs = (*map(int, sys.argv[1:]), *(1000, 0, 1)[len(sys.argv) - 1 :])
    seen: set[tuple[str, str, str]] = set()
    started, total = time.monotonic(), 0
    for number, faults in enumerate(search(count, first, jobs), 1):
        total += len(faults)
        for one in faults:
            if one.group not in seen:
                seen.add(one.group)
                print(f"{one.number}\t{one.kind}\t{one.what}\t{one.message}", flush=True)
        seconds = time.monotonic() - started
        print(f"# {min(number * batch, count)}: {total} faults, {seconds:.0f} s", file=sys.stderr, flush=True)
    sys.exit(1 if total else 0)
