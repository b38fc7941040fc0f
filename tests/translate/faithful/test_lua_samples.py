"""The programs of lua_samples in faithful style print what they print in Lua."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import python_process
from torch7py.bridge.engine import engine_name
from torch7py.translate.faithful import translate_faithful
from torch7py.translate.faithful.verify import verify_faithful

SAMPLES = Path(__file__).parents[3] / "lua_samples"
NAMES = sorted(path.stem for path in SAMPLES.glob("*.lua"))

pytestmark = pytest.mark.skipif(engine_name() != "luajit21", reason="faithful is LuaJIT's Lua")

# What makes a program short: for most the number of its iterations.
ARGUMENTS = dict.fromkeys(NAMES, ("50",)) | {
    "char_rnn": ("15",),
    "gpu_if_there": ("-iterations", "50"),
    "mlp_sgd": ("10",),
    "options": ("-iterations", "25"),
    "recurrent": ("100",),
}


@pytest.mark.parametrize(
    "name", [name if i % 2 else pytest.param(name, marks=pytest.mark.slow) for i, name in enumerate(NAMES)]
)
def test_prints_the_same(name):
    path = SAMPLES / f"{name}.lua"
    page = translate_faithful(path.read_bytes(), str(path))
    assert page.failures == []
    lines = verify_faithful(page, path, ARGUMENTS[name])
    assert lines > 0 or name == "gpu_only"  # which ends with the error that there is no GPU, there and here


def test_a_page_is_a_program(tmp_path):
    path = SAMPLES / "options.lua"
    page = translate_faithful(path.read_bytes(), "options.lua")
    tmp_path.joinpath("options.py").write_text(page.text)
    ended = python_process.run(["options.py", "-iterations", "25"], cwd=tmp_path)
    assert ended.stderr == ""
    assert ended.stdout.startswith("iterations\t25\t100\t\nrun: line,iterations=25\t\niteration 7: loss ")


def test_pages_are_formatted(tmp_path):
    """As ``ruff format`` would; at a user's own width it makes no difference to what the pages do."""
    tmp_path.joinpath("ruff.toml").write_text("line-length = 110\n")
    chunks = sorted(SAMPLES.parent.joinpath("torch7py", "packages").rglob("*.lua"))
    paths = [*SAMPLES.glob("*.lua"), *chunks]
    assert len(paths) > 40
    for path in paths:
        page = translate_faithful(path.read_bytes(), path.name)
        assert page.failures == []
        name = "_".join(path.relative_to(SAMPLES.parent).with_suffix(".py").parts)
        tmp_path.joinpath(name).write_text(page.text)
    ended = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--diff", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
