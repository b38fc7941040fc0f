"""``torch7py translate``: what it writes, what it says, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import load_file

import torch7py
from tests.html.pages import checked_page
from tests.t7.golden_files import unpack
from torch7py import nn
from torch7py.cli.main import main
from torch7py.translate import api, files, verify
from torch7py.translate.verify import Different

PROGRAM = """
require 'nn'
torch.manualSeed(1)
local model = nn.Linear(2, 1)
local x = torch.randn(4, 2)
print(model:forward(x):sum())
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["translate", *map(str, arguments)])


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "p.lua"
    path.write_text(PROGRAM)
    return path


def test_a_program_is_translated_and_verified(program: Path) -> None:
    report = program.with_suffix(".json")
    result = run(program, "--report", report)
    assert result.exit_code == 0, result.output
    page = program.with_suffix(".py")
    assert (
        f"{program} -> {page}: 5 of 5 statements native (100 %)\nverified: 1 line and 2 tensors"
        in result.output
    )
    assert "nn.Linear(2, 1)" in page.read_text()
    found = json.loads(report.read_text())
    assert (found["native"], found["problems"]) == (5, [])
    assert {use["name"]: use["state"] for use in found["names"]}["nn.Linear"] == "yes"
    assert found["verified"]["equal"]
    assert found["verified"]["largest_error"] < 1e-9


def test_nothing_is_overwritten_without_force(program: Path) -> None:
    page = program.with_suffix(".py")
    page.write_text("mine")
    result = run(program, "--no-verify")
    assert result.exit_code == 2
    assert result.output == f"torch7py: {page} exists; --force overwrites it\n"
    assert page.read_text() == "mine"
    assert run(program, "--no-verify", "--force").exit_code == 0
    assert page.read_text() != "mine"


def test_what_has_no_translation_has_its_line(program: Path) -> None:
    program.write_text("print(1)\nlocal ffi = require 'ffi'\nffi.cdef('int x;')\n")
    result = run(program)
    assert result.exit_code == 1
    assert f"{program}:3: T7-" in result.output
    assert "was not verified" in result.output
    with pytest.raises(NotImplementedError, match="T7-"):
        exec(program.with_suffix(".py").read_text(), {"__name__": "__main__"})


def test_what_its_run_does_not_come_to_need_not_be_translated(program: Path) -> None:
    program.write_text(
        "if #arg > 0 then\n   local ffi = require 'ffi'\n   ffi.cdef('int x;')\nend\nprint(#arg)\n"
    )
    result = run(program)
    assert result.exit_code == 1
    assert "verified: 1 place has no translation, none of which the run came to" in result.output
    assert result.output.endswith("1 place has no translation, which its run did not come to\n")
    assert "was not verified" in run(program, "--force", "-x").output


def test_a_syntax_error_has_its_line(program: Path) -> None:
    program.write_text("x = 1\nx = = 2\n")
    result = run(program)
    assert result.exit_code == 1
    assert f"{program}:2:" in result.output
    assert not program.with_suffix(".py").exists()


