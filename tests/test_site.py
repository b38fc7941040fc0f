"""The site of the documentation: its pages are all there, and those that no other test runs do what they say.

Where mkdocs is installed (``pip install '.[docs]'``) the site is built. It is not among what all tests need; that links
lead somewhere is tried for each page in test_readme.py.
"""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import torch7py
from torch7py.cli.main import main

ROOT = Path(__file__).parents[1]
CONFIGURATION = ROOT.joinpath("mkdocs.yml").read_text()
ROUNDING = re.compile(r"\b\d\.\de-1\d\b")  # an error that differs between processors


def test_every_page_has_its_place() -> None:
    """On the site's map stand the pages of docs/, and some of the root, which tools/site.py puts beside them."""
    named = set(re.findall(r": ([\w/]+\.md)$", CONFIGURATION, re.MULTILINE))
    of_the_root = {"index.md", *(name for name in named if ROOT.joinpath(name).exists())}
    pages = {path.name for path in ROOT.glob("docs/*.md")}
    assert named == pages | of_the_root | {"decisions/README.md"}


def test_the_page_about_the_interface_has_every_name() -> None:
    page = ROOT.joinpath("docs", "python_api.md").read_text()
    named = re.findall(r"^::: torch7py\.(\w+)$", page, re.MULTILINE)
    assert sorted(named) == sorted(set(torch7py.__all__) - {"__version__"})


def test_the_address_of_the_repository_is_that_of_the_package() -> None:
    (address,) = re.findall(r"repository: (\S+)", CONFIGURATION)
    assert f'Homepage = "{address}"' in ROOT.joinpath("pyproject.toml").read_text()


@pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="mkdocs is not installed (extra docs)")
def test_the_site_is_built_without_a_warning_and_needs_no_network(tmp_path: Path) -> None:
    # Not with --quiet, by which --strict would let every warning pass.
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pages = list(tmp_path.glob("**/*.html"))
    assert len(pages) > 100
    for page in pages:
        loaded = re.findall(
            r"<(?:script|link|img|iframe)[^>]*?(?:src|href)=\"?((?:https?:)?//[^\s\">]+)", page.read_text()
        )
        assert loaded == [], page


def test_a_project_step_by_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The project of docs/porting.md, by its commands, in their order."""
    monkeypatch.chdir(tmp_path)
    page = ROOT.joinpath("docs", "porting.md").read_text()
    for kind, text in re.findall(r"^```(\w+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        if kind == "lua":
            named = re.match(r"-- ([\w.]+\.lua):", text)
            assert named
            tmp_path.joinpath(named[1]).write_text(text)
        elif kind == "python":
            exec(text, {})
        else:
            assert kind == "console"
            for step in re.split(r"^\$ torch7py ", text, flags=re.MULTILINE)[1:]:
                command, _, expected = step.partition("\n")
                found = CliRunner().invoke(main, shlex.split(command))
                shown = [ROUNDING.sub("small", line).rstrip() for line in found.output.splitlines()]
                assert shown == ROUNDING.sub("small", expected).splitlines(), command
