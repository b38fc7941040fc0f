"""Loops over functions of the program's own, as pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.translate.running import assert_same
from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import verify_script

PROGRAM = """
local function range(n)
  local i = 0
  return function()
    i = i + 1
    if i <= n then return i end
  end
end
for i in range(3) do print(i) end

local function doubled(list)
  local i = 0
  return function()
    i = i + 1
    if i > #list then return nil end
    return i, list[i] * 2
  end
end
for i, x in doubled({5, 6, 7}) do print(i, x) end
for i in doubled({5, 6}) do print(i) end

local Loader = {}
Loader.__index = Loader
function Loader.new(n)
  local self = setmetatable({}, Loader)
  self.x = torch.range(1, n)
  return self
end
function Loader:batches(size)
  local at = 1
  return function()
    if at > self.x:size(1) then return end
    local last = math.min(at + size - 1, self.x:size(1))
    local batch = self.x[{{at, last}}]
    at = last + 1
    return batch, last
  end
end
local made = {}
for batch, last in Loader.new(5):batches(2) do
  print(batch:sum(), last)
  if last ~= 4 then made[#made + 1] = function() return last * 10 end end
end
for _, f in ipairs(made) do print(f()) end
"""


def test_a_function_is_called_until_it_gives_nil(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(PROGRAM)
    page = translate_script(path.read_bytes(), "p.lua")
    assert page.problems == []
    assert "for i in iter(range_(3), None):" in page.code
    assert "for i, _ in iter(doubled([5, 6]), (None, None)):" in page.code
    comparison = verify_script(page, path)
    assert comparison.lines == 3 + 3 + 2 + 3 + 2
    assert comparison.largest == 0


@pytest.mark.parametrize(
    "body",
    [
        "local f = function(_, i) if i < 3 then return i + 1 end end\nfor i in f, nil, 0 do print(i) end",
        "local f = function(s) if s == 1 then return 1 end end\nfor i in f do print(i) end",
    ],
)
def test_an_end_that_python_would_not_see_is_seen_by_a_plain_call(body: str) -> None:
    """The state of Lua's protocol."""
    page = assert_same(body)
    assert page is not None
    assert "T7-215" in [problem.code for problem in page.reasons]


@pytest.mark.parametrize(
    "body",
    [
        "local t, i = {1, 2}, 0\nlocal f = function() i = i + 1; return t[i], i end\nfor x, n in f do print(x, n) end",
        "local i = 0\nlocal f = function() if i < 3 then return nil, i end end\nfor a in f do print(a) end print(i)",
    ],
)
def test_the_first_value_ends_a_loop(body: str) -> None:
    """An element that may be missing beside another value, nil with a value."""
    page = assert_same(body)
    assert page is not None
    assert " in turns(f):" in page.code


def test_a_function_that_ends_without_return_gives_as_many_nones(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(
        "local function find(list, what)\n  for i, x in ipairs(list) do\n    if x == what then return i, x end\n"
        "  end\nend\nlocal i, x = find({4, 5}, 9)\nprint(i == nil, x == nil)\n"
    )
    assert verify_script(translate_script(path.read_bytes(), "p.lua"), path).largest == 0


def test_matches_with_several_captures_that_a_function_gives() -> None:
    matches = "local function pairs_in(s) return s:gmatch('(%a)=(%d)') end\n"
    page = assert_same(f"{matches}for k in pairs_in('a=1 b=2') do print(k) end")
    assert page is not None
    assert {problem.code for problem in page.reasons} >= {"T7-233"}
