"""``torch7py check``: what it says, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from torch7py.cli.main import main


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["check", *map(str, arguments)])


def test_a_program_that_is_all_there(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text("require 'nn'\nlocal m = nn.Linear(2, 3)\nprint(m:forward(torch.zeros(2)))\n")
    result = run(path)
    assert result.exit_code == 0
    assert result.output == (
        f"{path}: 3 of 3 statements native (100 %)\n  4 names of packages, 4 of them without restriction\n"
    )
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_missing_has_its_place(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text("print(1)\nlocal x = torch.nodeal(3)\n")
    result = run(path)
    assert result.exit_code == 1
    assert f"  {path}:2: T7-201: " in result.output
    assert f"  torch.nodeal: not supported ({path}:2)\n" in result.output


def test_a_missing_package_stands_for_its_names(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text("require 'qt'\nlocal font = qt.QFont()\nlocal x = torch.nodeal(3)\n")
    missing = [line.split(" (")[0] for line in run(path).output.splitlines() if ": not supported" in line]
    assert missing == ["  qt: not supported: there is no package qt", "  torch.nodeal: not supported"]
    assert "; not supported: qt, torch.nodeal\n" in run(tmp_path).output
    assert "qt.QFont" in [name["name"] for name in json.loads(run(path, "--json").output)["names"]]


def test_json(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text("print(1)\nlocal x = torch.nodeal(3)\n")
    found = json.loads(run(path, "--json").output)
    assert (found["statements"], found["native"], found["plain_calls"], found["not_translated"]) == (
        2,
        1,
        0,
        1,
    )
    assert [entry["code"] for entry in found["problems"]] == ["T7-201"]
    assert found["names"] == [
        {"name": "torch.nodeal", "state": "no", "note": "", "places": [f"{path}:2"], "native": ""}
    ]
    assert found["verified"] is None


def test_a_directory(tmp_path: Path) -> None:
    (tmp_path / "a.lua").write_text("print(1)\n")
    (tmp_path / "b.lua").write_text("x = = 1\n")
    result = run(tmp_path)
    assert result.exit_code == 0
    assert result.output == (
        f"{tmp_path}/a.lua: 1 of 1 statement native (100 %)\n"
        f"{tmp_path}/b.lua:1: syntax error near '=' (this is no Lua)\n"
        "\n1 file: 1 of 1 statement native (100 %)\n"
    )
    (tmp_path / "c.lua").write_text("local x = torch.nodeal(3)\n")
    result = run(tmp_path)
    assert result.exit_code == 1
    assert (
        f"{tmp_path}/c.lua: 0 of 1 statement native (0 %), 1 not translated; not supported: torch.nodeal\n"
        in (result.output)
    )
    assert f"  T7-201: 1 time, first {tmp_path}/c.lua:1: " in result.output
    found = json.loads(run(tmp_path, "--json").output)
    assert [Path(file["file"]).name for file in found["files"]] == ["a.lua", "b.lua", "c.lua"]
    assert found["summary"]["statements"] == 2


def test_what_cannot_be_checked(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert (result.exit_code, result.output) == (2, f"torch7py: {tmp_path}: no Lua files in it\n")
    path = tmp_path / "p.lua"
    path.write_text("x = = 1\n")
    result = run(path)
    assert (result.exit_code, result.output) == (
        1,
        f"torch7py: {path}:1: syntax error near '=' (this is no Lua)\n",
    )
    assert run(tmp_path / "nothing").exit_code == 2
    model = tmp_path / "m.t7"
    model.write_bytes(b"\3\0\0\0")
    for result in (run(model), CliRunner().invoke(main, ["run", str(model)])):
        assert result.exit_code == 2
        assert result.output.startswith(
            f"torch7py: {model} is no program: torch7py inspect says what is in it"
        )
