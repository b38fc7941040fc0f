"""tools/upstream.py on checkouts made up here, and on real ones where ``TORCH7PY_UPSTREAM`` names their folder."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from tests import python_process

ROOT = Path(__file__).parents[2]
UPSTREAM = os.environ.get("TORCH7PY_UPSTREAM")

SUITE = """
local tests = torch.TestSuite()
local t
function tests.good() t:eq(torch.ones(2):sum(), 2) end
function tests.unequal() t:eq(1, 2, 'one and\\ttwo') end
function tests.broken() error('oh \\\\n no') end
function tests.nested()
   local inner = torch.Tester()
   inner:add(function() inner:eq(1, 2) end)
   local write = io.write
   io.write = function() end
   t:assert(not pcall(inner.run, inner))
   io.write = write
end
function torch.test(names)
   t = torch.Tester()
   t:add(tests):run(names)
end
"""


def checkout(folder: Path, **files: str) -> Path:
    (folder / "test").mkdir(parents=True)
    for name, text in files.items():
        (folder / "test" / f"{name}.lua").write_text(text)
    return folder


def run(*words: str | Path, code: int = 0) -> list[str]:
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    done = python_process.run([ROOT / "tools" / "upstream.py", *words], env=environment)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_outcomes(tmp_path: Path) -> None:
    root = checkout(tmp_path / "torch7", test=SUITE)
    lines = run(f"torch7={root}", "--file", "test", "--json", tmp_path / "all.json", code=1)
    outcomes = {o["test"]: o for o in json.loads((tmp_path / "all.json").read_text())["torch7"]}
    assert {name: o["outcome"] for name, o in outcomes.items()} == {
        "good": "passed",
        "unequal": "failed",
        "broken": "error",
        "nested": "passed",
    }
    assert "one and\ttwo\nEQ failed: 1 ~= 2" in outcomes["unequal"]["message"]
    assert "oh \\n no" in outcomes["broken"]["message"]
    assert lines[-1].startswith("torch7 : 4 tests, 2 passed, 1 failed, 1 errors, ")


def test_some_tests(tmp_path: Path) -> None:
    root = checkout(tmp_path / "torch7", test=SUITE)
    lines = run(f"torch7={root}", "--file", "test.lua", "--only", "^go", "--only", "^nest")
    assert [line.split()[2] for line in lines[:2]] == ["good", "nested"]
    assert lines[2].startswith("torch7 : 2 tests, 2 passed")


@pytest.mark.slow
def test_a_test_that_ends_the_process_or_never_ends(tmp_path: Path) -> None:
    source = """
        local t, tests = torch.Tester(), torch.TestSuite()
        function tests.a() os.exit(3) end
        function tests.b() while true do torch.ones(1) end end
        function tests.c() t:assert(true) end
        t:add(tests):run()"""
    root = checkout(tmp_path / "torch7", test_qr=source)
    lines = run(f"torch7={root}", "--file", "test_qr", "--limit", "2", code=1)
    assert "the process ended with 3" in lines[1]
    assert "took longer than 2 s" in "".join(lines)
    assert "passed  test/test_qr.lua: c" in "".join(lines)
    assert lines[-1].startswith("torch7 : 3 tests, 1 passed, 0 failed, 2 errors")


@pytest.mark.slow
def test_files_that_are_programs(tmp_path: Path) -> None:
    root = checkout(
        tmp_path / "optim",
        test_sgd="require 'helper' assert(helped)",
        helper="helped = true",
        test_adam="error('no way')",
        test_cg="os.exit(0)",
        test_de="os.exit(4)",
    )
    files = [word for name in ("test_sgd", "test_adam", "test_cg", "test_de") for word in ("--file", name)]
    lines = run(f"optim={root}", *files, code=1)
    assert [line.split()[::2] for line in lines if line.startswith(("passed", "error"))] == [
        ["error", "test_adam", "s)"],
        ["passed", "test_cg", "s)"],
        ["error", "test_de", "s)"],
        ["passed", "test_sgd", "s)"],
    ]
    assert "no way" in "".join(lines)


@pytest.mark.slow
def test_known_failures(tmp_path: Path) -> None:
    root = checkout(tmp_path / "torch7", test=SUITE)
    known = tmp_path / "known.json"
    run(f"torch7={root}", "--file", "test", "--record", known, code=1)
    recorded = json.loads(known.read_text())
    assert recorded["torch7"]["tests"] == 4
    assert [(row["test"], row["outcome"], row["reason"]) for row in recorded["torch7"]["not"]] == [
        ("broken", "error", ""),
        ("unequal", "failed", ""),
    ]
    recorded["torch7"]["not"][0]["reason"] = "it is broken"
    known.write_text(json.dumps(recorded))
    run(f"torch7={root}", "--file", "test", "--known", known, "--record", known)
    assert json.loads(known.read_text())["torch7"]["not"][0]["reason"] == "it is broken"


def test_wrong_calls(tmp_path: Path) -> None:
    run(code=2)
    run("torch8=.", code=2)
    run(f"torch7={tmp_path}/none", code=2)


@pytest.mark.slow
@pytest.mark.skipif(
    UPSTREAM is None, reason="TORCH7PY_UPSTREAM does not name a folder with a checkout of torch7"
)
def test_torch7_itself() -> None:
    lines = run(
        f"torch7={UPSTREAM}/torch7", "--quiet", "--file", "test", "--known", ROOT / "docs" / "upstream.json"
    )
    counts = re.search(r": (\d+) tests, (\d+) passed, .* ([\d.]+) s$", lines[-1])
    assert counts is not None, lines[-1]
    assert int(counts[1]) == 164
    assert int(counts[2]) >= 160
    assert float(counts[3]) < 30