def test_a_difference_is_exit_code_2(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def differ(*_: object, **__: object) -> None:
        raise Different("the second line")

    monkeypatch.setattr(api, "verify_script", differ)
    result = run(program)
    assert result.exit_code == 2
    assert f"{program}: not the same: the second line" in result.output


def test_a_page_that_fails_is_a_difference(program: Path) -> None:
    """A list of Python has no place behind its end."""
    program.write_text("local t, k = {1, 2}, tonumber(('5'):sub(1, 1))\nt[k] = 9\nprint(#t)\n")
    result = run(program)
    assert result.exit_code == 2
    assert "not the same: the translation fails: IndexError" in result.output


def test_a_program_that_fails_is_not_verified(program: Path) -> None:
    program.write_text("print(1)\nerror('no')\n")
    result = run(program)
    assert result.exit_code == 1
    assert "2: no" in result.output


def test_a_model(tmp_path: Path) -> None:
    model = unpack(tmp_path, "nn_linear.ascii.t7")
    out = tmp_path / "model.py"
    result = run(model, "-o", out)
    assert result.exit_code == 0, result.output
    namespace: dict[str, type[torch.nn.Module]] = {}
    exec(out.read_text(), namespace)
    weights = load_file(tmp_path / "model.safetensors")
    loaded = namespace["Model"]()
    loaded.to(next(iter(weights.values())).dtype).load_state_dict(weights)
    assert run(model, "-o", tmp_path / "other.py", "--weights", tmp_path / "w.safetensors").exit_code == 0
    assert load_file(tmp_path / "w.safetensors").keys() == weights.keys()


def test_a_model_is_verified(tmp_path: Path) -> None:
    model = unpack(tmp_path, "nn_linear.ascii.t7")
    report = tmp_path / "report.json"
    result = run(model, "-o", tmp_path / "m.py", "--report", report)
    assert result.exit_code == 0, result.output
    assert "verified: Model on an input of (3, 3): the largest relative error of outputs and" in result.output
    found = json.loads(report.read_text())
    assert (found["kind"], found["verified"]["equal"]) == ("model", True)
    assert found["layers"][0]["layer"] == "nn.Linear"
    assert "verified:" not in run(model, "-o", tmp_path / "n.py", "--no-verify").output


def test_the_size_of_the_input_can_be_said(tmp_path: Path) -> None:
    model = unpack(tmp_path, "nn_linear.ascii.t7")
    assert "on an input of (2, 3)" in run(model, "-o", tmp_path / "a.py", "--input-size", "2x3").output
    assert "on an input of (6, 3)" in run(model, "-o", tmp_path / "b.py", "--input-size", "Model=6x3").output
    result = run(model, "-o", tmp_path / "c.py", "--input-size", "2x5")
    assert result.exit_code == 1
    assert "does not run on an input of the size given: nn." in result.output
    result = run(model, "-o", tmp_path / "c.py", "--input-size", "big")
    assert (result.exit_code, result.output) == (
        2,
        "torch7py: --input-size: 'big' is no size like 20x3x32x32\n",
    )


def test_an_input_that_cannot_be_told(tmp_path: Path) -> None:
    model = tmp_path / "model.t7"
    torch7py.save(nn.Sequential(nn.Linear(4, 3), nn.View(5)), model)
    result = run(model, "-o", tmp_path / "m.py")
    assert result.exit_code == 0
    assert (
        "not verified: Model: no input can be told from its layers; say one with --input-size"
        in result.output
    )


def test_a_model_that_differs_is_exit_code_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def differ(*_: object) -> None:
        raise Different("gradient of weight: off by 1")

    monkeypatch.setattr(files, "verify_class", differ)
    result = run(unpack(tmp_path, "nn_linear.ascii.t7"), "-o", tmp_path / "m.py")
    assert result.exit_code == 2
    assert "not the same: Model: gradient of weight: off by 1" in result.output


def test_no_model_in_a_file(tmp_path: Path) -> None:
    result = run(unpack(tmp_path, "nil.ascii.t7"))
    assert result.exit_code == 1
    assert "no model in it" in result.output


def test_a_page_with_both_sides(tmp_path: Path) -> None:
    (tmp_path / "p.lua").write_text("print(tonumber(arg[1]) + 1)\n")
    result = CliRunner().invoke(
        main, ["translate", str(tmp_path / "p.lua"), "-o", str(tmp_path / "p.py"), "--html", "3"]
    )
    assert result.exit_code == 0, result.output
    text = checked_page((tmp_path / "p.html").read_text()).text  # by the name of -o: the 3 is the program's
    assert "Verified: both ran with 3" in text
    again = [
        "translate",
        "--html",
        str(tmp_path / "q.html"),
        str(tmp_path / "p.lua"),
        "-o",
        str(tmp_path / "p.py"),
    ]
    assert CliRunner().invoke(main, [*again, "3"]).exit_code == 2  # p.py exists
    assert CliRunner().invoke(main, [*again, "--force", "3"]).exit_code == 0
    assert (tmp_path / "q.html").exists()


def test_a_page_about_models(tmp_path: Path) -> None:
    """Their pictures with sizes, their classes, on which input they were verified, and the errors of each thing."""
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh())
    torch7py.save({"net": model, "loss": nn.MSECriterion()}, tmp_path / "m.t7")
    assert run(tmp_path / "m.t7", "--html").exit_code == 0
    root = checked_page((tmp_path / "m.html").read_text())
    assert root.one("h1").text == "m.t7 → m.py"
    assert "Verified: both ran on the same input" in root.one(class_="notice").text
    assert [title.text for title in root.all("h2")] == [
        "Net class",
        "loss function of a criterion",
        "The page",
    ]
    assert "random numbers of a size that its layers tell: (3, 4)" in root.text
    compared, layers, of_loss = (
        [[cell.text for cell in row.all("td")] for row in table.all("tr")[1:]] for table in root.all("table")
    )
    assert [row[0] for row in compared] == [
        *("output in evaluation", "output in training", "gradient of input 1"),
        *("gradient of linear.weight", "gradient of linear.bias"),
    ]
    assert all(float(error) < 1e-12 for _, error in compared)
    assert layers == [["linear", "nn.Linear", "nn.Linear(4, 3)"]]
    assert [row[0] for row in of_loss] == ["loss", "gradient"]
    assert [edge.text for edge in root.one(class_="picture").all(class_="edge")] == [
        *("input 3×4", "3×3", "output 3×3")
    ]
    code = [line.one("code").text for line in root.all(class_="line")]
    assert [line.strip() for line in code] == [
        line.strip() for line in (tmp_path / "m.py").read_text().splitlines()
    ]
    assert "Its weights are in m.safetensors." in root.text


