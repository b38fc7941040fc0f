"""pprint: what a program prints with the original (tests/golden/README.md)."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from torch7py.bridge.runtime import Runtime

GOLDEN = Path(__file__).parents[3] / "golden"


def test_what_the_original_printed(runtime: Runtime, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    runtime.run(GOLDEN / "pprint.lua")
    printed = capfdbinary.readouterr().out.split(b"\n")
    expected = gzip.decompress((GOLDEN / "pprint.txt.gz").read_bytes()).split(b"\n")
    assert len(expected) > 40
    for number, (line, wanted) in enumerate(zip(printed, expected, strict=True), 1):
        assert line.rstrip() == wanted, number
