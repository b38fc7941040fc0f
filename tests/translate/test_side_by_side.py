"""For each stretch of Lua the lines of Python that were written for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch7py.translate.native.program import translate_script
from torch7py.translate.side_by_side import (
    ADDED,
    NATIVE,
    NOTHING,
    PLAIN_CALLS,
    REFUSED,
    Sides,
    of_native,
)

SAMPLES = sorted(Path(__file__).parents[2].joinpath("lua_samples").glob("*.lua"))


def native(path: Path, text: str | None = None) -> list[Sides]:
    if text is not None:
        path.write_text(text)
    return of_native(translate_script(path.read_bytes(), str(path)), path, path.with_suffix(".py").name)


def pairs(sides: Sides) -> list[tuple[str, str]]:
    """The texts of both sides, row by row, without their indentation."""

    def joined(lines: list[str]) -> str:
        return "\n".join(line.strip() for line in lines if line.strip())

    return [
        (
            joined(sides.lua[row.first - 1 : row.last]) if row.first else "",
            joined([sides.python[number - 1] for number in row.page]),
        )
        for row in sides.rows
    ]


@pytest.mark.parametrize("path", SAMPLES, ids=[path.stem for path in SAMPLES])
def test_every_line_of_both_is_there_once(path: Path) -> None:
    (sides,) = native(path)
    shown = sorted(number for row in sides.rows for number in row.page)
    assert shown == [number for number, line in enumerate(sides.python, 1) if line.strip()]
    lua = [line for row in sides.rows if row.first for line in range(row.first, row.last + 1)]
    assert lua == list(range(1, len(sides.lua) + 1))
    with_both = sum(bool(row.first and row.page) for row in sides.rows)
    assert with_both > len(sides.rows) / 3
    for row in sides.rows:
        assert (row.state == ADDED) == (not row.first)
        assert row.state in (NATIVE, NOTHING, ADDED)


PROGRAM = """require 'nn'
-- the model
local net = nn.Sequential()
net:add(nn.Linear(2, 3))
net:add(nn.Tanh())

local function double(x)
   if x < 0 then return 0 end
   return 2 * x
end

for i = 1, 2 do
   print(double(i),
         i)   -- over two lines
end
"""


def test_statements_stand_beside_what_they_become(tmp_path: Path) -> None:
    (sides,) = native(tmp_path / "p.lua", PROGRAM)
    found = pairs(sides)
    assert (
        "-- the model\nlocal net = nn.Sequential()\nnet:add(nn.Linear(2, 3))\nnet:add(nn.Tanh())",
        "# the model\n_net = nn.Sequential(nn.Linear(2, 3), nn.Tanh())",
    ) in found
    assert ("local function double(x)", "def double(x):") in found
    assert ("if x < 0 then return 0 end", "if x < 0:\nreturn 0") in found
    assert ("return 2 * x", "return 2 * x") in found
    assert ("for i = 1, 2 do", "for i in range(1, 3):") in found
    (printed,) = [py for lua, py in found if lua.startswith("print(double(i),\ni)")]
    assert printed.splitlines()[-1].startswith("print(double(i), i")
    states = {lua: row.state for (lua, _), row in zip(found, sides.rows, strict=True)}
    assert states["require 'nn'"] == NOTHING
    assert states[""] in (ADDED, NOTHING)
    assert states["end"] == NATIVE


def test_branches_of_a_choice_have_lines_of_their_own(tmp_path: Path) -> None:
    program = """local a = tonumber(arg[1])
if a == 1 then print('one')
elseif a == 2 then
   print('two')
   if a then print('true') else print('false') end
elseif a == 3 then print('three') else
   -- more
   print('else')
end
"""
    (sides,) = native(tmp_path / "p.lua", program)
    found = [(lua.split("\n")[0], py) for lua, py in pairs(sides)]
    assert (
        "if a == 1 then print('one')",
        'if a == 1:\nprint("one")\nelif a == 2:',
    ) in found  # one row of both
    assert ("elseif a == 3 then print('three') else", 'elif a == 3:\nprint("three")\nelse:') in found
    (inner,) = (py for lua, py in found if lua.startswith("if a then print"))
    assert inner.endswith('print("true")\nelse:\nprint("false")')


def test_what_is_refused_has_its_code(tmp_path: Path) -> None:
    (sides,) = native(
        tmp_path / "p.lua",
        "print(1)\nlocal f = loadstring('return ' .. 1)\nprint(f())\n",
    )
    (refused,) = [row for row in sides.rows if row.state == REFUSED]
    assert (refused.first, refused.last) == (2, 2)
    assert refused.reasons == [("T7-201", "loadstring has no native form")]
    assert any("NotImplementedError" in sides.python[number - 1] for number in refused.page)


def test_a_statement_of_another_state(tmp_path: Path) -> None:
    source = "local x = 1\nlocal f = loadstring('return 1')\nprint(f() + x)\n"
    (sides,) = native(tmp_path / "p.lua", source)
    states = {row.first: row.state for row in sides.rows if row.first}
    assert {states[line] for line in states} <= {NATIVE, PLAIN_CALLS, REFUSED, NOTHING}
    assert PLAIN_CALLS in states.values() or REFUSED in states.values()


def test_files_that_a_program_requires(tmp_path: Path) -> None:
    tmp_path.joinpath("util.lua").write_text(
        "local M = {}\n\nfunction M.twice(x)\n   return 2 * x\nend\n\nreturn M\n"
    )
    script, util = native(tmp_path / "p.lua", "local util = require 'util'\nprint(util.twice(4))\n")
    assert (script.file, script.page, util.file, util.page) == ("p.lua", "p.py", "util.lua", "util.py")
    assert ("function M.twice(x)", "def twice(x):") in pairs(util)
    assert ("return 2 * x", "return 2 * x") in pairs(util)
    assert any(py.startswith("print(") for lua, py in pairs(script) if lua == "print(util.twice(4))")
