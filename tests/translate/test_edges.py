"""Where Lua and Python differ at the edges of numbers, text, tables and functions, a page does what Lua does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.translate.running import assert_same, in_page
from torch7py.translate.native.program import translate_script
from torch7py.translate.parse import LuaSyntaxError

PROGRAMS = [
    program
    for name in ("edges.lua", "edges_of_tensors.lua")
    for program in Path(__file__).with_name(name).read_text().split("\n---\n")
]


@pytest.mark.parametrize("source", PROGRAMS)
def test_edges(source: str) -> None:
    assert_same(source)


@pytest.mark.usefixtures("without_objects")
@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("local t = {} for i = 1, 3 do t[i] = function() i = i + 1 return i end end", "T7-219"),
        ("local t = {1, 2, nil, 4} print(#t)", "T7-305"),
        ("local function f(a, ...) return a, ... end local a, b = f(1, 2) print(a, b)", "T7-216"),
        ("os.exit('done')", "T7-203"),
        ("torch.class('A') function A:f() self['a b'] = 1 self.a_b = 2 return self['a b'] end", "T7-242"),
        (
            "local m = nn.Sequential():add(nn.MulConstant(2, true)) local z = torch.ones(3) m:forward(z) print(z)",
            "T7-230",
        ),
        (
            "local function f(x) return x:cuda() end local x = f(torch.LongTensor{3}) print(x / 2)",
            "T7-271",
        ),
        ("print(torch.symeig(torch.eye(2)))", "T7-218"),
    ],
)
def test_what_has_no_form_is_refused(source: str, code: str) -> None:
    assert [problem.code for problem in translate_script(source.encode(), "p.lua").problems] == [code]


@pytest.mark.parametrize(
    "source",
    [
        "local t = {1, nil, x = 3} for k, v in pairs(t) do print(k, v) end",
        "local t = {[true] = 1, x = 3} t[2] = 1 for k, v in pairs(t) do print(k, v) end",
        "local function f(k, ...) return k, ... end local ok, a, b = pcall(f, 2) print(b)",
    ],
)
def test_what_has_no_idiomatic_form_is_in_plain_calls(source: str) -> None:
    page = assert_same(source)
    assert page is not None
    assert page.plain_calls > 0


@pytest.mark.parametrize(
    "first", ["local function f() return 1 end", "local f = function() return 1 end", "local f = tostring"]
)
@pytest.mark.parametrize(
    "second", ["local function f() return 2 end", "local f = function() return 2 end", "local f = type"]
)
def test_a_function_in_place_of_another_of_its_name(first: str, second: str) -> None:
    assert_same(f"{first}\nprint(f('a'))\n{second}\nprint(f('a'))")
    assert_same(f"do {first}\nprint(f('a')) end\n{second}\nprint(f('a'))")
    assert_same(f"local function g() {first}\nprint(f('a'))\n{second}\nprint(f('a')) end g()")


@pytest.mark.parametrize("asked", ["print(#t)", "table.insert(t, 2)"])
def test_the_length_of_a_table_with_holes_is_an_error_when_the_page_runs(asked: str) -> None:
    page = translate_script(f"local t = {{1, nil, 3, x = 3}} {asked}".encode(), "p.lua")
    assert page.plain_calls >= 1
    with pytest.raises(BaseException, match="the length of a table with holes") as raised:
        in_page(page)
    assert type(raised.value).__name__ == "NotInPage"  # of the page's own library


@pytest.mark.parametrize("source", ["print(5 // 2)", "local x <const> = 5", "print(6 & 3)"])
def test_later_lua_is_none(source: str) -> None:
    with pytest.raises(LuaSyntaxError):
        translate_script(source.encode(), "p.lua")


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("local t = {1, 2} local s = 0 for i = 1, #t do s = s + t[i] end print(s / #t)", "s / len(t)"),
        ("local n = 5 local k = 3 print(n % k, math.floor(n / k))", "n % k"),
        ("local s = 'abc' for i = 1, #s do print(s:sub(i, i)) end", "s[i - 1]"),
        ("local t = {4, 5} for i = 1, #t do if t[i] then print(t[i]) end end", "print(t[i])"),
        ("local n = 0 for i = 1, 10 do n = n + i end print(n)", "print(n)"),
        ("local s = 0 for i = 1, 5 do s = s + i * i end print(s .. ' in all')", "{s} in all"),
        ("function total(opt, key) return opt.rate + opt[key] end", 'opt["rate"] + opt[key]'),
        ("function has(name) return name:lower() == 'x' or name:find('yz') end", "name.lower()"),
    ],
)
def test_what_is_known_is_plain(source: str, plain: str) -> None:
    page = assert_same(source)
    assert page is not None
    assert plain in page.code
    assert "lua_" not in page.code


@pytest.mark.parametrize(
    ("status", "code"), [("", None), ("true", None), ("false", 1), ("3", 3), ("0", 0), ("4 / 2", 2)]
)
def test_exit_codes(status: str, code: int | None) -> None:
    page = translate_script(f"os.exit({status})".encode(), "p.lua")
    with pytest.raises(SystemExit) as ended:
        exec(compile(page.code, "page", "exec"), {"__name__": "__main__"})
    assert ended.value.code == code


@pytest.mark.parametrize(
    "call",
    [
        "math.floor()",
        "math.pow(2)",
        "string.find()",
        "string.rep('a')",
        "table.insert()",
        "table.remove(1)",
        "torch.type()",
        "torch.typeAs(x)",
        "x:expandAs()",
        "('a'):sub()",
        "('a'):gsub('b')",
    ],
)
def test_a_call_with_too_few_arguments_is_not_native(call: str) -> None:
    source = f"local x = torch.zeros(2)\nlocal y = {call}\nprint(y)"
    page = translate_script(source.encode(), "p.lua")
    compile(page.code, "page", "exec")
    assert page.native < page.statements


def test_a_layer_made_of_its_predecessors_sizes_is_looked_at_once() -> None:
    source = """require 'nn'
local net
local function rebuild() net = nn.LookupTable(net.weight:size(1) + 1, 3) end
net = nn.LookupTable(4, 3)
rebuild()
"""
    assert "nn.Embedding(4, 3)" in translate_script(source.encode(), "p.lua").code
