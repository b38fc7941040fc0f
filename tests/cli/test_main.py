"""The command as a whole: it starts fast and says what it is."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

import torch7py
from torch7py.cli.main import main

HEAVY = ["lupa", "numpy", "safetensors", "torch", "tree_sitter"]


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)


def test_version_is_the_package_version():
    result = CliRunner().invoke(main, ["--version"])
    assert (result.exit_code, result.output) == (0, f"torch7py {torch7py.__version__}\n")


def test_help_names_every_command():
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert set(main.commands) >= {"run"}
    for name in main.commands:
        (line,) = re.findall(rf"^  {name} +(.*)$", result.output, re.MULTILINE)
        assert line.endswith("."), "cut off, or of two lines"
        assert not line.endswith("...")


def test_alone_it_says_what_it_can_do():
    """In ten lines of at most 80 columns; the commands that it names are there, and all are."""
    result = CliRunner().invoke(main, [])
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert len(lines) <= 10
    assert all(len(line) <= 80 for line in lines)
    shown = re.findall(r"^  torch7py (\w+) ", result.output, re.MULTILINE)
    assert shown == ["run", "inspect", "convert", "translate"]
    further = re.search(r"Further: (.*?)\.\n", result.output, re.DOTALL)
    assert further
    assert {*shown, *re.findall(r"\w+", further[1])} == set(main.commands)


@pytest.mark.parametrize("arguments", [[], ["--version"], ["--help"], ["run", "--help"]])
def test_nothing_heavy_is_loaded_to_answer(arguments):
    program = (
        "import sys\n"
        "from torch7py.cli.main import main\n"
        f"code = main({arguments!r}, standalone_mode=False)\n"
        f"print('loaded', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    result = python("-c", program)
    assert result.stderr == ""
    assert result.stdout.splitlines()[-1] == "loaded []"


def test_module_and_command_are_one():
    result = python("-m", "torch7py", "--version")
    assert (result.returncode, result.stdout) == (0, f"torch7py {torch7py.__version__}\n")


def test_unknown_command_is_refused():
    result = CliRunner().invoke(main, ["rum"])
    assert result.exit_code == 2
    assert "No such command 'rum'" in result.output


def test_importing_the_package_loads_nothing():
    result = python("-c", f"import torch7py, sys; print([name for name in {HEAVY!r} if name in sys.modules])")
    assert (result.stdout, result.stderr) == ("[]\n", "")


def test_package_names_come_when_asked_for():
    from torch7py.bridge.errors import LuaError

    assert torch7py.LuaError is LuaError
    assert set(torch7py.__all__) <= set(dir(torch7py))
    with pytest.raises(AttributeError, match=r"module 'torch7py' has no attribute 'Runtimes'"):
        _ = torch7py.Runtimes  # type: ignore[attr-defined]
