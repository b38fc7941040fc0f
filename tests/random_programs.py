"""Programs that print lines for each of many seeds, beside what the original printed (``golden/NAME.txt.gz``)."""

from __future__ import annotations

import gzip
import re
from functools import cache
from pathlib import Path

import pytest

from torch7py.bridge.runtime import Runtime

__all__ = ["wrong_lines"]

NUMBER = re.compile(r"-?\d+\.\d+")


@cache
def _expected(name: str) -> dict[int, list[str]]:
    lines: dict[int, list[str]] = {}
    packed = (Path(__file__).parent / "golden" / f"{name}.txt.gz").read_bytes()
    for line in gzip.decompress(packed).decode("ascii").splitlines():
        lines.setdefault(int(line.split()[0]), []).append(line.rstrip())
    return lines


def differs(found: str, expected: str) -> bool:
    """Whether a line shows anything else, or a number that is another; some tensors are floats."""
    if NUMBER.sub("", found) != NUMBER.sub("", expected):
        return True
    pairs = zip(map(float, NUMBER.findall(found)), map(float, NUMBER.findall(expected)), strict=True)
    return any(abs(one - other) > 3e-4 * max(1, abs(other)) for one, other in pairs)


def wrong_lines(program: Path, seeds: range, captured: pytest.CaptureFixture[bytes]) -> list[tuple[str, str]]:
    """The lines of these seeds that differ, and what they should be. The golden file has the program's name."""
    with Runtime() as runtime:
        runtime.run(program, [str(seeds[0]), str(seeds[-1])])
        runtime.execute("io.stdout:flush()")
    found: dict[int, list[str]] = {}
    for line in captured.readouterr().out.decode("ascii").splitlines():
        found.setdefault(int(line.split()[0]), []).append(line.rstrip())
    wrong = []
    for seed in seeds:
        lines, expected = found.get(seed, []), _expected(program.stem)[seed]
        assert len(lines) == len(expected), (lines[-1:], expected[-1])
        wrong += [pair for pair in zip(lines, expected, strict=True) if differs(*pair)]
    return wrong
