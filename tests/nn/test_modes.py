"""``training`` and ``evaluate`` said again: every module is in the mode that the original has it in."""

from __future__ import annotations

import pytest

from tests.looks import looks
from torch7py.bridge.runtime import Runtime

MODEL = """
    require 'nn'
    m = nn.Sequential():add(nn.Linear(2, 2)):add(nn.Dropout(0.5))
    m:training()
    m:training()
"""

# What a script does to a model in training, what it says then, and the mode of the second module, or of the one named.
CHANGES = {
    "m:get(2):evaluate() m:training() return m:get(2).train": True,
    "m:get(2).train = false m:training() return m:get(2).train": True,
    "m:evaluate() m:evaluate() m:add(nn.Dropout(0.3)) m:evaluate() return m:get(3).train": False,
    "m:evaluate() m:evaluate() table.insert(m.modules, nn.Dropout(0.3)) m:evaluate() return m:get(3).train": False,
    "m:evaluate() m:evaluate() m.modules[2] = nn.Dropout(0.2) m:evaluate() return m:get(2).train": False,
    "m:evaluate() m.train = nil m:evaluate() return m.train": False,
    # methods of a script's are called each time
    "n = 0 local d = m:get(2) function d:training() n = n + 1 end m:training() m:training() return n": 2,
    "n = 0 function nn.Dropout:training() n = n + 1 end m:training() m:training() return n": 2,
    """
    n = 0
    local c = torch.class('Mine', 'nn.Module')
    function c:training() n = n + 1 nn.Module.training(self) end
    m:add(Mine()) m:training() m:training()
    return n
    """: 2,
}


@pytest.mark.parametrize("change", CHANGES)
def test_said_again(runtime: Runtime, change: str) -> None:
    runtime.execute(MODEL)
    assert runtime.execute(change) == CHANGES[change]


def test_what_is_said_again_ends_nothing(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Lua knows of a small model, that its list of instructions holds, stays known."""
    if runtime.engine == "lua51":
        pytest.skip("plain Lua reaches no memory, so that it knows nothing of it")
    runtime.execute(MODEL + "small, x = nn.Sequential():add(nn.Linear(2, 2)), torch.ones(2)")
    runtime.execute("for _ = 1, 3 do small:training() small:forward(x) end")
    asked = looks(monkeypatch)
    runtime.execute("for _ = 1, 10 do small:training() small:forward(x) m:training() end")
    assert len(asked) <= 1
