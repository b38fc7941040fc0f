"""What packages and layers print goes through the program's own ``print``, which it may have redefined (a log, say)."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import torch7py
from tests.golden_cases import GOLDEN
from torch7py.bridge.runtime import Runtime

HERE = Path(__file__).parent
PACKAGE = Path(torch7py.__file__).parent
ROOMS = ("nn", "rnn", "ops", "packages", "t7")
# Their output has a stream of its own: what `say` falls back to, and what is flushed before a process is started.
STREAMS = {"ops/program_output.py": {"write", "flush"}, "ops/files/disk.py": {"flush"}}
TO_STANDARD_ERROR = "file=sys.stderr"


def test_a_redefined_print_gets_what_the_original_gave_it(capfd: pytest.CaptureFixture[str]) -> None:
    with Runtime() as runtime:
        runtime.execute((HERE / "redefined_print.lua").read_text())
    printed = [line.removesuffix("\t") for line in capfd.readouterr().out.splitlines()]
    assert printed == (GOLDEN / "redefined_print.txt").read_text().splitlines()


@pytest.mark.one_lua
@pytest.mark.parametrize("room", ROOMS)
def test_nothing_below_the_bridge_writes_to_standard_output_itself(room: str) -> None:
    found = []
    for file in sorted((PACKAGE / room).rglob("*.py")):
        name = file.relative_to(PACKAGE).as_posix()
        for call in ast.walk(ast.parse(file.read_text())):
            if not isinstance(call, ast.Call):
                continue
            text = ast.unparse(call.func)
            if text == "print" and TO_STANDARD_ERROR not in ast.unparse(call):
                found.append(f"{name}:{call.lineno}: print")
            if text.startswith("sys.stdout.") and text.rpartition(".")[2] not in STREAMS.get(name, ()):
                found.append(f"{name}:{call.lineno}: {text}")
    assert found == []


def test_no_package_keeps_the_print_that_there_was_when_it_was_loaded() -> None:
    found = [
        f"{file.relative_to(PACKAGE)}: {line}"
        for file in sorted(PACKAGE.rglob("*.lua"))
        for line in re.findall(r"^local [^=(\n]*\bprint\b[^=\n]*=.*$", file.read_text(), re.MULTILINE)
    ]
    assert found == []
