"""sys: listings, the shell, names of files, clocks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError


@pytest.fixture
def rt(runtime: Runtime) -> Runtime:
    runtime.execute("require 'sys' require 'xlua'")
    return runtime


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
