"""docs/terminal.md does what it says: its dialogues, commands and program run here."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from torch7py.bridge.runtime import Runtime
from torch7py.cli.main import main
from torch7py.cli.repl import _lines_of
from torch7py.console.engine import Console

PAGE = Path(__file__).parents[2].joinpath("docs", "terminal.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def stripped(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines()]


def test_the_dialogue_at_the_prompt(capsys: pytest.CaptureFixture[str]) -> None:
    (text,) = (text for kind, text in BLOCKS if kind == "text")
    steps = re.split(r"^th> ", text, flags=re.MULTILINE)[1:]
    assert len(steps) > 8
    with Runtime() as runtime:
        console = Console(runtime)
        for step in steps:
            lines = re.sub(r"^\.\.> ", "th> ", f"th> {step}", flags=re.MULTILINE).splitlines()
            typed = iter([line[4:] for line in lines if line.startswith("th> ")])
            expected = [line.rstrip() for line in lines if not line.startswith("th> ")]
            console.evaluate(_lines_of(console, partial(_next, typed))(), "stdin")
            assert stripped(capsys.readouterr().out) == expected, step


def _next(lines: Iterator[str], prompt: str) -> str:
    return next(lines)


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for kind, text in BLOCKS:
        if kind == "lua":
            named = re.match(r"-- ([\w.]+\.lua):", text)
            assert named
            tmp_path.joinpath(named[1]).write_text(text)
        elif kind == "console":
            command, _, expected = text.removeprefix("$ torch7py ").partition("\n")
            found = CliRunner().invoke(main, shlex.split(command))
            assert stripped(found.output) == stripped(expected)


def test_the_python(capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = (text for kind, text in BLOCKS if kind == "python")
    exec(program, {})
    assert capsys.readouterr().out == "nn.Tanh\n"


def test_the_commands_that_it_names_are_there() -> None:
    for words in re.findall(r"`(torch7py [a-z]+|run --?\w+)", PAGE):
        name = words.split()[words.startswith("torch7py")]
        assert name in main.commands, words
        for option in re.findall(r"--\w+", words):
            assert any(option in parameter.opts for parameter in main.commands[name].params), words


@pytest.mark.parametrize(
    ("words", "completed"), [("torch7py tr", "translate"), ("torch7py run --prog", "--progress")]
)
def test_completion_in_the_shell(words: str, completed: str) -> None:
    """As the line in ``~/.bashrc`` has bash ask."""
    assert "_TORCH7PY_COMPLETE=bash_source" in PAGE
    variables = {
        "_TORCH7PY_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    found = CliRunner().invoke(main, prog_name="torch7py", env=variables)
    assert found.output == f"plain,{completed}\n"
