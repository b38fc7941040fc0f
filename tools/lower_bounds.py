"""Runs tests with other releases than those of this environment, the oldest that pyproject.toml allows above all.

::

    python tools/lower_bounds.py oldest FOLDER [PYTHON]
    python tools/lower_bounds.py newest FOLDER [PYTHON]
    python tools/lower_bounds.py run PYTHON...

``oldest`` creates the virtual environment FOLDER by ``uv``, with the lowest release of each direct dependency and
PYTHON (a version or an interpreter, by default 3.10, the oldest that is supported); ``newest`` one with the highest
releases and by default the newest Python. PyTorch's releases for Linux on PyPI are 3 GB. ``run`` runs the tests of
``SAMPLE`` by each interpreter (``make test-versions``: those of all environments ``.venv-*`` here). ``BOUNDS`` says
of each bound why it is what it is; a test compares it with pyproject.toml.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

__all__ = ["BOUNDS", "SAMPLE", "create", "declared", "main", "run"]

ROOT = Path(__file__).parents[1]

# The oldest release that is allowed, and why it is that one. Older ones than those that "pass" were not tried.
BOUNDS: dict[str, tuple[str, str]] = {
    "build": ("1.2", "for developers alone"),
    "click": ("8.2", "with 8.1 what a command writes to its error output is not among what tests see of it"),
    "h5py": ("3.10", "it passes"),
    "hatch-fancy-pypi-readme": ("24.1", "for developers alone"),
    "hatchling": ("1.27", "license-files as a list, and license as an expression"),
    "hypothesis": ("6.100", "it passes"),
    "import-linter": ("2.14", "for developers alone"),
    "ipykernel": ("6.25", "it passes"),
    "ipython": ("8.12", "it passes"),
    "lupa": ("2.8", "it passes"),
    "matplotlib": ("3.8", "it passes"),
    "mkdocs-material": ("9.8", "for developers alone"),
    "mkdocstrings-python": ("2.0", "for developers alone"),
    "mypy": ("1.13", "for developers alone"),
    "numpy": ("1.26", "it passes, and is the first for Python 3.12"),
    "onnx": ("1.16", "it passes"),
    "onnxscript": ("0.2", "it passes"),
    "pcre2": ("0.7", "not tried with an older one"),
    "pillow": ("10", "it passes"),
    "prompt-toolkit": ("3.0.40", "not tried with an older one"),
    "pytest": ("8.3", "the settings say so"),
    "pytest-xdist": ("3.6", "for developers alone"),
    "ruff": ("0.9", "not tried with an older one"),
    "safetensors": ("0.4", "it passes"),
    "scipy": ("1.12", "it passes"),
    "torch": ("2.4", "it passes"),
    "tree-sitter": ("0.25", "it passes"),
    "tree-sitter-lua": ("0.5", "it passes"),
}

# Of each kind of environment the resolution of uv's and the Python.
ENVIRONMENTS = {"oldest": ("lowest-direct", "3.10"), "newest": ("highest", "3.14")}

SAMPLE = (
    "tests/cli/test_convert.py",
    "tests/cli/test_main.py",
    "tests/test_plain_layers.py",
    "tests/rnn/test_cells.py",
    "tests/nn/test_container.py",
    "tests/bridge/test_source.py",
    "tests/t7/test_layers.py",
)


def declared() -> dict[str, set[str]]:
    """The lower bounds that pyproject.toml states, by name."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r'"([A-Za-z][\w-]*)>=([\d.]+)"', (ROOT / "pyproject.toml").read_text()):
        found.setdefault(name, set()).add(version)
    return found


def create(folder: Path, resolution: str, python: str) -> None:
    """Create an environment with the releases that a resolution of uv's (``lowest-direct``, ``highest``) gives."""
    subprocess.run(["uv", "venv", "--python", python, str(folder)], check=True)
    wanted = [
        f"{name}>={version}" for name, (version, why) in BOUNDS.items() if "developers alone" not in why
    ]
    command = ["uv", "pip", "install", "--python", str(folder / "bin" / "python")]
    subprocess.run([*command, "--resolution", resolution, *wanted], check=True)


def run(python: str) -> bool:
    """Run the sample by an interpreter; whether it passes."""
    versions = "import sys, torch; print('Python', sys.version.split()[0], 'PyTorch', torch.__version__)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([python, "-c", versions], check=True)
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *SAMPLE]
    return subprocess.run(command, cwd=ROOT, env=environment).returncode == 0


def main(action: str, *words: str) -> int:
    if action in ENVIRONMENTS:
        resolution, python = ENVIRONMENTS[action]
        create(Path(words[0]), resolution, words[1] if len(words) > 1 else python)
        return 0
    if not words:
        print("no environments with other releases are here")
    passed = [run(python) for python in words]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    if (
        len(sys.argv) < 2
        or sys.argv[1] not in (*ENVIRONMENTS, "run")
        or sys.argv[1:] in (["oldest"], ["newest"])
    ):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
