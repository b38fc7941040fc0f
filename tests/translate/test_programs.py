"""``programs/``: Lua of many kinds, wholly translated, and equal to the original in what it prints and learns."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import verify_script

PROGRAMS = sorted(Path(__file__).parent.joinpath("programs").glob("*.lua"))


@pytest.mark.parametrize("path", PROGRAMS, ids=[path.stem for path in PROGRAMS])
def test_equal(path: Path) -> None:
    page = translate_script(path.read_bytes(), path.name)
    assert [str(problem) for problem in page.problems] == []
    comparison = verify_script(page, path)
    assert comparison.lines > 5
    assert comparison.largest < 1e-9
