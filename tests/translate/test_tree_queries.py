"""``forms.lua``: each form of a function as a program of its own, wholly native and equal to the original, or refused.

A form that is refused, or in plain calls, is never a wrong page; how many there are is counted here so
that a form that loses its native one is seen.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import TOLERANCE, verify_script

FORMS = Path(__file__).with_name("forms.lua").read_text().splitlines()[1:]
NOT_NATIVE = 13  # at most


def _is_native(source: str, path: Path) -> bool:
    """Whether a form has a native one; if so, it is compared with the original."""
    path.write_text(f"torch.manualSeed(2)\n{source}\n")
    page = translate_script(path.read_bytes(), str(path))
    if page.problems or page.plain_calls:
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of results that grow
        assert verify_script(page, path).largest < TOLERANCE, source
    return True


@pytest.mark.slow
def test_forms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    others = [source for source in FORMS if not _is_native(source, tmp_path / "form.lua")]
    assert len(others) <= NOT_NATIVE, "\n".join(others)
