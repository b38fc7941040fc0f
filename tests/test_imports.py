"""Each module can be the first that a program imports. (``make check`` verifies which may import which.)"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# What all modules of these folders import first: a process that has it and forks need not import it again.
FIRST = {
    "torch": ("kernels", "ops"),
    "torch7py.nn.base": (
        "nn",
        "rnn",
        "t7",
        "packages",
        "bridge",
        "console",
        "cli",
        "translate",
    ),
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
@pytest.mark.parametrize("step", [60, pytest.param(1, marks=pytest.mark.slow)], ids=["sample", "all"])
def test_every_module_imports_alone(first, step):
    names = [name for folder in FIRST[first] for name in modules(folder)]
    assert len(names) > 60
    names = names[::step]
    found = subprocess.run(
        [sys.executable, "-c", IMPORT_EACH, first, *names], cwd=ROOT, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
