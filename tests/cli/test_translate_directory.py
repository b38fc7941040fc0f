"""``torch7py translate DIR``: a project's programs and models, each with its pages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

import torch7py
from tests import python_process
from tests.html.pages import checked_page
from torch7py import nn
from torch7py.cli.main import main
from torch7py.translate import whole_project, worker
from torch7py.translate.report import Report
from torch7py.translate.whole_project import pieces_of, readme

MISC = "local misc = {}\nfunction misc.double(x) return 2 * x end\nreturn misc\n"
TRAIN = """require 'nn'
local misc = require 'util.misc'
local cmd = torch.CmdLine()
cmd:option('-epochs', 3, 'how many')
local opt = cmd:parse(arg)
torch.manualSeed(1)
local net = nn.Linear(2, 1)
local x = torch.ones(4, 2)
for epoch = 1, opt.epochs do
   print(epoch, misc.double(net:forward(x):sum()))
end
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["translate", *map(str, arguments)])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name, text in {
        "train.lua": TRAIN,
        "util/misc.lua": MISC,
        "tools/show.lua": "print('shown')\n",
        "tools_show.lua": "print('another one')\n",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that work on files are forked from one that has imported PyTorch, instead of importing it each."""
    context = python_process.server()
    monkeypatch.setattr(worker, "multiprocessing", SimpleNamespace(get_context=lambda kind: context))


def test_programs_models_and_how_to_run_them(project: Path, tmp_path: Path) -> None:
    torch7py.save(nn.Sequential(nn.Linear(3, 2), nn.Tanh()), project / "net.t7")
    torch7py.save({"rate": 0.1}, project / "data.t7")
    out, report = tmp_path / "out", tmp_path / "report.json"
    result = run(project, "-o", out, "--models", "--jobs", 2, "--report", report, "-epochs", 2)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert (
        f"{project}/train.lua -> {out}/train/train.py: 14 of 14 statements native (100 %); verified" in lines
    )
    assert f"{project}/net.t7 -> {out}/models/net.py: 1 layer; verified" in lines
    assert lines[-2:] == [
        "3 files: 16 of 16 statements native (100 %)",
        f"5 pages in {out}, of 4 files: 4 verified",
    ]
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()) == [
        "README.md",
        "models/net.py",
        "models/net.safetensors",
        "requirements.txt",
        "tools_show/show.py",
        "tools_show_2/tools_show.py",
        "train/train.py",
        "train/util/misc.py",
    ]
    assert out.joinpath("requirements.txt").read_text() == "safetensors\ntorch\n"
    text = out.joinpath("README.md").read_text()
    assert "- `python train/train.py --help`: `train.lua`, verified\n" in text
    assert "- `python tools_show/show.py`: `tools/show.lua`, verified\n" in text
    assert "- `models/net.py`: `net.t7`, verified\n" in text
    found = json.loads(report.read_text())
    assert [file["state"] for file in found["files"]] == ["verified"] * 4
    assert python_process.run([out / "train" / "train.py", "-epochs", "1"]).stdout.startswith("1\t")


@pytest.mark.usefixtures("forked")
def test_what_fails_leaves_the_others_alone(project: Path, tmp_path: Path) -> None:
    project.joinpath("broken.lua").write_text("x = = 1\n")
    project.joinpath("lacking.lua").write_text("local ffi = require 'ffi'\nffi.cdef('int x;')\n")
    out = tmp_path / "out"
    result = run(project, "-o", out, "--no-verify")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert f"FAILED {project}/broken.lua:1: syntax error near '=' (this is no Lua)" in lines
    (lacking,) = [line for line in lines if "lacking" in line and " -> " in line]
    assert lacking.endswith("1 not translated: 1 place has no translation")
    assert lines[-1] == f"5 pages in {out}, of 5 files: 1 failed, 1 incomplete, 3 not verified"
    assert result.stderr == f"torch7py: {project}: 2 of 5 files have no page, or one that is not complete\n"
    assert " 1 time, first lacking.lua:2: " in result.stdout
    assert str(project) not in out.joinpath("README.md").read_text()
    assert "## Without a page\n\n- `" in out.joinpath("README.md").read_text()


@pytest.mark.usefixtures("forked")
def test_a_program_that_does_not_end_is_not_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, out = tmp_path / "project", tmp_path / "out"
    project.mkdir()
    project.joinpath("endless.lua").write_text("while true do end\n")
    monkeypatch.setattr(whole_project, "TO_TRANSLATE", 1.0)
    result = run("--limit", 1, project, "-o", out)
    assert result.exit_code == 0, result.output
    assert "; not verified: it has printed nothing in 2 seconds" in result.stdout.splitlines()[0]
    assert out.joinpath("endless", "endless.py").exists()


@pytest.mark.usefixtures("forked")
def test_a_verification_that_does_not_end_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing interrupts one long match of a pattern."""
    project, out = tmp_path / "project", tmp_path / "out"
    project.mkdir()
    project.joinpath("stuck.lua").write_text("print(('a'):rep(30000):find(('.-'):rep(20) .. 'b'))\n")
    monkeypatch.setattr(whole_project, "TO_TRANSLATE", 1.0)
    monkeypatch.setattr(whole_project, "RUNS", 1)
    result = run("--limit", 0.5, project, "-o", out)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0].endswith("; not verified: it was not verified within 0.5 seconds")
    assert out.joinpath("stuck", "stuck.py").exists()


def test_requests_that_make_no_sense(project: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(project).stderr == f"torch7py: {project} is a directory: -o says where its pages go\n"
    assert run(project / "train.lua", "--models").stderr == "torch7py: --models is for directories\n"
    assert "for one model" in run(project, "-o", out, "--input-size", "3").stderr
    out.mkdir()
    out.joinpath("mine").write_text("mine")
    result = run(project, "-o", out)
    assert (result.exit_code, result.stderr) == (
        2,
        f"torch7py: {out} is there already; --force writes into it\n",
    )
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run(empty, "-o", tmp_path / "new").stderr == f"torch7py: {empty}: no Lua files in it\n"


@pytest.mark.parametrize("name", ['a"; import os #', "`b` ](x)", "3 c\n# d", "ä-ö", "import", "a.b.c"])
def test_names_of_files_are_names(name: str, tmp_path: Path) -> None:
    project, out = tmp_path / "project", tmp_path / "out"
    project.mkdir()
    project.joinpath(f"{name}.lua").write_text("print(1)\n")
    (piece,) = pieces_of(project, out, models=False)
    assert piece.page.is_relative_to(out)
    assert all(part.isascii() and part.isidentifier() for part in (piece.folder.name, piece.page.stem))
    piece.folder.mkdir(parents=True)
    piece.page.write_text("print(1)\n")
    text = readme(project, out, [piece])
    (line,) = [line for line in text.splitlines() if line.startswith("- ")]
    assert line.startswith(f"- `python {piece.page.relative_to(out).as_posix()}`: `")
    assert line.count("`") == 4
    assert "\n# d" not in text


def test_folders_do_not_collide(tmp_path: Path) -> None:
    for name in ("train.lua", "Train.lua", "train/train.lua", "a/b.lua", "a_b.lua", "models.lua"):
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("print(1)\n")
    torch7py.save(nn.Linear(1, 1), tmp_path / "project" / "m.t7")
    pages = [piece.page for piece in pieces_of(tmp_path / "project", tmp_path / "out", models=True)]
    assert len({str(page.parent).lower() for page in pages}) == len(pages) == 7


def test_a_report_comes_back_from_json(project: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    assert run(project / "train.lua", "--report", report, "-epochs", 1).exit_code == 0
    data = json.loads(report.read_text())
    assert Report.from_json(data).as_json() == data


@pytest.mark.usefixtures("forked")
def test_one_page_about_all(project: Path, tmp_path: Path) -> None:
    (project / "broken.lua").write_text("print(1 +")
    torch7py.save(nn.Sequential(nn.Linear(3, 2)), project / "net.t7")
    out = tmp_path / "out"
    result = run(project, "-o", out, "--models", "--html", "-epochs", 2)
    assert result.exit_code == 1
    root = checked_page((out / "report.html").read_text())
    pages = []
    for row in root.all("table")[0].all("tr")[1:]:
        file, _, state = row.all("td")
        page = "".join(small.text for small in file.all("small"))
        pages.append((file.one("a").text, page, state.one("b").text))
    assert pages == [
        ("broken.lua", "", "failed"),
        ("tools/show.lua", "tools_show/show.py", "verified"),
        ("tools_show.lua", "tools_show_2/tools_show.py", "verified"),
        ("train.lua", "train/train.py", "verified"),
        ("net.t7", "models/net.py", "verified"),
    ]
    titles = [title.text for title in root.all("h2")]
    assert "util/misc.lua → util/misc.py" in titles
    assert "Model class" in titles
    assert "random numbers of a size that its layers tell: (3, 3)" in root.text
    assert "both ran with -epochs 2" in root.text


@pytest.mark.usefixtures("forked")
def test_what_fails_in_the_original_is_said_once(tmp_path: Path) -> None:
    project, out = tmp_path / "project", tmp_path / "out"
    project.mkdir()
    project.joinpath("failing.lua").write_text("error('no')\n")
    result = run(project, "-o", out)
    assert result.exit_code == 0, result.output
    (line,) = (line for line in result.stdout.splitlines() if "failing.py" in line)
    assert re.search(r"\); not verified: the original fails: \S*failing\.lua:1: no$", line)
    alone = run(project / "failing.lua").stderr
    assert re.search(
        r"/failing\.lua: nothing was verified: the original fails: \S*failing\.lua:1: no\n$", alone
    )
