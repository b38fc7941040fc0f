"""Strides are the original's where a size is 1, too: nothing is computed by them there, but a program sees them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.golden_cases import GOLDEN
from torch7py.bridge.runtime import Runtime


def test_strides_are_the_originals(capfd: pytest.CaptureFixture[str]) -> None:
    with Runtime() as runtime:
        runtime.execute(Path(__file__).with_name("strides.lua").read_text())
    printed = [line.removesuffix("\t") for line in capfd.readouterr().out.splitlines()]
    recorded = gzip.decompress((GOLDEN / "strides.txt.gz").read_bytes()).decode().splitlines()
    assert printed == recorded
