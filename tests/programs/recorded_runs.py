"""Runs of real programs that were recorded under the original, and running the same here.

The programs are not part of this project: ``TORCH7PY_UPSTREAM`` names a folder with checkouts of their repositories,
each in a folder named as on GitHub (``char-rnn``, ``practical6``, ``rnn``, ...). The commit that the record is of is
in ``tests/golden/programs.json.gz``.
"""

from __future__ import annotations

import gzip
import json
import os
import shlex
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from tests.golden_cases import GOLDEN

__all__ = ["UPSTREAM", "MissingCheckoutError", "copy_of_checkout", "notes_of", "records", "run_recorded"]

HERE = Path(__file__).parent
STANDINS = HERE.parents[1] / "tools" / "standins"
UPSTREAM = os.environ.get("TORCH7PY_UPSTREAM")
SHAKESPEARE = "char-rnn/data/tinyshakespeare/input.txt"


class MissingCheckoutError(Exception):
    """What a run needs is not on this machine."""


@cache
def records() -> list[dict[str, Any]]:
    with gzip.open(GOLDEN / "programs.json.gz", "rt") as file:
        found: list[dict[str, Any]] = json.load(file)
    return found


def copy_of_checkout(record: dict[str, Any], copy: Path) -> Path:
    """The folder in which the program runs, with all that it finds there, in a copy of its repository."""
    name: str = record["repo"].split("/")[1]
    root = Path(UPSTREAM or "", name)
    if not UPSTREAM or not root.is_dir():
        raise MissingCheckoutError(
            f"TORCH7PY_UPSTREAM does not name a folder with a checkout of {record['repo']}"
        )
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns(".git"), symlinks=True)
    folder = Path(copy, record["folder"])
    _prepare(record, root, folder)
    return folder


def _prepare(record: dict[str, Any], root: Path, folder: Path) -> None:
    """What the program finds in its folder: a trained model for those that sample, data for those that train."""
    name = record["name"]
    if name.startswith("practical6"):
        if not (root.parent / SHAKESPEARE).exists():
            raise MissingCheckoutError("there is no checkout of char-rnn, whose data it takes")
        shutil.copy(root.parent / SHAKESPEARE, folder / "input.txt")
        words = "data_preparation/prepare_data.lua -txt input.txt -vocab vocab.t7 -data data.t7"
        _torch7py(folder, *words.split())
    if "-sample" in name:
        before = next(r for r in records() if r["name"] == name.replace("-sample", "-train"))
        run_recorded(before, folder, folder / "notes")
        if name.startswith("practical6"):
            saved, model = next(folder.glob("model_autosave*.t7")), "m.t7"
        else:
            model = record["args"].split()[0]
            saved = next(folder.glob(f"cv_{model[4:-3]}/*.t7"))
        shutil.copy(saved, folder / model)


def run_recorded(record: dict[str, Any], folder: Path, notes: Path, *options: str) -> str:
    """What the program prints as it was run for the record; ``notes`` gets what ``record.lua`` notes."""
    settings = [*(f"{key}={value}" for key, value in record["settings"].items()), *options]
    program = [record["program"], *shlex.split(record["args"])]
    return _torch7py(
        folder, str(HERE / "record.lua"), str(notes), *settings, "--", *program, input="\n" * 100
    )


def _torch7py(folder: Path, *words: str, input: str = "") -> str:
    """What ``torch7py run`` printed."""
    command = [sys.executable, "-m", "torch7py", "run", *words]
    environment = dict(os.environ, PYTHONPATH=str(HERE.parents[1]), OMP_NUM_THREADS="1")
    environment["LUA_PATH"] = f"{STANDINS}/?.lua;;"
    done = subprocess.run(
        command, cwd=folder, env=environment, input=input, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-2000:]
    return done.stdout


def notes_of(notes: Path, kind: str) -> list[tuple[str, float]]:
    """What was noted of one kind: a name and a number each."""
    rows = [line.split() for line in notes.read_text().splitlines()]
    return [(name, float(number)) for k, name, number in rows if k == kind]
