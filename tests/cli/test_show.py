"""``torch7py show``: pages and drawings of models in files and of programs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import torch7py
from tests.html.pages import checked_page
from tests.time_limits import long_enough
from torch7py import nn
from torch7py.cli.main import main


def show(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["show", *map(str, arguments)])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    torch7py.save(
        {"net": nn.Sequential(nn.Linear(3, 4), nn.Tanh()), "loss": nn.MSECriterion()}, tmp_path / "m.t7"
    )
    return tmp_path / "m.t7"


def test_a_file(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = show(model, "--input", "2x3")
    assert (result.exit_code, result.output) == (0, f"{model} -> m.html: 1 model, 16 parameters\n")
    root = checked_page((tmp_path / "m.html").read_text())
    assert "output 2×4" in root.text
    assert "net" in root.one("header").text


def test_a_drawing(model: Path, tmp_path: Path) -> None:
    assert show(model, "-o", tmp_path / "m.svg").exit_code == 0
    assert (tmp_path / "m.svg").read_text().startswith('<?xml version="1.0"')
    result = show(model, "-o", tmp_path / "m.png")
    assert result.exit_code == 2
    assert "a picture is .html or .svg" in result.output


def test_a_wrong_input_is_an_error_with_a_page(model: Path, tmp_path: Path) -> None:
    result = show(model, "--input", "2x5", "-o", tmp_path / "m.html")
    assert result.exit_code == 1
    assert result.output.splitlines()[-1].startswith(f"torch7py: {model}: net: nn.Linear: ")
    assert "nn.Linear" in checked_page((tmp_path / "m.html").read_text()).one(class_="failed").text
    assert show(model, "--input", "2xx").exit_code == 1


@pytest.mark.parametrize("cut", [0, 1, 20, 400, -9])
def test_a_damaged_file_is_one_line(model: Path, tmp_path: Path, cut: int) -> None:
    model.write_bytes(model.read_bytes()[:cut])
    result = show(model, "-o", tmp_path / "m.html")
    assert result.exit_code == 1
    assert len(result.output.splitlines()) == 1
    assert result.output.startswith(f"torch7py: {model}: ")
    assert not (tmp_path / "m.html").exists()


def test_a_file_without_a_model(tmp_path: Path) -> None:
    torch7py.save({"a": 1}, tmp_path / "t.t7")
    result = show(tmp_path / "t.t7", "-o", tmp_path / "t.html")
    assert (result.exit_code, result.output) == (
        1,
        f"torch7py: {tmp_path}/t.t7: there is no model in it (torch7py inspect shows what is)\n",
    )


PROGRAM = """
require 'nn'
local Twice, parent = torch.class('<script>', 'nn.Module')
function Twice:__init() parent.__init(self); self.inner = nn.Linear(4, 4) end
function Twice:updateOutput(input) self.output = self.inner:updateOutput(input) * 2; return self.output end
function Twice:updateGradInput(input, g) error('no way back') end
local m = nn.Sequential():add(nn.Linear(tonumber(arg[1]), 4)):add(_G['<script>']())
local copy = m:clone('weight', 'bias', 'gradWeight', 'gradBias')
local other = nn.Sequential():add(nn.Linear(3, 3)):add(nn.Tanh())
nn.Linear(2, 2)
while true do
  m:forward(torch.randn(8, 10))
  copy:forward(torch.randn(2, 10))
  other:forward(torch.randn(3))
  if arg[2] then error('stop here') end
end
"""


def test_a_program_that_does_not_end(tmp_path: Path) -> None:
    (tmp_path / "p.lua").write_text(PROGRAM)
    _, result = long_enough(
        lambda limit: show(tmp_path / "p.lua", "-o", tmp_path / "p.html", "--limit", limit, "10"),
        lambda result: "2 models" in result.output,
    )
    assert (result.exit_code, result.output) == (
        0,
        f"{tmp_path}/p.lua -> {tmp_path}/p.html: 2 models, {10 * 4 + 4 + 4 * 4 + 4 + 12} parameters\n",
    )
    root = checked_page((tmp_path / "p.html").read_text())
    assert [link.text for link in root.one(class_="contents").all("a")] == [
        "nn.Sequential 1",
        "nn.Sequential 2",
    ]
    first = root.all("section")[0]
    assert "no way back" in first.one(class_="notice").text
    assert [e.text for e in first.all(class_="edge")] == ["input 8×10", "8×4", "output 8×4"]
    assert "8×4 → 8×4" in first.text  # of the layer that the program's own calls
    assert "copies on the same weights1" in first.text
    assert "input 3" in root.all("section")[1].text


def test_a_program_that_fails_is_shown_as_far_as_it_came(tmp_path: Path) -> None:
    (tmp_path / "p.lua").write_text(PROGRAM)
    result = show("-o", tmp_path / "p.html", tmp_path / "p.lua", "10", "x")
    assert result.exit_code == 1
    assert "stop here" in result.output.splitlines()[-1]
    assert "stop here" in checked_page((tmp_path / "p.html").read_text()).all(class_="notice")[0].text
    (tmp_path / "q.lua").write_text("print(1 +")
    result = show("-o", tmp_path / "q.html", tmp_path / "q.lua")
    assert result.exit_code == 1
    assert len(result.output.splitlines()) == 1
    (tmp_path / "q.lua").write_text("local x = 1")
    assert "it calls forward on no model" in show("-o", tmp_path / "q.html", tmp_path / "q.lua").output
    assert not os.path.exists(tmp_path / "q.html")


def test_requests_that_make_no_sense(model: Path, tmp_path: Path) -> None:
    (tmp_path / "p.lua").write_text("")
    assert show(tmp_path / "p.lua", "--input", "3").exit_code == 2
    assert show(model, "more").exit_code == 2
    assert show(tmp_path / "none.t7").exit_code == 2
