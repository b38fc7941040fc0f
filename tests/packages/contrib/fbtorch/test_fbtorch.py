"""fbtorch: ``torch.reload``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.inner_runtime import InnerRuntime as Runtime


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lua(text: str) -> Any:
    with Runtime() as runtime:
        return runtime.execute(text)


def test_fbtorch_runs_a_module_once_more(place):
    (place / "counted.lua").write_text("count = (count or 0) + 1 return {count = count}")
    made = "local torch = require 'fbtorch' require 'counted' local m = torch.reload 'counted'"
    assert lua(f"{made} return m.count, require('counted') == m, torch.Tensor(2):nElement()") == (2, True, 2)
