"""Several processes for one program: ``torch7py run --nproc N`` starts them and watches, torchrun starts them alike.

Each learns from the environment, as torchrun sets it, who it is. The first process alone prints. The errors of the
others are kept, and shown where the first one did not fail by itself.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING

import click

from torch7py.cli.failure import INTERRUPTED

if TYPE_CHECKING:
    from torch7py.ops.process_group import ProcessGroup

__all__ = [
    "LOST",
    "be_quiet",
    "deaf_to_closed_sockets",
    "device_of",
    "is_one_of_several",
    "is_watched",
    "same_seed",
    "supervise",
]

LOST = 75  # the exit code of a process that has lost another: EX_TEMPFAIL of sysexits.h
OTHERS_END = 5.0  # seconds that the others have to end by themselves after one has failed
KILLED_AFTER = 5.0  # seconds from the request to end to the kill
WATCHED = "TORCH7PY_WATCHED"  # set in the processes of --nproc, whose end another process reports
PR_SET_PDEATHSIG = 1  # of Linux's prctl


# -- the process that watches --------------------------------------------------------------------------------


def supervise(count: int, arguments: Sequence[str]) -> int:
    """Run ``torch7py ARGUMENTS`` in so many processes; returns the exit code. When one fails, all are ended."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = dict(os.environ)
    shared.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // count)))
    shared |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(count), WATCHED: "1"}
    shared["LOCAL_WORLD_SIZE"] = str(count)
    previous = signal.signal(signal.SIGTERM, _interrupt)
    processes: list[subprocess.Popen[bytes]] = []
    with contextlib.ExitStack() as stack:
        errors = [None, *(stack.enter_context(tempfile.TemporaryFile()) for _ in range(count - 1))]
        stack.callback(signal.signal, signal.SIGTERM, previous)
        stack.callback(_end, processes)
        for rank in range(count):
            environment = shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)}
            processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "torch7py", *arguments],
                    env=environment,
                    stdin=None if rank == 0 else subprocess.DEVNULL,
                    stderr=errors[rank],
                )
            )
        try:
            return _watch(processes, errors)
        except KeyboardInterrupt:
            _wait(processes, OTHERS_END)
            return INTERRUPTED
    raise AssertionError("not reached")


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _watch(processes: Sequence[subprocess.Popen[bytes]], errors: Sequence[IO[bytes] | None]) -> int:
    """Wait until all have ended, or one has failed; returns the exit code."""
    while True:
        codes = [process.poll() for process in processes]
        if any(codes):  # one has ended, with another code than 0
            break
        if None not in codes:
            return 0
        time.sleep(0.05)
    failed = [rank for rank, code in enumerate(codes) if code and code != LOST]
    _wait(processes, OTHERS_END)
    codes = [process.poll() for process in processes]
    failed = failed or [rank for rank, code in enumerate(codes) if code and code != LOST]
    if not failed:
        click.echo(f"torch7py: {_premature(codes)}", err=True)
        return 1
    first_code = codes[0]
    spoken = (
        first_code is not None and first_code > 0 and first_code != LOST
    )  # the first process has said the same, where all fail alike
    first = 0 if spoken and (codes[failed[0]] or 0) > 0 else failed[0]
    code = codes[first] or 1
    if code > 0:
        error = errors[first]
        if error is not None:
            error.seek(0)
            click.echo(f"torch7py: process {first} of {len(processes)}:", err=True)
            click.echo(error.read().decode(errors="replace"), nl=False, err=True)
        return code
    what = signal.Signals(-code).name if -code in list(signal.Signals) else f"signal {-code}"
    click.echo(
        f"torch7py: process {first} of {len(processes)} was killed ({what}); the others have been ended",
        err=True,
    )
    return 128 - code


def _premature(codes: Sequence[int | None]) -> str:
    early = [str(rank) for rank, code in enumerate(codes) if code == 0]
    if early:
        return (
            f"process {', '.join(early)} of {len(codes)} ended before the others, which still had to meet it"
        )
    return "the processes have lost one another"


def _wait(processes: Sequence[subprocess.Popen[bytes]], seconds: float) -> None:
    """Give processes time to end by themselves."""
    end = time.monotonic() + seconds
    while any(process.poll() is None for process in processes) and time.monotonic() < end:
        time.sleep(0.02)


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    _wait(processes, KILLED_AFTER)
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()


# -- one of the processes ------------------------------------------------------------------------------------


def is_one_of_several() -> bool:
    """Whether this process was started as one of several, by ``--nproc`` or torchrun."""
    named = all(name in os.environ for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR"))
    return named and int(os.environ["WORLD_SIZE"]) > 1


def is_watched() -> bool:
    """Whether ``--nproc`` has started this process, so that another one reports its end."""
    return WATCHED in os.environ


def be_quiet() -> None:
    """Let a process that is not the first print nothing."""
    if is_watched() and sys.platform.startswith("linux"):  # none outlives the one that watches
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if int(os.environ["RANK"]) == 0:
        return
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


@contextlib.contextmanager
def deaf_to_closed_sockets(several: bool) -> Iterator[None]:
    """Let writing to a process that has gone be an error, where it would end this process too."""
    if not several or not hasattr(signal, "SIGPIPE"):
        yield
        return
    previous = signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGPIPE, previous)


def device_of(device: str) -> str:
    """The device of this process: each on a machine takes a GPU of its own."""
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if device == "cuda" else device


def same_seed(group: ProcessGroup, seed: int | None) -> int:
    """The seed of all processes: the given one, or a random one of the first."""
    chosen: int = group.agree(
        "the seed", seed if seed is not None else int.from_bytes(os.urandom(4), "little")
    )
    return chosen
