"""``idioms/``: programs as they are written, one for each idiom; what each becomes is in docs/lua_to_python.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import idioms
from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import TOLERANCE, verify_script

IDIOMS = idioms.idioms()


@pytest.mark.parametrize("idiom", IDIOMS, ids=[idiom.title for idiom in IDIOMS])
def test_equal_or_refused(idiom: idioms.Idiom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where they write files
    path = tmp_path / "program.lua"
    path.write_text(idiom.program)
    page = translate_script(path.read_bytes(), path.name)
    assert {problem.code for problem in page.problems} == set(idiom.codes)
    if not idiom.codes:
        comparison = verify_script(page, path)
        assert comparison.lines > 0
        assert comparison.largest < TOLERANCE


def test_the_page_is_up_to_date() -> None:
    assert idioms.PAGE.read_text() == idioms.page()
