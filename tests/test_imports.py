"""The contracts of ``.importlinter`` hold, and each module can be the first that a program imports."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# What all modules of these folders import first: a process that has it and forks need not import it again.
FIRST = {
    "torch": ("kernels", "ops"),
    "torch7py.nn.base": ("nn", "rnn", "t7", "packages", "bridge", "lua_compat", "cli"),
}
IMPORT_EACH = """
import gc, importlib, os, sys
importlib.import_module(sys.argv[1])
gc.freeze()
gc.disable()
for name in sys.argv[2:]:
    if os.fork() == 0:
        importlib.import_module(name)
        os._exit(0)
    if os.wait()[1]:
        sys.exit(f"{name} cannot be imported alone")
"""


def modules(folder: str) -> list[str]:
    files = sorted((ROOT / "torch7py" / folder).rglob("*.py"))
    return [
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files
    ]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that fork")
@pytest.mark.parametrize("first", FIRST)
def test_every_module_imports_alone(first):
    names = [name for folder in FIRST[first] for name in modules(folder)]
    assert len(names) > 60
    found = subprocess.run(
        [sys.executable, "-c", IMPORT_EACH, first, *names], cwd=ROOT, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr


def test_contracts():
    command = shutil.which("lint-imports", path=os.path.dirname(sys.executable))
    assert command is not None, "import-linter is missing: make check brings it"
    found = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr
