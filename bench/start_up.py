"""The command from start to end: whole processes, timed from outside."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.measure import Result, Target, alternate

__all__ = ["results"]

COMMAND = ("-m", "torch7py")


def python(*arguments: str | Path) -> None:
    """Run Python to its end; an exit code other than 0 is an error."""
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)


def results(quick: bool) -> Iterator[Result]:
    rounds = 1 if quick else 9
    bare_python = partial(python, "-c", "pass")
    import_torch = partial(python, "-c", "import torch")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "empty.lua"
        program.touch()
        helping, bare = alternate(partial(python, *COMMAND, "--help"), bare_python, rounds)
        running, importing = alternate(partial(python, *COMMAND, "run", program), import_torch, rounds)
    yield Result(
        "start_up", "--help (python -c pass)", "s", helping, bare, Target(0.3, "figure"), for_scale=True
    )
    yield Result("start_up", "run empty.lua (import torch)", "s", running, importing)
