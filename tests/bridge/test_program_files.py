"""The files of a program, found by the literal names that it loads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from torch7py.bridge.program_files import code_matches, program_files

FILES = {
    "main.lua": """require 'nn'
        local util = require 'util.misc'  dofile('data.lua')
        paths.dofile "models/init.lua"
        -- require 'commented'
        --[[ require 'commented' ]]
        my.require 'commented' require_all 'commented' ; require(name)""",
    "util/misc.lua": "return require './beside'",
    "util/beside.lua": "require 'main' loadfile('deep.lua')",
    "data.lua": "",
    "models/init.lua": "",
    "deep.lua": "",
    "commented.lua": "",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        tmp_path.joinpath(name).parent.mkdir(exist_ok=True)
        tmp_path.joinpath(name).write_text(text)
    return tmp_path


def names(folder: Path, deep: bool = True) -> list[str]:
    found = dict(program_files(folder / "main.lua", deep=deep))
    for path, source in found.items():
        assert source == path.read_bytes()
    return [path.resolve().relative_to(folder.resolve()).as_posix() for path in found]


def test_each_file_once_the_script_first(folder: Path) -> None:
    assert names(folder) == [
        "main.lua", "util/misc.lua", "data.lua", "models/init.lua", "util/beside.lua", "deep.lua",
    ]  # fmt: skip


def test_what_the_script_itself_loads(folder: Path) -> None:
    assert names(folder, deep=False) == ["main.lua", "util/misc.lua", "data.lua", "models/init.lua"]


def test_a_source_that_was_read_already(folder: Path) -> None:
    found = list(program_files(folder / "nowhere.lua", b"require 'data'"))
    assert found == [(folder / "nowhere.lua", b"require 'data'"), (folder / "data.lua", b"")]


def test_a_file_that_cannot_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the script that is an error; what another one holds the program itself will miss."""
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == refused:
            raise PermissionError(path)
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    refused = "misc.lua"
    found = [path.name for path, _ in program_files(folder / "main.lua")]
    assert found == ["main.lua", "data.lua", "init.lua"]
    refused = "main.lua"
    with pytest.raises(PermissionError):
        list(program_files(folder / "main.lua"))


def test_matches_in_code() -> None:
    source = b"f(1) -- f(2)\n--[==[ f(3)\n]] f(4) ]==] f(5)\nx.f(6) g_f(7) f(8)"
    found = [match[1] for match in code_matches(re.compile(rb"f\((\d)\)"), source)]
    assert found == [b"1", b"5", b"8"]
