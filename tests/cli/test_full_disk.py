"""Commands whose output goes to a full disk: one line and an exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import torch7py
from tests import python_process

FULL = Path("/dev/full")

pytestmark = pytest.mark.skipif(not FULL.is_char_device(), reason="the system has no /dev/full")


def printed_to_a_full_disk(*arguments: str | Path) -> tuple[int, str]:
    with FULL.open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "torch7py", *map(str, arguments)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
        )
    return ended.returncode, ended.stderr


@pytest.mark.parametrize(
    ("source", "code", "forked"),
    [
        ("print('text')", 1, False),
        ("io.write('text')", 1, True),
        ("print('text') os.exit(3)", 3, False),
        ("io.write('text') os.exit()", 1, True),
    ],
)
def test_a_program(tmp_path: Path, source: str, code: int, forked: bool) -> None:
    script = tmp_path / "script.lua"
    script.write_text(source)
    if forked:
        ended = python_process.run(["-m", "torch7py", "run", script], stdout=FULL)
        found, said = ended.returncode, ended.stderr
    else:
        found, said = printed_to_a_full_disk("run", script)
    assert found == code
    assert said.count("\n") == 1
    assert said.startswith("torch7py: what was printed could not be written")


@pytest.mark.parametrize(
    "arguments", [["inspect", "tensor.t7"], ["convert", "tensor.t7", "tensor.npz"], ["--help"]]
)
def test_a_command(tmp_path: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    torch7py.save(torch.zeros(2), "tensor.t7")
    code, said = printed_to_a_full_disk(*arguments)
    assert code == 1
    assert said.count("\n") == 1
    assert said.startswith("torch7py: ")
    assert said.endswith("No space left on device\n")
