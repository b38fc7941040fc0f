"""The built wheel, installed elsewhere, runs a program from another folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def call(cwd: Path, *command: str | Path) -> str:
    # Without the variables that would let the sources be found.
    environment = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    result = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    call(ROOT, sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder)
    (built,) = folder.glob("torch7py-*.whl")
    return built


@pytest.fixture(scope="module")
def binaries(wheel, tmp_path_factory):
    """The folder of commands of a new environment that holds the wheel.

    What torch7py depends on is not installed again: the environment sees the one that runs the tests, but not
    the sources, because a path added by a ``.pth`` file is not searched for further ``.pth`` files.
    """
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    site = Path(call(folder, python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    site.joinpath("dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    call(folder, python, "-m", "pip", "install", "--quiet", "--no-deps", "--ignore-installed", wheel)
    assert call(folder, python, "-c", "import torch7py; print(torch7py.__file__)").startswith(str(site))
    return python.parent


def test_wheel_holds_every_file_of_the_repository(wheel):
    """Every file that git has below torch7py, or would have, and none besides."""
    listed = call(
        ROOT, "git", "ls-files", "--cached", "--others", "--exclude-standard", "torch7py"
    ).splitlines()
    wanted = {name for name in listed if ROOT.joinpath(name).exists()}
    assert {".py", ".lua", ".txt", ".typed"} <= {Path(name).suffix for name in wanted}
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    wanted |= {f"torch7py/show/codes/{page.name}" for page in ROOT.glob("docs/codes/*.md")}
    assert held == wanted


def test_installed_command_runs_a_program(binaries, tmp_path):
    tmp_path.joinpath("program.lua").write_text(
        "require 'nn'\n"
        "local m = nn.Sequential():add(nn.Identity())\n"
        "io.write(arg[1], ' ', m:forward(torch.Tensor{1, 2, 4}):sum(), '\\n')\n"
    )
    output = call(tmp_path, binaries / "torch7py", "run", "program.lua", "sum")
    assert output == "sum 7\n"
