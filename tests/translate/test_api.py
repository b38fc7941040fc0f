"""``torch7py.to_pytorch``."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import torch7py
from torch7py import nn
from torch7py.translate.layers import NotNative
from torch7py.translate.parse import LuaSyntaxError


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "util.lua").write_text("local M = {}\nfunction M.twice(x) return x * 2 end\nreturn M\n")
    path = tmp_path / "p.lua"
    path.write_text("local util = require 'util'\nprint(util.twice(torch.ones(2)):sum())\n")
    return path


def test_a_program(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = torch7py.to_pytorch(program)
    assert isinstance(result, torch7py.Translation)
    assert result.report.verified is not None
    assert result.report.verified.equal
    assert (result.report.native, result.report.statements) == (6, 6)
    assert list(program.parent.glob("*.py")) == [], "nothing is written"
    written = result.write(program.parent / "out" / "p.py")
    assert [path.name for path in written] == ["p.py", "util.py"]
    assert "twice" in written[1].read_text()


def test_nothing_is_overwritten(program: Path) -> None:
    result = torch7py.to_pytorch(program, verify=False)
    assert result.report.verified is None
    page, beside = program.with_suffix(".py"), program.parent / "util.py"
    beside.write_text("mine")
    with pytest.raises(FileExistsError, match=r"util\.py exists"):
        result.write(page)
    assert not page.exists()
    result.write(page, force=True)
    assert beside.read_text() != "mine"


def test_a_program_that_fails_says_so(program: Path) -> None:
    program.write_text("print(1)\nerror('no')\n")
    report = torch7py.to_pytorch(program).report
    assert report.verified is None
    assert report.failure.startswith("the original fails")
    assert report.failure.endswith("p.lua:2: no")


def test_a_model(tmp_path: Path) -> None:
    path = tmp_path / "model.t7"
    torch7py.save(nn.Sequential(nn.Linear(4, 3), nn.Tanh()), path)
    result = torch7py.to_pytorch(path, input_size="5x4")
    assert result.report.notes[0].startswith("verified: Model on an input of (5, 4)")
    assert (
        torch7py.to_pytorch(path, input_size={"Model": "6x4"})
        .report.notes[0]
        .startswith("verified: Model on an input of (6, 4)")
    )
    page, weights = result.write(tmp_path / "model.py", tmp_path / "w.safetensors")
    model = runpy.run_path(str(page))["Model"]().double()
    model.load_state_dict(load_file(weights))
    x = torch.rand(2, 4, dtype=torch.float64)
    assert torch.equal(model(x), torch7py.load(path)(x))


def test_what_cannot_be_translated(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text("x = = 1\n")
    with pytest.raises(LuaSyntaxError, match=r"p\.lua:1"):
        torch7py.to_pytorch(path)
    model = tmp_path / "model.t7"
    torch7py.save({"a": 1}, model)
    with pytest.raises(NotNative, match="no model in it"):
        torch7py.to_pytorch(model)
    torch7py.save(nn.Linear(4, 3), model)
    with pytest.raises(ValueError, match="'4by3' is no size"):
        torch7py.to_pytorch(model, input_size="4by3")
    with pytest.raises(FileNotFoundError):
        torch7py.to_pytorch(tmp_path / "nothing.lua")


def test_pages_in_one_folder_share_their_library(tmp_path: Path) -> None:
    """Each is given what it needs of it, and takes nothing from the other."""
    programs = {
        "bits.lua": "print(bit.band(7, 3))\n",
        "parts.lua": "local a, b = math.modf(2.5)\nprint(a, b)\n",
    }
    for name, source in programs.items():
        tmp_path.joinpath(name).write_text(source)
        torch7py.to_pytorch(tmp_path / name).write(tmp_path / name.replace(".lua", ".py"))
    library = tmp_path.joinpath("lua_compat.py")
    assert "def bit_function(" in library.read_text()
    assert "def math_function_all(" in library.read_text()
    library.write_text("VALUE = 1\n")
    with pytest.raises(FileExistsError, match=r"lua_compat\.py exists"):
        torch7py.to_pytorch(tmp_path / "bits.lua").write(tmp_path / "other.py")
