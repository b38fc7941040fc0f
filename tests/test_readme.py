"""The README does what it says: its code blocks run here, in their order, in one folder.

A ``lua`` block is the file that its first line names. A ``python`` block runs as it stands. In a ``console``
block, a line that starts with ``$`` is a command, and the lines below it are what it prints; that a target of
make exists is all that is checked of it, because this test is part of one.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from functools import cache
from pathlib import Path

import pytest

from tests import python_process
from tests.together import together

ROOT = Path(__file__).parents[1]
README = ROOT.joinpath("README.md").read_text()
BLOCKS = [
    (kind, text) for kind, text in re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
]


def call(*arguments: str, cwd: Path) -> str:
    result = python_process.run(arguments, cwd=cwd)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def lines(text: str) -> list[str]:
    """Without white space at the ends of lines, which nobody sees (``th``'s print leaves a tab there)."""
    return [line.rstrip() for line in text.splitlines()]


ROUNDING = re.compile(r"\b(0\.0e\+00|\d\.\de-1\d)$")  # an error that differs between processors


def run_console(text: str, folder: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", ROOT.joinpath("Makefile").read_text(), re.MULTILINE))
    for step in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, expected = step.partition("\n")
        program, *arguments = shlex.split(command)
        if program == "make":
            assert set(arguments) <= targets
        elif program == "torch7py":
            printed = call("-m", "torch7py", *arguments, cwd=folder)
            assert [ROUNDING.sub("small", line) for line in lines(printed)] == [
                ROUNDING.sub("small", line) for line in lines(expected)
            ]
        else:
            assert command == "pip install ."  # what tests/test_wheel.py does


def test_every_block_runs(tmp_path):
    for kind, text in BLOCKS:
        if kind == "lua":
            named = re.match(r"-- ([\w.]+\.lua):", text)
            assert named, "the first line of a Lua block names its file"
            tmp_path.joinpath(named[1]).write_text(text)
        elif kind == "python":
            call("-c", text, cwd=tmp_path)
        else:
            assert kind == "console"
            run_console(text, tmp_path)


def words_of(picture: Path) -> list[str]:
    """What a drawing says, but for times."""
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", picture.read_text())
    return [re.sub(r"\d[\d.]* [mµ]?s\b", "time", text) for text in texts]


def test_the_picture_is_the_one_that_show_draws(tmp_path):
    drawn = tmp_path / "convnet.svg"
    call("-m", "torch7py", "show", str(ROOT / "lua_samples" / "convnet.lua"), "-o", str(drawn), cwd=tmp_path)
    assert words_of(ROOT / "docs" / "convnet.svg") == words_of(drawn)


GUIDES = sorted(path.name for path in ROOT.joinpath("docs").glob("adding_*.md"))


@pytest.mark.parametrize("name", GUIDES)
def test_a_guide_works_when_followed(name, tmp_path):
    """The blocks of a guide are one program."""
    guide = ROOT.joinpath("docs", name).read_text()
    program = "".join(re.findall(r"^```python\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL))
    assert program, name
    assert call("-c", program, cwd=tmp_path) == ""


def test_the_blocks_about_the_border_run(tmp_path):
    for text in re.findall(
        r"^```python\n(.*?)^```$",
        ROOT.joinpath("docs/value_conversion.md").read_text(),
        re.MULTILINE | re.DOTALL,
    ):
        call("-c", text, cwd=tmp_path)


def test_the_page_about_ports_does_what_it_says(tmp_path):
    """A block whose first line names a file is that file."""
    page = ROOT.joinpath("docs/comparing.md").read_text()
    for kind, text in re.findall(r"^```(\w+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        named = re.match(r"(?:--|#) ([\w.]+\.(?:lua|py)):", text)
        if named:
            tmp_path.joinpath(named[1]).write_text(text)
        elif kind == "python":
            call("-c", text, cwd=tmp_path)
        elif kind == "console":
            command, shown = text.removeprefix("$ torch7py ").split("\n", 1)
            result = python_process.run(["-m", "torch7py", *shlex.split(command)], cwd=tmp_path)
            assert (result.returncode, result.stderr) == (0 if shown.startswith("the same") else 2, "")
            ours, theirs = (
                re.sub(r"\d\.\de-1\d|0\.0e\+00", "small", x).strip() for x in (result.stdout, shown)
            )
            assert ours == theirs
        else:
            assert kind == "json"
            json.loads(text)


PAGES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/**/*.md"),
    ROOT / "lua_samples/README.md",
    ROOT / "bench/README.md",
]


def prose(page: Path) -> str:
    """A page without its code, where brackets are no links and lines with # no headings."""
    return re.sub(r"^```.*?^```$|`[^`\n]*`", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


@cache
def headings(page: Path) -> set[str]:
    """What may stand behind # in a link to a page: its headings, as GitHub and the site write them there."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }


@together("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)", prose(page)):
        if "://" not in link:
            path, _, heading = link.partition("#")
            target = page.parent / path if path else page
            assert target.exists(), link
            assert not heading or heading in headings(target), link


def test_every_decision_is_dated_and_listed():
    folder = ROOT / "docs" / "decisions"
    index = folder.joinpath("README.md").read_text()
    for page in folder.glob("2*.md"):
        title = page.read_text().splitlines()[0]
        assert f"| {page.name[:10]} | [{title.removeprefix('# ')}]({page.name}) |" in index


def test_there_is_a_block_of_each_kind():
    assert {kind for kind, _ in BLOCKS} == {"lua", "python", "console"}


@pytest.mark.parametrize(
    "name",
    sorted(
        set(
            re.findall(
                r"`((?:torch7py|tests|docs|bench|lua_samples)/[^`]*)`",
                README
                + "".join(ROOT.joinpath("docs", name).read_text() for name in [*GUIDES, "architecture.md"]),
            )
        )
    ),
)
def test_every_path_exists(name):
    assert os.path.exists(ROOT / name)
