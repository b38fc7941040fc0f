"""Damages ``.t7`` files at random, and reads them in every way that there is: ``torch7py.load`` and ``save``, the outline,
``torch.load`` of a program, and the commands ``inspect`` and ``convert``.

``python -m tests.fuzz.files COUNT [FIRST] [JOBS]`` tries as many and lists what was found: processes that died or took too
long, what is no T7Error with its place, memory that the size of a file does not ask for, commands that end in a traceback.
"""

from __future__ import annotations

import faulthandler
import os
import re
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import torch
from click.testing import CliRunner

import torch7py
from tests.fuzz.calls import Fault
from tests.t7.fuzz import HEADROOM, attempts, limited_memory, read
from tests.t7.golden_files import files
from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.cli.main import main as command

__all__ = ["read_damaged"]

BATCH = 500  # files for one process
SECONDS = 20  # for one file
COMMANDS = 20  # one of so many files goes through the commands too
OUTPUTS = ("safetensors", "npz", "pt", "py")


def _by_program(runtime: Runtime, path: Path) -> None:
    runtime.globals["path"] = str(path)
    try:
        runtime.execute("local x = torch.load(path) torch.save(path .. '.again', x)", "=read.lua")
    except LuaError as error:
        if not re.match(r"read\.lua:1: ", error.message) or "Traceback" in error.message or "\n" in error.message:
            raise AssertionError(f"a program's error: {error.message}") from error


def _by_command(path: Path, random: Random) -> None:
    out = path.with_suffix(f".{random.choice(OUTPUTS)}")
    for arguments in (["inspect", str(path)], ["convert", str(path), str(out)]):
        result = CliRunner().invoke(command, arguments)
        unexpected = result.exception is not None and not isinstance(result.exception, SystemExit)
        if unexpected or result.exit_code not in (0, 1) or "Traceback" in result.output:
            raise AssertionError(f"{arguments[0]}: {result.exit_code}, {result.exception!r}, {result.output[-200:]}")
        if result.exit_code == 1 and result.stderr.count("\n") != 1:
            raise AssertionError(f"{arguments[0]} says more than a line: {result.stderr[:300]}")


def _read_in_every_way(runtime: Runtime, path: Path, number: int) -> None:
    with limited_memory(path.stat().st_size + HEADROOM):
        read(path)
        _by_program(runtime, path)
    random = Random(number)
    if random.randrange(COMMANDS) == 0:
        _by_command(path, random)


def _files(runtime: Runtime, first: int, last: int, folder: Path) -> None:
    """In a process of its own: the files of these numbers."""
    os.chdir(folder)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.enable(open("error", "w"))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    path = folder / "damaged.t7"
    for number, (name, data) in enumerate(attempts(last - first, first), first):
        signal.alarm(SECONDS)
        Path("current").write_text(name)
        path.write_bytes(data)
        try:
            _read_in_every_way(runtime, path, number)
        except Exception as error:  # whatever it is, it is what is looked for
            message = " ".join(f"{type(error).__name__}: {error} (from {error.__cause__!r})".split())[:600]
            with open("found", "a") as found:
                found.write(f"{number}\twrong\t{name}\t{message}\n")
        Path("done").write_text(str(number))


def _batch(runtime: Runtime, first: int, last: int) -> list[Fault]:
    faults: list[Fault] = []
    with tempfile.TemporaryDirectory(prefix="torch7py-fuzz-") as made:
        folder = Path(made)
        at = first
        while at < last:
            pid = os.fork()
            if pid == 0:
                code = 1
                try:
                    _files(runtime, at, last, folder)
                    code = 0
                finally:
                    os._exit(code)
            _, status = os.waitpid(pid, 0)
            if status == 0:
                break
            done = folder / "done"
            at = int(done.read_text()) + 1 if done.exists() else at
            said = " ".join((folder / "error").read_text().split())[:1500]
            name = (folder / "current").read_text()
            faults.append(Fault(at, f"status {status}", name, said))
            done.write_text(str(at))
            at += 1
        found = folder / "found"
        if found.exists():
            for line in found.read_text().splitlines():
                number, kind, name, message = line.split("\t", 3)
                faults.append(Fault(int(number), kind, name, message))
    return faults


def read_damaged(count: int, first: int = 0, jobs: int = 1) -> Iterator[list[Fault]]:
    """The faults that so many damaged files show, a list for each process that read some of them."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as made, Runtime(seed=1) as runtime:
        for package in ("nn", "nngraph", "rnn"):
            runtime.execute(f"require '{package}'")
        whole = Path(made) / "whole.t7"  # what is loaded with the first file does not count as its memory
        whole.write_bytes(files()["nn_gmodule.binary.t7"])
        torch7py.load(whole)
        _by_program(runtime, whole)
        for name in OUTPUTS:
            CliRunner().invoke(command, ["convert", str(whole), str(whole.with_suffix(f".{name}"))])
        CliRunner().invoke(command, ["inspect", str(whole)])
        starts = range(first, first + count, BATCH)
        with ThreadPoolExecutor(jobs) as pool:
            yield from pool.map(lambda at: _batch(runtime, at, min(at + BATCH, first + count)), starts)


def main() -> None:
    count = int(sys.argv[1])
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    jobs = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    seen: set[str] = set()
    started, total = time.monotonic(), 0
    for number, faults in enumerate(read_damaged(count, first, jobs), 1):
        total += len(faults)
        for fault in faults:
            group = re.sub(r"[\d.]+", "N", fault.message)[:120]
            if group not in seen:
                seen.add(group)
                print(f"{fault.number}\t{fault.kind}\t{fault.call}\t{fault.message}", flush=True)
        seconds = time.monotonic() - started
        print(f"# {min(number * BATCH, count)} files, {total} faults, {seconds:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
