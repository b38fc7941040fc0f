"""fbtorch: ``torch.reload``."""

from __future__ import annotations

from tests.inner_runtime import lua


def test_fbtorch_runs_a_module_once_more(folder):
    (folder / "counted.lua").write_text("count = (count or 0) + 1 return {count = count}")
    made = "local torch = require 'fbtorch' require 'counted' local m = torch.reload 'counted'"
    assert lua(f"{made} return m.count, require('counted') == m, torch.Tensor(2):nElement()") == (2, True, 2)
