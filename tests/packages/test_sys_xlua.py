"""What scripts use of sys and xlua beside what the golden texts show: the shell, tables, globals, progress bars."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError


@pytest.fixture
def rt(runtime: Runtime) -> Runtime:
    runtime.execute("require 'sys' require 'xlua'")
    return runtime


# -- sys -----------------------------------------------------------------------------------------------------


def test_listings(rt: Runtime, tmp_path: Path) -> None:
    (tmp_path / "b").write_text("12345")
    (tmp_path / ".hidden").touch()
    (tmp_path / "a").mkdir()
    rt.globals["d"] = str(tmp_path)
    assert rt.execute("return sys.ls(d)").split() == ["a", "b"]
    assert rt.execute("return sys.la(d)").split() == [".", "..", ".hidden", "a", "b"]
    long = rt.execute("return sys.ll(d)").splitlines()[1:]
    assert [line.split()[-1] for line in long] == ["a", "b"]
    assert long[0].startswith("d")
    assert long[1].split()[4] == "5"
    assert len(rt.execute("return sys.lla(d)").splitlines()[1:]) == 5


def test_the_shell(rt: Runtime) -> None:
    assert rt.execute("return sys.execute('echo one; echo two')") == "one\ntwo"
    assert rt.execute("return sys.execute('echo wrong >&2')") == "wrong"
    assert rt.execute("return sys.fexecute('echo one two', '*l')") == "one two"


def test_names_of_files(rt: Runtime) -> None:
    assert rt.execute("return sys.dirname('/a/b/c.lua'), sys.concat('/a', '../b', 'c')") == ("/a/b", "/b/c")
    assert rt.execute("return sys.prefix, sys.OS == sys.uname()") == ("", True)


def test_where_a_file_is(rt: Runtime, tmp_path: Path) -> None:
    (tmp_path / "here.lua").write_text("d, f = require('sys.fpath')()")
    rt.run(str(tmp_path / "here.lua"))
    assert rt.execute("return d, f") == (str(tmp_path), "here.lua")


def test_waiting(rt: Runtime) -> None:
    rt.execute("sys.tic() sys.usleep(2000) a = sys.toc() sys.tic() sys.sleep(0.003) b = sys.toc()")
    assert 0.002 <= rt.execute("return a") < 1
    assert 0.003 <= rt.execute("return b") < 1


def test_toc_before_tic(rt: Runtime) -> None:
    with pytest.raises(LuaError, match=r"^t\.lua:1: sys\.toc before sys\.tic"):
        rt.execute("sys.toc()", "=t.lua")


@pytest.mark.parametrize(
    ("text", "pattern", "pieces"),
    [
        ("a,b,,c", ",", ["a", "b", "", "c"]),
        (",a,", ",", ["a"]),
        ("one  two", "%s+", ["one", "two"]),
        ("x", ",", ["x"]),
    ],
)
def test_split(rt: Runtime, text: str, pattern: str, pieces: list[str]) -> None:
    rt.globals["s"], rt.globals["p"] = text, pattern
    assert rt.execute("return sys.split(s, p)") == pieces
    assert rt.execute("return s:split(p)") == pieces


# -- xlua ----------------------------------------------------------------------------------------------------


def test_splice(rt: Runtime) -> None:
    assert rt.execute("local a, b = table.splice({1, 2, 3, 4, 5}, 2, 3) return a, b") == ([1, 5], [2, 3, 4])
    assert rt.execute("local a, b = table.splice({1, 2, 3}) return a, b") == ([2, 3], [1])


def test_prune(rt: Runtime) -> None:
    assert sorted(rt.execute("return table.prune({3, 1, 3, 2, 1})")) == [1, 2, 3]
    assert sorted(rt.execute("return table.prune({1, 2, 3, 4}, function(x) return x % 2 end)")) == [3, 4]
    merged = "return table.prune({1, 2, 3, 4}, function(x) return x % 2 end, function(a, b) return a + b end)"
    assert sorted(rt.execute(merged)) == [4, 6]


def test_symbols(rt: Runtime) -> None:
    assert rt.execute("return string.tosymbol('torch.Tensor') == torch.Tensor") is True
    with pytest.raises(LuaError, match='symbol "nothing" does not exist'):
        rt.execute("string.tosymbol('nothing')")


def test_packages_that_may_be_missing(rt: Runtime, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert rt.execute("return xlua.require('nn') == nn, xrequire('nowhere_to_be_found')") == (True, False)
    assert "warning: <nowhere_to_be_found> could not be loaded" in capfd.readouterr().out
    (tmp_path / "there.lua").touch()
    rt.execute(f"package.path = '{tmp_path}/?.lua'")
    assert rt.execute("return xlua.installed('there')") == (True, str(tmp_path / "there.lua"))
    assert rt.execute("return (xlua.installed('absent'))") is False


def test_globals_come_and_go(rt: Runtime, capfd: pytest.CaptureFixture[str]) -> None:
    rt.execute("mine, other = 42, 'text' xlua.who()")
    assert re.search(r"mine\W+42", capfd.readouterr().out)
    rt.execute("xlua.clear('mine')")
    assert rt.execute("return mine, other") == (None, "text")
    rt.execute("local clear = xlua.clearall clear()")
    assert rt.execute("return other, type(torch), type(print)") == (None, "table", "function")


def test_a_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    name = tmp_path / "deep" / "run.log"
    with Runtime() as rt:
        rt.execute(f"require 'xlua' xlua.log('{name}') io.write('one ') print('two')")
    with Runtime() as rt:
        rt.execute(f"require 'xlua' xlua.log('{name}', true) io.write('three')")
    assert name.read_text().split() == ["one", "two", "three"]
    assert capfd.readouterr().out.split() == ["one", "two", "three"]


def test_a_progress_bar(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """It begins with the first call, is written over itself, and ends with the goal, once."""
    monkeypatch.setenv("COLUMNS", "80")
    rt.execute("for i = 1, 10 do xlua.progress(i, 10) end")
    written = capfd.readouterr().out
    assert re.search(r"\b10/10\b", written)
    assert "Tot: " in written
    assert "Step: " in written
    assert written.count("\n") == 1 + written.startswith("\n")
    last = written.rstrip("\n\r").rpartition("\r")[2]
    assert "." not in last.split("]")[0].strip(" [=")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0005, "0ms"), (0.25, "250ms"), (1, "1s"), (61.5, "1m1s"), (3600, "1h"), (90061, "1D1h")],
)
def test_times(rt: Runtime, seconds: float, text: str) -> None:
    assert rt.execute(f"return xlua.formatTime({seconds})").replace(" ", "") == text


# -- Penlight's path, and other names of th -----------------------------------------------------------------------


def test_penlights_path_is_there(runtime: Runtime) -> None:
    assert runtime.execute("return path.join('a', 'b.t7'), path.splitext('x/y.t7')") == (
        "a/b.t7",
        "x/y",
        ".t7",
    )
    assert runtime.execute(
        "return path.exists('/nowhere'), path.basename('/a/b.c'), path.dirname('/a/b.c')"
    ) == (
        False,
        "b.c",
        "/a",
    )
    assert runtime.execute("return path.isdir('/'), path.currentdir()") == (True, os.getcwd())


def test_paths_of_this_process(runtime: Runtime) -> None:
    assert runtime.execute("require 'paths' return paths.cwd(), paths.home") == (
        os.getcwd(),
        str(Path.home()),
    )
    assert runtime.execute("return paths.execdir() ~= nil and paths.dirp(paths.execdir())") is True
