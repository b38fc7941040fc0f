"""What is shown of an error besides its message: the line, a mark where the column is known, and what may be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch7py.bridge.errors import LuaError
from torch7py.console.engine import Console

SUGGESTED = [
    ("nn.SpatialConvolutoin(3, 2)", "did you mean nn.SpatialConvolution?"),
    ("nn.linear(3, 2)", "did you mean nn.Linear?"),
    ("torch.zeross(2)", "did you mean torch.zeros?"),
    ("math.flor(2)", "did you mean math.floor?"),
    ("nn.LSTM(2, 3)", "nn.LSTM comes with require 'rnn'"),
    ("nn.SeqLSMT(2, 3)", "did you mean nn.SeqLSTM, after require 'rnn'?"),
    ("x = options.learninRate * 2", "did you mean options.learningRate?"),
    ("x = options.inner.deept.x", "did you mean options.inner.depth?"),
    ("model:fowrard(torch.ones(2))", "did you mean model:forward?"),
    ("local m = nn.Linear(2, 3)\nm:fowrard(1)", "did you mean :forward?"),
    ("local x = torch.ones(2)\nx:resizeas(x)", "did you mean :resizeAs?"),
    ("('a'):uper()", "did you mean :upper?"),
    ("pritn(3)", "did you mean print?"),
    ("optim.sgd(f, x)", "optim is a package: require 'optim' comes first"),
    (
        "pcall(require, 'cunn')\ncutorch.setDevice(1)",
        "cutorch was not loaded: run the program with --device cuda, or with --cuda-as cpu",
    ),
    ("require 'ngraph'", "did you mean require 'nngraph'?"),
    ("model:neverHeardOfIt()", None),
    ("nn.NeverHeardOfIt()", None),
    ("local t = {}\nt:foo()", None),
    ("undefinedvalue.x = 1", None),
    ("error('attempt to sound like Lua')", None),
]

MARKED = [
    ("x = nn.SpatialConvolutoin(3, 2)", "SpatialConvolutoin"),
    ("x = options.none + options.learningRate", "none"),
    ("model:forwards(model:get(1))", "forwards"),
    ("local y = 1 + undefinedvalue", "undefinedvalue"),
    ("local nothing\nnothing.x = 1", "nothing"),
    ("x y", "y"),
    ("x = torch.ones(2):add('x')", "add"),
    ("require 'nowhere.at.all'", "nowhere.at.all"),
    ("options.none()  options.none = 1", "none"),  # only one of the two is called
    ("options.none(options.none())", ""),  # either
    ("x = #undefinedvalue.y .. undefinedvalue", ""),
    ("x = 1 < 'x'", ""),
]


@pytest.fixture(scope="module", autouse=True)
def _variables(console: Console) -> None:
    console.evaluate(
        "require 'nn' model = nn.Sequential():add(nn.Tanh())"
        " options = {learningRate = 1, inner = {depth = 2}}",
        "setting",
    )


def explained(console: Console, text: str, name: str = "cell") -> tuple[str, list[str]]:
    with pytest.raises(LuaError) as caught:
        console.evaluate(text, name)
    return caught.value.message, console.explain(caught.value)


@pytest.mark.parametrize(("text", "suggestion"), SUGGESTED)
def test_what_may_be_meant(console: Console, text: str, suggestion: str | None) -> None:
    shown = [line for line in explained(console, text)[1] if " | " not in line]
    assert shown == ([suggestion] if suggestion else [])


@pytest.mark.parametrize(("text", "marked"), MARKED)
def test_the_line_and_the_mark(console: Console, text: str, marked: str) -> None:
    _, lines = explained(console, text)
    last = text.split("\n")[-1]
    assert lines[0].partition(" | ")[2] == last
    marks = [line for line in lines[1:] if line.endswith("^")]
    assert len(marks) == bool(marked)
    for mark in marks:
        begin, end = mark.index("^"), len(mark)
        assert lines[0][begin:end] == marked


def test_how_it_looks(console: Console) -> None:
    message, lines = explained(console, "x = 1\n\tx = nn.Liner(2)")
    assert message == "cell:2: attempt to call field 'Liner' (a nil value)"
    assert lines == ["    2 | x = nn.Liner(2)", "      |        ^^^^^", "did you mean nn.Linear?"]


def test_a_long_line_is_shown_in_part(console: Console) -> None:
    text = "x = 1 " * 60 + "x = nn.Liner(2) " + "x = 1 " * 60
    _, lines = explained(console, text)
    assert len(lines[0]) < 120
    assert "x = nn.Liner(2)" in lines[0]
    assert lines[0].partition(" | ")[2].startswith("...")
    assert lines[0].endswith("...")
    assert lines[0][lines[1].index("^") : len(lines[1])] == "Liner"


@pytest.mark.parametrize("width", [20, 26, 100])
def test_a_narrow_terminal(console: Console, width: int) -> None:
    for before in range(0, 60, 7):
        text = "x = 1 " * (before // 6) + "y = nn.Liner(2)" + " x = 1" * 5
        with pytest.raises(LuaError) as caught:
            console.evaluate(text, "cell")
        line, mark, _ = console.explain(caught.value, width)
        assert len(line) <= width + 14
        assert line[mark.index("^") : len(mark)] == "Liner"


def test_the_line_of_a_file(console: Console, tmp_path: Path) -> None:
    folder = tmp_path / "a_folder_with_a_name_that_is_longer_than_what_lua_shows_of_it"
    folder.mkdir()
    folder.joinpath("main.lua").write_text("require './part'")
    folder.joinpath("part.lua").write_text("\nnn.Liner(2)")
    with pytest.raises(LuaError) as caught:
        console.runtime.run(folder / "main.lua")
    assert caught.value.message.startswith("...")
    assert console.explain(caught.value)[0] == "    2 | nn.Liner(2)"


def test_an_error_that_was_thrown_again(console: Console) -> None:
    """The innermost place whose source is there."""
    text = "local ok, message = pcall(function()\n  nn.Liner(2)\nend)\nerror(message)"
    message, lines = explained(console, text)
    assert message.startswith("cell:4: cell:2: ")
    assert lines[0] == "    2 | nn.Liner(2)"


def test_a_file_that_is_no_lua(console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("bad.lua").write_text("local x = 1\nlocal y = ) 2\n")
    for text in ("require 'bad'", "dofile 'bad.lua'"):
        assert explained(console, text)[1] == ["    2 | local y = ) 2", "      |           ^"]


def test_a_place_without_a_source(console: Console) -> None:
    """The line around it is shown, but nothing is marked there."""
    assert explained(console, "assert(loadstring('x y'))")[1] == ["    1 | assert(loadstring('x y'))"]


def test_a_name_that_stood_for_several_texts(console: Console) -> None:
    """A function of an earlier one may be where the error is: its line is not to be had any more."""
    console.evaluate("function liner() return nn.Liner(2) end", "stdin")
    assert explained(console, "liner()", "stdin")[1] == []
    assert explained(console, "nn.Liner(2)", "stdin")[1][0] == "    1 | nn.Liner(2)"


def test_what_the_program_sees_is_the_message_alone(
    console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    console.evaluate("print(select(2, pcall(function() nn.Liner(2) end)))", "cell")
    assert capsys.readouterr().out == "cell:1: attempt to call field 'Liner' (a nil value)\t\n"


def test_lines_that_are_not_there(console: Console) -> None:
    for message in ("nowhere.lua:3: no", "no place at all", "cell:1000: no", ":1: x"):
        assert console.explain(LuaError(message)) == []
