"""The console's engine: when a text is complete, and what its evaluation prints."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from torch7py.bridge.errors import LuaError, LuaSyntaxError
from torch7py.bridge.runtime import Runtime
from torch7py.console.engine import Console

GOLDEN: list[dict[str, Any]] = json.loads(
    gzip.decompress((Path(__file__).parents[1] / "golden" / "th_prompt.json.gz").read_bytes())
)


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


def test_bytes_that_are_no_utf_8(shown) -> None:
    """As ``read_line`` gives them."""
    assert shown("#'\udcff\udcfe', #'é'") == "2\t2\t\n"


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
