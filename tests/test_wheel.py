"""The wheel, built from the source distribution and installed elsewhere, does what the README begins with."""

from __future__ import annotations

import os
import re
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
    call(ROOT, sys.executable, "-m", "build", "--no-isolation", "--outdir", folder)  # from the sdist
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
    options = ("--quiet", "--no-deps", "--ignore-installed", "--no-compile")
    call(folder, python, "-m", "pip", "install", *options, wheel)
    found = "import importlib.util; print(importlib.util.find_spec('torch7py').origin)"
    assert call(folder, python, "-c", found).startswith(str(site))
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


def test_links_of_the_shown_readme_lead_into_the_repository(wheel):
    """A package index shows the README in a place where no file of the repository is."""
    with zipfile.ZipFile(wheel) as files:
        (name,) = (name for name in files.namelist() if name.endswith(".dist-info/METADATA"))
        text = files.read(name).decode()
    links = re.findall(r"\]\(([^)#\s]+)", text)
    ours = re.findall(r"\]\(([^):#\s]+)", ROOT.joinpath("README.md").read_text())
    kinds = ["raw" if path.endswith(".svg") else "blob" for path in ours]  # of a picture the file itself
    assert links == [
        f"https://github.com/torch7py/torch7py/{kind}/main/{path}"
        for kind, path in zip(kinds, ours, strict=True)
    ]
    assert "Project-URL: Homepage, https://github.com/torch7py/torch7py\n" in text


def run_the_first_program_of_the_readme(binaries, folder):
    readme = ROOT.joinpath("README.md").read_text()
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    program = next(text for kind, text in blocks if kind == "lua")
    command, printed = next(text for kind, text in blocks if kind == "console").split("\n", 1)
    dollar, *words, name = command.split()
    assert (dollar, words) == ("$", ["torch7py", "run"])
    folder.joinpath(name).write_text(program)
    output = call(folder, binaries / "torch7py", "run", name)
    assert [line.rstrip() for line in output.splitlines()] == printed.splitlines()


def test_installed_command_runs_the_first_program_of_the_readme(binaries, tmp_path):
    run_the_first_program_of_the_readme(binaries, tmp_path)


@pytest.mark.slow
def test_in_an_empty_environment_and_with_an_empty_home(wheel, tmp_path, monkeypatch):
    """With all that it depends on installed anew, from where pip takes it, and nothing else."""
    for name in ("environment", "home", "folder"):
        tmp_path.joinpath(name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    venv.create(tmp_path / "environment", with_pip=True)
    binaries = tmp_path / "environment" / "bin"
    call(tmp_path, binaries / "python", "-m", "pip", "install", "--quiet", wheel)
    run_the_first_program_of_the_readme(binaries, tmp_path / "folder")
    call(tmp_path / "folder", binaries / "torch7py", "doctor")  # which fails where something of its test does
