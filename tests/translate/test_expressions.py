"""Expressions as Python: the same values as LuaJIT's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.translate.running import assert_same
from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import verify_script

DIFFERENCES = """
local n, m = 7, 3
print(1 - n, 10 - n, n - 1, n - 1 - 1, 5 - 2 - n)
print(1 - (n + 1), 1 - (n - 1), 0 - n, n - n, n - (m - 1))
print(2 * (5 - n) + 1, 10 - (n - 1) - m, 10 - (n - 1) * m, -(1 - n))
local t = {10, 20, 30}
for i = 1, 3 do print(4 - i, t[4 - i], #t - i) end
local x = torch.range(1, 5)
for i = 1, 5 do print(x[6 - i]) end
print(x:narrow(1, 5 - m, m - 1):sum())
"""


def test_differences(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(DIFFERENCES)
    page = translate_script(path.read_bytes(), "p.lua")
    assert page.problems == []
    comparison = verify_script(page, path)
    assert comparison.lines == 3 + 3 + 5 + 1
    assert comparison.largest == 0


@pytest.mark.parametrize(
    "source",
    ["local global = 1\nprint(global, #'a', global + 1)", "print(1) --\n\n--[[ long\ncomment ]]\nprint(2)"],
)
def test_words_and_comments_that_the_grammar_takes_otherwise(source: str, tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(source)
    assert verify_script(translate_script(path.read_bytes(), "p.lua"), path).lines > 0


@pytest.mark.parametrize(
    ("source", "slice_"),
    [
        ("local s = 'abc'\nfor i = 1, 3 do print(s:sub(i)) end", "s[i - 1:]"),
        ("local s = 'abc'\nfor i = 0, 2 do print(s:sub(i)) end", "s[max(i - 1, 0) :]"),
        ("local s = 'abc'\nprint(s:sub(0, 2))", "s[:2]"),
    ],
)
def test_a_text_from_before_its_beginning_begins_there(source: str, slice_: str, tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(source)
    page = translate_script(path.read_bytes(), "p.lua")
    assert slice_.replace(" ", "") in page.code.replace(" ", "")
    assert verify_script(page, path).largest == 0


def test_letters_beyond_ascii_are_counted_in_bytes(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text("local s = 'h\u00e9'\nprint(#s, s:len())")
    assert verify_script(translate_script(path.read_bytes(), "p.lua"), path).lines == 1
    path.write_text("local s = 'h\u00e9x'\nprint(s:sub(2, 3), s:sub(4), s:sub(4):byte())")
    page = translate_script(path.read_bytes(), "p.lua")
    assert {problem.code for problem in page.reasons} == {"T7-233"}
    assert verify_script(page, path).lines == 1


COLUMNS = """require 'nn'
local function build(sizes)
   local net = nn.Sequential()
   for i = 2, #sizes do net:add(nn.Linear(sizes[i - 1], sizes[i])) end
   return net
end
local net, n = build{2, 4, 3}, 4
local weights = net:getParameters()
weights:fill(0.5)
local output = net:forward(torch.Tensor{{1, 2}, {-3, 4}, {0, -1}, {2, -2}})
local wanted = torch.ones(n)
wanted[2] = 3
local most, places = torch.max(output, 2)
local sums = output:sum(2)
"""
ELEMENT_BY_ELEMENT = [
    "places:typeAs(wanted):eq(wanted)",
    "torch.ne(places:double(), wanted)",
    "wanted:le(places:double())",
    "most:gt(wanted)",
    "sums - wanted",
    "wanted - most",
    "torch.cmul(sums, wanted)",
    "sums:clone():cdiv(wanted)",
    "torch.add(wanted, 2, most)",
]


def test_a_column_and_a_vector_are_taken_element_by_element() -> None:
    shown = [f"print(({each}):double():sum(), ({each}):nElement())\n" for each in ELEMENT_BY_ELEMENT]
    assert_same(COLUMNS + "".join(shown))


def test_the_diagonal_of_a_matrix_and_the_matrix_of_a_diagonal() -> None:
    assert_same(
        "local d = torch.diag(torch.Tensor{2, 3})\nlocal m = d:t() * d\n"
        "print(m[1][1], m:dim(), torch.diag(m)[2], torch.diag(m):dim())\n"
    )


def test_a_global_that_has_a_value_where_nothing_gave_it_one() -> None:
    page = assert_same(
        "size = size or 80\nprint(size)\nlocal function f() turn = turn or 1 print(turn) turn = turn + 1 end\n"
        "f()\nf()\nrates = rates or {size, 2}\nprint(#rates)\n"
    )
    assert page is not None
    assert "    size = 80\n" in page.code


def test_bytes_at_places_are_of_texts() -> None:
    assert_same(
        "local function same(a, b)\nlocal n = 0\nfor i = 1, #a do for j = 1, #b do\n"
        "if a:byte(i) == b:byte(j) then n = n + 1 end\nend end\nreturn n\nend\n"
        "for _, pair in ipairs{{'kitten', 'sitting'}, {'', 'abc'}} do print(pair[1], same(unpack(pair))) end\n"
    )


def test_one_of_several_values_is_whole_where_it_is() -> None:
    assert_same(
        "local function show(...)\nlocal p = {}\n"
        "for i = 1, select('#', ...) do p[i] = tostring((select(i, ...))) end\nprint(table.concat(p, ' '))\nend\n"
        "local v = torch.Tensor{3, 7, 2}\nshow(v:size(1), v:sum(), v:max() / 2)\n"
    )
