"""Hidden states of modules and of what they are in: which there are at each step, and who has none to give."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.golden_cases import GOLDEN
from torch7py.bridge.runtime import Runtime

PROGRAM = Path(__file__).parent / "programs" / "hidden_states.lua"


@pytest.mark.one_lua
def test_which_hidden_states_there_are(capfd: pytest.CaptureFixture[str]) -> None:
    with Runtime() as runtime:
        runtime.run(PROGRAM, [])
    theirs = gzip.decompress((GOLDEN / "hidden_states.txt.gz").read_bytes()).decode().splitlines()
    assert [line.rstrip() for line in capfd.readouterr().out.splitlines()] == theirs
