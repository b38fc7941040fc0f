"""Options that are Lua's values: ``loadstring('return ' .. opt.sizes)()``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.translate.layers.helpers import HELPERS
from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import verify_script

SOURCE = """local cmd = torch.CmdLine()
cmd:option('--sizes', '{200,100}', 'numbers of units')
cmd:option('--schedule', '', 'e.g. {[5] = 0.004}')
cmd:option('-rates', '{0, 0.999}', 'of Adam')
cmd:option('-name', "'x'", 'a text')
cmd:option('--inputsize', -1, 'of the first layer')
local opt = cmd:parse(arg)
opt.sizes = loadstring(" return "..opt.sizes)()
opt.schedule = loadstring(" return "..opt.schedule)()
local rates = loadstring("return " .. opt.rates)()
opt.inputsize = opt.inputsize == -1 and opt.sizes[1] or opt.inputsize
for i, size in ipairs(opt.sizes) do print(i, size, torch.zeros(size):nElement()) end
print(rates[2], #opt.sizes, opt.inputsize, loadstring('return ' .. opt.name)() .. '!')
opt.rate = 1
for epoch = 1, 3 do
   if opt.schedule then opt.rate = opt.schedule[epoch] or opt.rate end
   print(opt.rate)
end
"""


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--schedule", "{[2]=0.5,[3]=0.25}", "--sizes", "{ 3 }"],
        ["--schedule", "{0.5, 0.25}", "-name", '"it"', "--inputsize", "7"],
    ],
)
def test_values_of_options(tmp_path: Path, arguments: list[str]) -> None:
    page = translate_script(SOURCE.encode(), "program.lua")
    assert page.problems == []
    assert page.native == page.statements
    script = tmp_path / "program.lua"
    script.write_text(SOURCE)
    assert verify_script(page, script, arguments).printed == 0
    assert '    cmd.add_argument("--sizes", default="{200,100}", help="numbers of units")\n' in page.code
    assert "    opt.sizes = read_literal(opt.sizes, list)\n" in page.code
    assert "    opt.schedule = read_literal(opt.schedule, dict)\n" in page.code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "-2.5",
        "1e-3",
        "true",
        "'a b'",
        '"q"',
        "{}",
        "{1, 2.5, 'x'}",
        "{a = 1, [5] = {2; 3}}",
        "{{1}, {2, 3},}",
    ],
)
def test_a_value_is_lua_s(text: str) -> None:
    space: dict[str, Any] = {}
    exec("import re\n" + HELPERS["read_literal"], space)
    expected = Runtime().execute(f"return {text}")
    assert plain(space["read_literal"](text)) == plain(expected)


def plain(value: Any) -> Any:
    """Tables as dicts."""
    if isinstance(value, list):
        return {i: plain(item) for i, item in enumerate(value, 1)}
    if isinstance(value, dict) or hasattr(value, "items"):
        return {key: plain(item) for key, item in value.items()}
    return value


@pytest.mark.parametrize(("text", "kind"), [("os.exit()", None), ("{1} {2}", None), ("{[2] = 1}", list)])
def test_what_is_no_value_is_refused(text: str, kind: type | None) -> None:
    space: dict[str, Any] = {}
    exec("import re\n" + HELPERS["read_literal"], space)
    with pytest.raises(ValueError, match=r"could not convert|not a value"):
        space["read_literal"](text, kind)


@pytest.mark.usefixtures("without_objects")
def test_a_text_of_which_nothing_is_known_is_refused() -> None:
    source = "local f = io.open('a')\nlocal x = loadstring('return ' .. f:read('*a'))()\nprint(x)\n"
    assert {problem.code for problem in translate_script(source.encode(), "program.lua").problems} == {
        "T7-307"
    }
