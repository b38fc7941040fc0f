"""Damages ``.t7`` files at random and reads them in every way: ``torch7py.load``, the outline, a program, the commands.

``python -m tests.fuzz.files COUNT [FIRST] [JOBS]`` tries as many and lists what it found: processes that died or took
too long, errors that are no T7Error or have no place, memory that the size of a file does not ask for, commands that
end in more than a line.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import torch
from click.testing import CliRunner

import torch7py
from tests.fuzz.processes import Fault, current, in_processes, report
from tests.t7.fuzz import HEADROOM, attempts, limited_memory, read
from tests.t7.golden_files import files
from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.cli.main import main as command

__all__ = ["read_damaged"]

BATCH = 500
COMMANDS = 20  # one of so many files goes through the commands too
OUTPUTS = ("safetensors", "npz", "pt", "py")


def _by_program(runtime: Runtime, path: Path) -> None:
    runtime.globals["path"] = str(path)
    try:
        runtime.execute("local x = torch.load(path) torch.save(path .. '.again', x)", "=read.lua")
    except LuaError as error:
        said = error.message
        if not said.startswith("read.lua:1: ") or "Traceback" in said or "\n" in said:
            raise AssertionError(f"a program's error: {said}") from error


def _by_commands(path: Path, output: str) -> None:
    for arguments in (["inspect", str(path)], ["convert", str(path), str(path.with_suffix(f".{output}"))]):
        result = CliRunner().invoke(command, arguments)
        unexpected = result.exception is not None and not isinstance(result.exception, SystemExit)
        if unexpected or result.exit_code not in (0, 1) or "Traceback" in result.output:
            said = f"{arguments[0]}: {result.exit_code}, {result.exception!r}, {result.output[-200:]}"
            raise AssertionError(said) from result.exception
        if result.exit_code == 1 and result.stderr.count("\n") != 1:
            raise AssertionError(f"{arguments[0]} says more than a line: {result.stderr[:300]}")


def read_damaged(count: int, first: int = 0, jobs: int = 1) -> Iterator[list[Fault]]:
    """The faults that so many damaged files show, some at a time."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as made, Runtime(seed=1) as runtime:
        for package in ("nn", "nngraph", "rnn"):
            runtime.execute(f"require '{package}'")
        whole = Path(made) / "whole.t7"  # what is loaded with the first file does not count as its memory
        whole.write_bytes(files()["nn_gmodule.binary.t7"])
        torch7py.load(whole)
        _by_program(runtime, whole)
        for output in OUTPUTS:
            _by_commands(whole, output)

        def attempt(number: int) -> None:
            ((name, data),) = attempts(1, number)
            current(re.sub(r"\s", " ", name))
            path = Path.cwd() / "damaged.t7"
            path.write_bytes(data)
            with limited_memory(len(data) + HEADROOM):
                read(path)
                _by_program(runtime, path)
            random = Random(number)
            if random.randrange(COMMANDS) == 0:
                _by_commands(path, random.choice(OUTPUTS))

        yield from in_processes(attempt, count, first, jobs, BATCH)


if __name__ == "__main__":
    report(read_damaged, BATCH)
