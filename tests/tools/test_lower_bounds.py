"""The oldest releases that are allowed: each with a reason, and tested where an environment with them is at hand."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tools.lower_bounds import BOUNDS, ROOT, SAMPLE, declared

LOWEST = os.environ.get("TORCH7PY_LOWEST")


def test_every_bound_has_a_reason() -> None:
    assert declared() == {name: {version} for name, (version, _) in BOUNDS.items()}
    assert all(why for _, why in BOUNDS.values())


def test_the_sample_exists() -> None:
    assert [path for path in SAMPLE if not (ROOT / path).is_file()] == []


@pytest.mark.skipif(
    LOWEST is None, reason="TORCH7PY_LOWEST names no environment made by tools/lower_bounds.py"
)
def test_the_sample_passes_with_the_oldest_releases() -> None:
    command = [
        str(Path(LOWEST or "") / "bin" / "python"),
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        *SAMPLE,
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
