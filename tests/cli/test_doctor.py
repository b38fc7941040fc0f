"""``torch7py doctor``: what is there, what is missing, and whether the essential works."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from torch7py.bridge.engine import TITLES
from torch7py.cli import doctor
from torch7py.cli.main import main
from torch7py.packages.optional_libraries import LIBRARIES, install_command


def run():
    return CliRunner().invoke(main, ["doctor"])


@pytest.fixture
def without_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "STEPS", {})


def test_all_is_well(lua_name: str) -> None:
    begun = time.monotonic()
    found = run()
    assert found.exit_code == 0, found.output
    assert time.monotonic() - begun < 60
    lines = found.output.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["torch7py", "Python", "Lua", "PyTorch"]
    assert TITLES[lua_name] in lines[2]
    assert [line.startswith("Test") and "ok" in line for line in lines[-3:]] == [True] * 3


def test_a_test_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses that are not Torch7's; the others run nevertheless."""
    monkeypatch.setattr(doctor, "LOSSES", (1.5, 0.6, 0.3))
    monkeypatch.setattr(doctor, "STEPS", dict(list(doctor.STEPS.items())[:2]))
    found = run()
    assert found.exit_code == 1
    assert "trains in Lua, as in Torch7: FAILED: ArithmeticError: the losses are [1.59" in found.output
    assert found.output.splitlines()[-1].startswith("Test       its model is saved and read: ok")


@pytest.mark.usefixtures("without_tests")
def test_what_is_missing_and_what_it_would_add(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "is_installed", lambda module: module == "h5py")
    found = run()
    assert found.exit_code == 0
    assert "Libraries  h5py" in found.output
    missing = [library for library in LIBRARIES.values() if library.module != "h5py"]
    shown = [line[11:] for line in found.output.splitlines()][5:]
    assert shown[:-1] == [f"{library.title:<16}{library.adds}" for library in missing]
    assert shown[-1] == f"To add them: {install_command(*(library.module for library in missing))}"


@pytest.mark.usefixtures("without_tests")
def test_a_requirement_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        doctor, "requires", lambda name: ["click>=8.2", "no-such-thing>=2", 'h5py; extra == "hdf5"']
    )
    found = run()
    assert found.exit_code == 1
    assert f"missing    no-such-thing>=2: {sys.executable} -m pip install 'no-such-thing>=2'" in found.output


def test_without_pytorch() -> None:
    """It still says so; and other commands say it in one line."""
    program = """
import sys
class Missing:
    def find_spec(self, module, *_):
        if module.partition(".")[0] == "torch":
            raise ModuleNotFoundError("No module named " + repr(module), name=module)
sys.meta_path.insert(0, Missing())
from torch7py.cli.main import main
main({arguments})
"""
    command = [sys.executable, "-c", program.format(arguments=["doctor"])]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (1, "")
    assert "PyTorch    none: No module named 'torch'" in found.stdout
    command[-1] = program.format(arguments=["run", "-e", "x = 1"])
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr.startswith("torch7py: torch is not installed")


def test_a_test_without_end() -> None:
    program = (
        "from torch7py.cli import doctor\nimport time\n"
        "doctor.LIMIT, doctor.STEPS = 0.1, {'endless': lambda folder: time.sleep(60)}\ndoctor._self_test()"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (1, "Test       FAILED: not done after 0 seconds\n")