def test_a_page_about_a_model_that_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was compared until then is shown; so is one that was not run at all."""
    monkeypatch.setattr(verify, "relative_error", lambda *_: 0.5)
    torch7py.save(nn.Linear(2, 2), tmp_path / "m.t7")
    assert run(tmp_path / "m.t7", "--html").exit_code == 2
    root = checked_page((tmp_path / "m.html").read_text())
    assert root.one(class_="notice").text.startswith("Not the same: Model: output in evaluation: off by 0.5")
    assert "5.0e-01" in root.all("table")[0].text
    assert run(tmp_path / "m.t7", "--html", "--no-verify", "--force").exit_code == 0
    root = checked_page((tmp_path / "m.html").read_text())
    assert root.one(class_="notice").text == "Not verified: it was not asked for."


def test_what_may_be_overwritten(tmp_path: Path) -> None:
    """A file that pages share may be there, if it is the same; a page never takes the place of what is translated."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.lua").write_text("local shared = require 'util.misc'\nprint(shared.twice(2))\n")
    (tmp_path / "util").mkdir()
    (tmp_path / "util" / "misc.lua").write_text(
        "local M = {}\nfunction M.twice(x) return 2 * x end\nreturn M\n"
    )
    out = tmp_path / "out"
    out.mkdir()
    assert run("--no-verify", tmp_path / "a.lua", "-o", out / "a.py").exit_code == 0
    assert (out / "util" / "misc.py").exists()
    assert run("--no-verify", tmp_path / "b.lua", "-o", out / "b.py").exit_code == 0
    (out / "util" / "misc.py").write_text("mine = 1\n")
    refused = run("--no-verify", tmp_path / "b.lua", "-o", out / "c.py")
    assert (refused.exit_code, refused.output) == (
        2,
        f"torch7py: {out}/util/misc.py exists; --force overwrites it\n",
    )
    refused = run(out / "util" / "misc.py", "--force")
    assert (refused.exit_code, refused.output) == (
        2,
        f"torch7py: {out}/util/misc.py: the page would take its place; -o says where it goes\n",
    )
