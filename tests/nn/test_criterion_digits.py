"""Losses and gradients have the original's last digits, in whatever way a call is served."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.golden_cases import GOLDEN
from torch7py.bridge.runtime import Runtime


def test_digits_of_elementwise_criterions_are_the_originals(capfd: pytest.CaptureFixture[str]) -> None:
    with Runtime() as runtime:
        runtime.run(Path(__file__).with_name("programs") / "criterion_digits.lua")
    printed = [line.rstrip() for line in capfd.readouterr().out.splitlines()]
    recorded = gzip.decompress((GOLDEN / "criterion_digits.txt.gz").read_bytes()).decode().splitlines()
    assert printed == recorded
