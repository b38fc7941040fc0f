"""What torch.CmdLine, xlua, sys and optim.Logger write, against the originals; see tests/golden/README.md."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

with gzip.open(Path(__file__).parents[1] / "golden" / "console.json.gz", "rt") as file:
    GOLDEN = json.load(file)


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: " ".join(case["code"].split())[-60:])
def test_as_the_original_wrote(runtime, monkeypatch, case):
    monkeypatch.setenv("COLUMNS", "80")
    runtime.execute("require 'optim'")
    text = runtime.execute(f"{GOLDEN['prelude']}\nreturn run(function()\n{case['code']}\nend)")
    assert text == case["text"]
