"""xlua: what programs use beside what the golden texts show: tables, globals, progress bars."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError


@pytest.fixture
def rt(runtime: Runtime) -> Runtime:
    runtime.execute("require 'sys' require 'xlua'")
    return runtime


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
