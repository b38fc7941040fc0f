"""What programs write through torch.CmdLine, xlua, sys and optim.Logger, against the originals."""

from __future__ import annotations

import pytest

from tests.packages.written_texts import recorded_texts, written


@pytest.mark.parametrize(("prelude", "code", "text"), recorded_texts("console"))
def test_console(runtime, monkeypatch, prelude, code, text):
    monkeypatch.setenv("COLUMNS", "80")
    runtime.execute("require 'optim'")
    assert written(runtime, prelude, code) == text
