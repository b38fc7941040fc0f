"""Functions in files: those that a program of the same user has saved can be called, also in a later process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError
from torch7py.ops import state

SAVE = """
require 'nn'
local factor = 3
local layer = nn.Identity()
function layer:updateOutput(x) self.output = x * factor return self.output end
torch.save(PATH, {f = function(x) return x + factor end, layer = layer})
"""
LOAD = """
require 'nn'
local saved = torch.load(PATH)
return saved.f(4), saved.layer:forward(torch.ones(2)):sum()
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "torch7py" / "functions"


def run(source: str, path: Path) -> object:
    """In a runtime of its own, as if in a process of its own."""
    state.of_process().trusted_bytecode.clear()
    with Runtime() as runtime:
        return runtime.execute(source.replace("PATH", f"'{path}'"), "@program.lua")


def test_called_in_a_later_process(home: Path, tmp_path: Path) -> None:
    run(SAVE, tmp_path / "saved.t7")
    assert run(LOAD, tmp_path / "saved.t7") == (7, 6)
    before = home.read_text()
    assert len(before.splitlines()) == 2
    run(SAVE, tmp_path / "saved.t7")
    assert home.read_text() == before
    if os.name == "posix":
        assert home.stat().st_mode & 0o777 == 0o600


def test_saved_again_by_one_who_has_read_it(home: Path, tmp_path: Path) -> None:
    run(SAVE, tmp_path / "saved.t7")
    run(f"require 'nn' torch.save('{tmp_path / 'again.t7'}', torch.load(PATH))", tmp_path / "saved.t7")
    assert run(LOAD, tmp_path / "again.t7") == (7, 6)


def test_somebody_elses_is_refused(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(SAVE, tmp_path / "saved.t7")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(LuaError, match=r"program\.lua:4: this function was saved by another user"):
        run(LOAD, tmp_path / "saved.t7")


@pytest.mark.skipif(os.name != "posix", reason="who may write to a file is told of POSIX systems alone")
def test_what_others_may_write_to_is_disregarded(home: Path, tmp_path: Path) -> None:
    run(SAVE, tmp_path / "saved.t7")
    home.chmod(0o620)
    with pytest.raises(LuaError, match="saved by another user"):
        run(LOAD, tmp_path / "saved.t7")


def test_copies_in_memory_leave_nothing(home: Path, tmp_path: Path) -> None:
    run("local f = torch.deserialize(torch.serialize(function() return 5 end)) return f()", tmp_path)
    assert not home.exists()


def test_where_nothing_can_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.joinpath("file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    run(SAVE, tmp_path / "saved.t7")
    with pytest.raises(LuaError, match="saved by another user"):
        run(LOAD, tmp_path / "saved.t7")


def test_functions_of_packages_are_saved_by_name() -> None:
    with Runtime() as runtime:
        runtime.execute(
            "local o = require 'optim' saved = torch.serialize {o.sgd, require('pl.stringx').split}"
        )
        assert runtime.execute("""
            local sgd, split = unpack(torch.deserialize(saved))
            local x = torch.zeros(2)
            sgd(function() return 0, torch.ones(2) end, x, {learningRate = 0.5})
            return x:sum(), split('a b')[2]
        """) == (-1, "b")
        with pytest.raises(LuaError, match=r"Unwritable object <function> at <\?>\.f"):
            runtime.execute("torch.serialize {f = print}")


def test_a_function_of_several_names_has_the_same_one_in_every_file() -> None:
    """``capitalize`` and ``title`` of stringx are one function; so is what several packages have."""
    for _ in range(4):  # the order of a table's keys differs from state to state
        with Runtime() as runtime:
            found = runtime.execute(
                "local words = require 'pl.stringx' assert(words.title == words.capitalize) "
                "local one, other = torch.serialize(words.title), torch.serialize(require('sys').dirname) "
                "return {one:find('capitalize') ~= nil, one:find('title') ~= nil, "
                "other:find('paths') ~= nil, other:find('sys') ~= nil}"
            )
        assert list(found) == [True, False, True, False]
