"""Methods that a script puts in the place of built-in ones for a while are called as often as in the original."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.golden_cases import GOLDEN
from torch7py.bridge.runtime import Runtime

SEEDS = 400
PROGRAM = Path(__file__).with_name("swapped_methods.lua")


@pytest.mark.parametrize(
    ("first", "last"), [(1, 40), pytest.param(41, SEEDS, marks=pytest.mark.slow)], ids=["some", "all"]
)
def test_what_is_called_and_computed_is_the_originals(
    first: int, last: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with Runtime() as runtime:
        runtime.run(PROGRAM, [str(first), str(last)])
    printed = [line.rstrip() for line in capfd.readouterr().out.splitlines()]
    recorded = gzip.decompress((GOLDEN / "swapped_methods.txt.gz").read_bytes()).decode().splitlines()
    assert printed == [line for line in recorded if first <= int(line.split("\t")[0]) <= last]
