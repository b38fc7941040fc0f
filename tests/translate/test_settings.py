"""Methods that set how a layer works: arguments of its own in a page, and refused where they are another thing."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import verify_script

PROGRAM = """require 'rnn'
torch.manualSeed(1)
local m = {module}
local x = {{torch.randn(3, 4), torch.randn(3, 4)}}
print(m:forward(x)[1]:sum(), m:forward(x)[2]:sum())
"""


@pytest.mark.parametrize("mode", ["both", "neither"])
def test_what_a_sequence_remembers(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(PROGRAM.format(module=f"nn.Sequencer(nn.FastLSTM(4, 3)):remember('{mode}')"))
    page = translate_script(path.read_bytes(), str(path))
    assert page.problems == []
    assert verify_script(page, path).largest < 1e-12


@pytest.mark.usefixtures("without_objects")
@pytest.mark.parametrize(
    "module",
    [
        # each hands the setting on to what is in it, or has no form with it
        "nn.Sequential():add(nn.BiSequencer(nn.FastLSTM(4, 3))):remember('both')",
        "nn.Sequencer(nn.Recursor(nn.LSTM(4, 3)):maskZero(1))",
        "nn.BiSequencer(nn.FastLSTM(4, 3)):remember('both')",
        "nn.Sequencer(nn.GRU(4, 3):maskZero(0))",
        "nn.Sequencer(nn.GRU(4, 3, 5, 0.5):maskZero(1))",
        "nn.Sequencer(nn.FastLSTM(4, 3):maskZero(2))",
    ],
)
def test_a_setting_of_something_else_is_refused(module: str) -> None:
    page = translate_script(PROGRAM.format(module=module).encode(), "p.lua")
    assert {problem.code for problem in page.problems} & {"T7-202", "T7-223"}


@pytest.mark.parametrize(
    "lines",
    [
        # a part that comes later is not told
        "local p = nn.Sequential()\nlocal m = nn.Sequential():add(p)\nm:remember()\np:add(nn.SeqLSTM(4, 3))",
        "local m = nn.Sequential():add(nn.SeqLSTM(4, 3))\nif x:sum() > 0 then m:remember('both') end",
        # the runs before begin anew each
        "local m = nn.Sequential():add(nn.SeqLSTM(4, 3))\nfor i = 1, 2 do m:forward(x) end\nm:remember('both')",
    ],
)
def test_what_is_remembered_from_somewhere_on_is_refused(lines: str) -> None:
    source = f"require 'rnn'\nlocal x = torch.randn(2, 3, 4)\n{lines}\nprint(m:forward(x):sum())\n"
    page = translate_script(source.encode(), "p.lua")
    assert {problem.code for problem in page.problems} & {"T7-202", "T7-222"}


def test_what_is_remembered_from_somewhere_on(tmp_path: Path) -> None:
    """The state of the pass before is there, as nothing has cleared it."""
    lines = "local m = nn.Sequential():add(nn.SeqLSTM(4, 3))\nm:forward(x)\nm:remember('both')"
    path = tmp_path / "p.lua"
    path.write_text(f"require 'rnn'\nlocal x = torch.randn(2, 3, 4)\n{lines}\nprint(m:forward(x):sum())\n")
    page = translate_script(path.read_bytes(), str(path))
    assert page.problems == []
    assert verify_script(page, path).largest < 1e-12


@pytest.mark.parametrize("call", ["x:topk(2)", "x:topk(2, 1, big, true)", "x:kthvalue()"])
def test_an_order_that_python_has_not_is_refused(call: str) -> None:
    source = f"local big = #arg > 0\nlocal x = torch.Tensor{{3, 1, 2}}\nlocal v = {call}\nprint(v:sum())\n"
    page = translate_script(source.encode(), "p.lua")
    assert "T7-271" in {problem.code for problem in (*page.problems, *page.reasons)}


def test_the_smallest_is_what_topk_gives_alone(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text("local x = torch.Tensor{3, 1, 2}\nlocal v, i = x:topk()\nprint(v[1], i[1])\n")
    page = translate_script(path.read_bytes(), str(path))
    assert page.problems == []
    assert verify_script(page, path).largest == 0
