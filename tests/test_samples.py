"""The programs in lua_samples run, and show what they are there to show."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from pathlib import Path

SAMPLES = Path(__file__).parents[1] / "lua_samples"


def test_every_sample_is_listed():
    listed = re.findall(r"\]\(([\w.]+\.lua)\)", SAMPLES.joinpath("README.md").read_text())
    assert sorted(listed) == sorted(path.name for path in SAMPLES.glob("*.lua"))


def test_fastlstm_learns():
    command = [sys.executable, "-m", "torch7py", "run", str(SAMPLES / "fastlstm.lua")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    losses = [float(loss) for loss in re.findall(r"loss (\d+\.\d+)", result.stdout)]
    assert len(losses) == 11
    # It starts at chance and every line that follows is lower than the one before.
    assert abs(losses[0] - math.log(100)) < 0.1
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.1
