"""The shares of programs: measured over a folder of repositories, gone on with, compared, and in a table."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from tools import shares
from tools.shares import Share

NAME = "somebody/project"


@pytest.fixture
def checkouts(tmp_path: Path) -> Path:
    folder = tmp_path / "checkouts" / "somebody" / "project"
    folder.mkdir(parents=True)
    (folder / "main.lua").write_text("local tools = require 'tools'\nprint(tools.twice(2))\n")
    (folder / "tools.lua").write_text("local M = {}\nfunction M.twice(x) return 2 * x end\nreturn M\n")
    (folder / "alone.lua").write_text("print(1)\nprint(debug.sethook())\n")
    (folder / "broken.lua").write_text("print(\n")
    (folder / "unset.lua").write_text(
        "print(1)\n" * 4 + "print(settings.rate)\nprint(qt.connect(1))\nprint(debug.sethook())\n"
    )
    (folder / "absent.lua").write_text("require 'nowhere'\nprint(1)\nprint(debug.sethook())\n")
    git = ["git", "-C", str(folder), "-c", "user.name=n", "-c", "user.email=e"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "all"], check=True)
    return folder.parent.parent


def measure(checkouts: Path, out: Path, *more: str) -> list[Share]:
    result = CliRunner().invoke(
        shares.main, ["measure", str(checkouts), NAME, "-o", str(out), *more], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return shares.read(out)


def test_each_file_has_its_shares(checkouts: Path, tmp_path: Path) -> None:
    found = {share.file: share for share in measure(checkouts, tmp_path / "shares.jsonl")}
    assert [(file, share.program, share.verdict) for file, share in found.items()] == [
        ("absent.lua", "absent.lua", shares.IN_PART),
        ("alone.lua", "alone.lua", shares.IN_PART),
        ("broken.lua", "broken.lua", shares.NO_LUA),
        ("main.lua", "main.lua", shares.WHOLE),
        ("tools.lua", "main.lua", shares.WHOLE),
        ("unset.lua", "unset.lua", shares.IN_PART),
    ]
    # What a run cannot do either: all that is refused behind a package that is not here, and what nothing sets.
    assert {file: (share.refused, share.not_run) for file, share in found.items() if share.refused} == {
        "absent.lua": (2, 2),
        "alone.lua": (1, 0),
        "unset.lua": (3, 2),
    }
    alone = found["alone.lua"]
    assert (alone.statements, alone.idiomatic, alone.refused) == (2, 1, 1)
    assert sum(alone.codes.values()) == 1
    assert found["tools.lua"].statements == 4
    assert not (tmp_path / "shares.jsonl.part").exists()


def test_a_measurement_goes_on_from_what_it_had(checkouts: Path, tmp_path: Path) -> None:
    before = Share(NAME, "alone.lua", "alone.lua", "1234", shares.WHOLE, 9, 9)
    (tmp_path / "shares.jsonl.part").write_text(f"{before.line()}\n")
    found = measure(checkouts, tmp_path / "shares.jsonl")
    assert found[1] == before
    assert len(found) == 6


def test_a_program_without_end_has_its_verdict(checkouts: Path, tmp_path: Path) -> None:
    found = measure(checkouts, tmp_path / "shares.jsonl", "--limit", "0")
    assert {share.file: share.verdict for share in found} == {
        "absent.lua": "more than 0 seconds",
        "alone.lua": "more than 0 seconds",
        "broken.lua": shares.NO_LUA,
        "main.lua": "more than 0 seconds",
        "tools.lua": "more than 0 seconds",
        "unset.lua": "more than 0 seconds",
    }


def test_what_became_worse_is_named_by_file_and_repository(tmp_path: Path) -> None:
    def share(
        file: str, idiomatic: int, *, verdict: str = shares.IN_PART, codes: dict[str, int] | None = None
    ) -> Share:
        return Share(NAME, file, file, "1234", verdict, 10, idiomatic, 0, codes or {})

    old = [share("better.lua", 5), share("gone.lua", 5), share("fails.lua", 5), share("worse.lua", 9)]
    new = [
        share("better.lua", 6),
        share("fails.lua", 0, verdict="broke"),
        share("worse.lua", 7, codes={"T7-226": 3}),
    ]
    assert list(shares.compared(old, new)) == [
        f"{NAME}/gone.lua: is not there any more",
        f"{NAME}/fails.lua: broke",
        f"{NAME}/worse.lua: 9 -> 7 idiomatic, 1 -> 3 refused of 10 (T7-226 +3)",
        f"{NAME}: 60.0 % -> 43.3 % idiomatic",
    ]
    assert list(shares.compared(new, [share("better.lua", 6)])) == [
        f"{NAME}/fails.lua: is not there any more",
        f"{NAME}/worse.lua: is not there any more",
    ]
    paths = [tmp_path / "old.jsonl", tmp_path / "new.jsonl"]
    for path, content in zip(paths, (old, new), strict=True):
        path.write_text("".join(f"{each.line()}\n" for each in content))
    arguments = [str(path) for path in paths]
    assert CliRunner().invoke(shares.main, ["compare", *arguments]).exit_code == 1
    assert CliRunner().invoke(shares.main, ["compare", arguments[0], arguments[0]]).exit_code == 0


def test_the_table_adds_up() -> None:
    content = [
        Share("a/b", "x.lua", "x.lua", "1", shares.WHOLE, 30, 30),
        Share("c/d", "y.lua", "y.lua", "2", shares.IN_PART, 10, 5, 2, unset=1),
    ]
    rows = shares.table(content).split("\n")[-4:]
    assert rows == [
        "| a/b | 1 | 30 | 100.0 % | 0.0 % | 0.0 % | 0.0 % | 1 | 0 |",
        "| c/d | 1 | 10 | 50.0 % | 20.0 % | 30.0 % | 10.0 % | 0 | 0 |",
        "| **All** | 2 | 40 | 87.5 % | 5.0 % | 7.5 % | 2.5 % | 1 | 0 |",
        "",
    ]


def test_the_list_names_each_repository_once() -> None:
    names = shares.listed()
    assert len(names) >= 40
    assert len({name.lower() for name in names}) == len(names)
    assert all(name.count("/") == 1 for name in names)
