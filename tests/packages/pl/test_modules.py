"""Penlight's other modules beside the original: what a program prints with each (tests/golden/README.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch7py.bridge.runtime import Runtime

PROGRAMS = Path(__file__).parents[2] / "golden" / "penlight"
NAMES = sorted(path.stem for path in PROGRAMS.glob("*.txt"))


def test_every_program_has_its_output() -> None:
    assert sorted({path.stem for path in PROGRAMS.glob("*.lua")} - {"show"}) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_what_the_original_printed(runtime: Runtime, capfd: pytest.CaptureFixture[str], name: str) -> None:
    runtime.run(PROGRAMS / "show.lua")
    runtime.run(PROGRAMS / f"{name}.lua")
    printed = capfd.readouterr().out.split("\n")
    expected = (PROGRAMS / f"{name}.txt").read_text(encoding="utf-8").split("\n")
    for number, (line, wanted) in enumerate(zip(printed, expected, strict=False), 1):
        assert line.rstrip() == wanted.rstrip(), number
    assert len(printed) == len(expected)
