"""The console's engine: when a text is complete, what its evaluation prints, and what completion and help offer."""

from __future__ import annotations

import gzip
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from torch7py.bridge.errors import LuaError, LuaSyntaxError
from torch7py.bridge.runtime import Runtime
from torch7py.console.engine import Console
from torch7py.nn.registry import layers, package_of

GOLDEN: list[dict[str, Any]] = json.loads(
    gzip.decompress((Path(__file__).parents[1] / "golden" / "th_prompt.json.gz").read_bytes())
)


@pytest.fixture(scope="module")
def console() -> Iterator[Console]:
    with Runtime(seed=1) as runtime:
        yield Console(runtime)


@pytest.fixture
def shown(console: Console, capsys: pytest.CaptureFixture[str]):
    """What the evaluation of a text prints."""

    def evaluate(text: str) -> str:
        capsys.readouterr()
        console.evaluate(text, "stdin")
        return capsys.readouterr().out

    return evaluate


def without_addresses(text: str) -> str:
    return re.sub(r"0x[0-9a-f]+", "0x", text)


@pytest.mark.parametrize("dialogue", GOLDEN, ids=lambda dialogue: dialogue["name"])
def test_what_the_original_prompt_printed(
    dialogue: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with Runtime() as runtime:
        console = Console(runtime)
        for line, printed in dialogue["lines"]:
            capsys.readouterr()
            console.evaluate(line, "stdin")
            assert without_addresses(capsys.readouterr().out) == printed, line


COMPLETE = [
    "x", "x = 3", "= 5", "1 +\n2", "f()", "f\n(x)", "", ";", "-- nothing", "?", "?torch.add", "$ ls |", "x = 3; x",
    "local y = 2\ny * 2", "function f()\n\n  return 1\nend", "#{1, 2}", "'a'", "x, y", "goto_ = 1", "x = {\n1,\n}",
]  # fmt: skip
INCOMPLETE = [
    "x +", "x =", "f(", "for i = 1, 2 do", "for i = 1, 2 do\nprint(i)", "function f()", "if x then", "x = {\n1,", "[[a",
    "--[[a", "repeat", "x.", "x:f", "local x = function()", "return {", "'a\\\n",
]  # fmt: skip
INVALID = ["x y", ")", "end", "for for", "x = = 2", "'abc", "1 2"]


@pytest.mark.parametrize(
    ("state", "texts"), [("complete", COMPLETE), ("incomplete", INCOMPLETE), ("invalid", INVALID)]
)
def test_whether_a_text_is_complete(console: Console, state: str, texts: list[str]) -> None:
    assert {text: console.is_complete(text) for text in texts} == dict.fromkeys(texts, state)


def test_every_beginning_of_a_program_is_incomplete_or_complete(console: Console) -> None:
    """By lines, as they are typed: none is taken for an error before the program has come to its end."""
    program = """function f(a,
          b)
       local t = {a,
          b,
          [[x
       y]]}
       for i, v in ipairs(t) do
          if i > 1 then -- a comment
             t[i] = v ..
                'z'
          end
       end
       return t
    end
    f(1,
      2)"""
    lines = program.split("\n")
    states = [console.is_complete("\n".join(lines[:n])) for n in range(1, len(lines) + 1)]
    assert states == ["incomplete"] * 13 + ["complete", "incomplete", "complete"]


def test_the_last_expression_of_several_lines_is_printed(shown) -> None:
    assert shown("a = 2\nb = a + 1\nb\n") == "3\t\n"
    assert shown("local hidden = 4\nhidden * 2") == "8\t\n"
    assert shown("a = 5; a") == "5\t\n"
    assert shown("for i = 1, 2 do print(i) end\n'done'") == "1\t\n2\t\ndone\t\n"


@pytest.mark.parametrize(
    "text",
    [
        "a = 7\n- 2",  # Lua goes on to the next line
        "a = [[\nprint(1)\n]]",
        "--[[\nprint(1)\n--]]",
        "a = 5;",
        "a;",
        "if false then\n  print(1)\nend",
        "return 5",
        "require 'nn'",
        "local t = {\n print,\n}",
    ],
)
def test_what_is_no_expression_prints_nothing(shown, text: str) -> None:
    assert shown(text) == ""


def test_a_text_that_goes_on_is_one_statement(console: Console, shown) -> None:
    console.evaluate("a = 7\n- 2", "stdin")
    assert shown("a") == "5\t\n"


def test_an_error_has_its_line(console: Console) -> None:
    with pytest.raises(LuaError, match=r"^cell:3: boom$"):
        console.evaluate("a = 1\n\nerror('boom')", "cell")
    with pytest.raises(LuaSyntaxError, match=r"^cell:2: .*near 'end'") as caught:
        console.evaluate("a = 1\nend", "cell")
    assert caught.value.line == 2


def test_os_exit_is_left_to_the_caller(console: Console) -> None:
    with pytest.raises(SystemExit) as caught:
        console.evaluate("os.exit(3)", "stdin")
    assert caught.value.code == 3


def test_results_are_kept(shown) -> None:
    shown("_RESULTS = {}")
    shown("6 * 7")
    shown("'text'")
    assert shown("_LAST") == "text\t\n"
    assert shown("_RESULTS[1], _RESULTS[2]") == "42\ttext\t\n"


def test_a_command_of_the_system(shown) -> None:
    assert shown("$ echo one two") == "one two\n"
    assert shown("_LAST:upper()") == "ONE TWO\n\t\n"


def test_the_programs_own_print_prints(shown) -> None:
    shown("old, print = print, function(...) io.write('<', tostring(...), '>') end")
    assert shown("1 + 1") == "<2>"
    shown("print = old")


def test_who_lists_what_the_program_has_set(capsys: pytest.CaptureFixture[str]) -> None:
    with Runtime() as runtime:
        console = Console(runtime)
        console.evaluate("x, t, s = torch.Tensor(2, 3), {1, 2}, 'a\\nb'\nwho()", "stdin")
        assert capsys.readouterr().out.splitlines() == [
            "== User Variables ==\t",
            '[s] = string : "a\\nb"\t',
            "[t] = table - size: 2\t",
            "[x] = DoubleTensor - size: 2x3\t",
            "==\t",
        ]
        console.evaluate("import 'paths'\nbasename('a/b')", "stdin")
        assert capsys.readouterr().out == "b\t\n"


def test_a_program_that_has_changed_luas_own_functions() -> None:
    """Also before there is a console."""
    with Runtime() as runtime:
        runtime.execute(
            "torch, tostring, string.find, table.concat, next, pairs, rawget, debug.getinfo = nil"
        )
        console = Console(runtime)
        runtime.execute("torch = {}")
        assert console.is_complete("for i = 1, 2 do") == "incomplete"
        assert console.complete("ass").names == ["assert"]
        with pytest.raises(LuaError, match=r"cell:1: attempt to call global 'asert'") as caught:
            console.evaluate("asert(1)", "cell")
        assert console.explain(caught.value)[-1] == "did you mean assert?"


class TestCompletion:
    @pytest.fixture(autouse=True)
    def _variables(self, console: Console) -> None:
        console.evaluate(
            "require 'nn' m = nn.Linear(2, 3) x = torch.Tensor(3) t = {m, name = {inner = 1}} text = 'a'",
            "stdin",
        )

    def test_globals_and_keywords(self, console: Console) -> None:
        assert console.complete("tor") == (0, ["torch"])
        assert console.complete("y = fun", 7) == (4, ["function"])
        assert console.complete("y = torch", 7).names == console.complete("tor").names

    def test_the_cursor_may_be_in_the_middle(self, console: Console) -> None:
        assert console.complete("y = nn.Lin(2)", 10) == (7, ["Linear", "LinearWeightNorm"])

    def test_fields_and_methods_of_layers(self, console: Console) -> None:
        methods = console.complete("m:").names
        assert {"forward", "updateOutput", "reset", "noBias"} <= set(methods)
        assert "weight" not in methods
        assert {"weight", "bias", "forward"} <= set(console.complete("y = m.").names)
        assert "add" in console.complete("m.weight:").names

    def test_methods_of_tensors_and_strings(self, console: Console) -> None:
        assert console.complete("x:addc").names == ["addcdiv", "addcmul"]
        assert "upper" in console.complete("text:").names

    def test_what_an_index_leads_to(self, console: Console) -> None:
        assert console.complete("t[1].wei") == (5, ["weight"])
        assert console.complete("t.name.").names == ["inner"]
        assert console.complete("t['name'].").names == ["inner"]

    def test_nothing_is_called(self, console: Console) -> None:
        assert console.complete("os.exit().").names == []
        assert console.complete("nothing.").names == []
        assert console.complete("nothing.at.all:").names == []

    def test_an_index_that_fails(self, console: Console) -> None:
        console.evaluate(
            "strict = setmetatable({}, {__index = function(_, k) error('no ' .. k) end})", "stdin"
        )
        assert console.complete("strict.a.").names == []

    def test_comments_and_closed_strings(self, console: Console) -> None:
        assert console.complete("-- tor").names == []
        assert console.complete("'tor'").names == []
        assert console.complete("--[[ a 'quote ]] tor").names == ["torch"]
        assert console.complete("'it''s' .. tor").names == ["torch"]
        assert console.complete("'don\\'t' .. tor").names == ["torch"]

    def test_files_in_a_string(
        self, console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("model.t7").touch()
        Path("models").mkdir()
        Path("models", "one.lua").touch()
        assert console.complete("torch.load('mod") == (12, ["model.t7", "models/"])
        assert console.complete('dofile "models/') == (8, ["models/one.lua"])
        assert console.complete("require 'opti").names == ["optim"]
        assert console.complete("f('nowhere/").names == []

    def test_topics_of_help(self, console: Console) -> None:
        assert console.complete("?torch.addc") == (7, ["addcdiv", "addcmul"])

    def test_hidden_names_are_asked_for(self, console: Console) -> None:
        assert not any(name.startswith("_") for name in console.complete("").names)
        assert "_VERSION" in console.complete("_V").names

    def test_it_is_quick(self, console: Console) -> None:
        begun = time.perf_counter()
        assert len(console.complete("nn.").names) > 150
        assert time.perf_counter() - begun < 0.05


class TestHelp:
    def test_an_operation(self, console: Console) -> None:
        console.evaluate("x = torch.Tensor(3)", "stdin")
        text = console.help("torch.cat")
        assert text is not None
        assert text.startswith("torch.cat([out,] a, b[, dim])\nx:cat(b[, dim])\n")
        assert "Tensors one after the other along a dimension" in text
        assert console.help("x:cat") == console.help("torch.Tensor:cat") == text

    def test_a_class_and_its_methods(self, console: Console) -> None:
        text = console.help("nn.Linear")
        assert text is not None
        assert text.startswith("nn.Linear(inputSize, outputSize[, bias]): y = W x + b.")
        console.evaluate("require 'nn' m = nn.Linear(2, 3)", "stdin")
        assert console.help("m") == f"m: nn.Linear\n\n{text}"
        assert console.help("m:reset") == "m:reset([stdv]): draw the parameters with this standard deviation."
        assert (console.help("m:forward") or "").startswith("m:forward(input)")

    def test_every_layer_has_help(self, console: Console) -> None:
        names = [name for name in layers if "@" not in name and package_of[name] in ("nn", "rnn", "dpnn")]
        assert len(names) > 200
        assert [name for name in names if not console.help(name)] == []

    def test_functions_of_packages_required_or_not(self, console: Console) -> None:
        assert (console.help("optim.sgd") or "").startswith(
            "x, {f} = optim.sgd(opfunc, x[, config[, state]])"
        )
        assert (console.help("optim.Logger") or "").startswith("optim.Logger([name[, timestamp]])")
        assert "Restricted: needs Pillow" in (console.help("image.save") or "")
        assert (console.help("paths.dirname") or "").startswith("paths.dirname(name)")

    def test_a_package(self, console: Console) -> None:
        text = console.help("optim")
        assert text is not None
        assert text.startswith("optim: optimizers")
        assert "optim.sgd" in text

    def test_a_function_of_the_programs(self, console: Console, tmp_path: Path) -> None:
        file = tmp_path / "mine.lua"
        file.write_text("local x\n\n-- Adds one\n-- to a number.\nfunction mine(a)\n   return a + 1\nend\n")
        console.runtime.run(file)
        assert console.help("mine") == f"Adds one\nto a number.\nfunction mine(a)  ({file}:5)"

    def test_what_has_none(self, console: Console) -> None:
        for topic in ("nothing.at.all", "1 + 1", "nn.NoSuch", "??", "torch.Tensor.nosuch", "x y"):
            assert console.help(topic) is None

    def test_it_is_printed(self, shown) -> None:
        assert shown("? torch.cat").startswith("torch.cat(")
        assert shown("?").startswith("x = torch.randn(3)")
        assert shown("?nothing") == "there is no help on nothing\n"
        assert shown("?torch.zeross") == "there is no help on torch.zeross; did you mean ?torch.zeros?\n"
        assert shown("?tirch") == "there is no help on tirch; did you mean ?torch?\n"
