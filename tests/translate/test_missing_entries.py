"""Entries that a table does not have: read by a computed name, stored as nil, and what goes through the table then.

What each program prints is what the original prints.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.translate.running import assert_same, in_page
from torch7py.translate.native.program import translate_script

PROGRAMS = {
    "settings copied by their names": (
        """
local function copy(options)
   local state = {}
   for _, k in ipairs{'a', 'b', 'c'} do
      state[k] = options[k]
   end
   return state
end
local s = copy({a = 1, b = 2})
print(s.a, s.b, s.c)
local n = 0
for k, v in pairs(s) do n = n + 1 end
print(n)
""",
        "1\t2\tnil\n2\n",
    ),
    "settings copied into a field of an object": (
        """
local T = torch.class('Trainer')
function T:__init(options)
   self.state = {}
   for _, k in ipairs{'rate', 'momentum', 'decay'} do
      self.state[k] = options[k]
   end
end
local opt = {seed = 3}
local t = Trainer({names = {'a', 'b'}, rate = 0.1, momentum = opt.seed == 3 and 0.5 or nil})
print(t.state.rate, t.state.momentum, t.state.decay)
local n = 0
for k, v in pairs(t.state) do n = n + 1 end
print(n)
""",
        "0.1\t0.5\tnil\n2\n",
    ),
    "entries that a function may not give": (
        """
local function pick(n) if n > 1 then return n end end
local d = {}
for i, w in ipairs{'x', 'y', 'z'} do d[w] = pick(i) end
d.q = pick(0)
local n = 0
for k, v in pairs(d) do n = n + v end
print(n, d.x, d.y)
""",
        "5\tnil\t2\n",
    ),
    "a constructor with what may be nil": (
        """
local opt = {seed = 3}
local options = {rate = 0.1, momentum = opt.seed == 4 and 0.5 or nil, decay = opt.seed > 2 and 1 or nil}
local n = 0
for k, v in pairs(options) do n = n + 1 end
local copy = {}
for k, v in pairs(options) do copy[k] = v * 2 end
print(n, copy.rate, copy.momentum)
""",
        "2\t0.2\tnil\n",
    ),
    "entries that are returned and handed on": (
        """
local function get(o, k) return o[k] end
local o = {a = 1, b = 2}
for _, k in ipairs{'a', 'x'} do
  local v = get(o, k)
  print(k, v, v and v + 1 or 'none')
end
local function show(name, v) print(name, v == nil and 'nothing' or v) end
for _, k in ipairs{'b', 'y'} do show(k, o[k]) end
""",
        "a\t1\t2\nx\tnil\tnone\nb\t2\ny\tnothing\n",
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_the_original(name: str, tmp_path) -> None:
    source, expected = PROGRAMS[name]
    page = translate_script(source.encode(), "program.lua")
    assert [str(problem) for problem in page.problems] == []
    assert not page.plain_calls
    path = tmp_path / "page.py"
    path.write_text(page.code)
    found = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True, timeout=100)
    assert found.stdout == expected


@pytest.mark.parametrize("found", ["look(w)", "ids[w]"])
def test_an_item_that_is_missing_ends_the_page_within_a_list(found: str) -> None:
    """Which cannot hold nil: an item None would count among the others. At the list's end it is taken off."""
    program = f"""
local ids = {{a = 1, b = 2}}
local function look(w) return ids[w] end
local function known(words)
   local t, n = {{1, 2, 3}}, 0
   for i, w in ipairs(words) do t[i] = {found} end
   for i, v in ipairs(t) do n = n + 1 end
   return n
end
"""
    assert_same(f"{program} print(known({{'b', 'a', 'b'}}), known({{'a', 'b', 'q'}}))")
    with pytest.raises(IndexError, match="place 2 of a list of 3: None"):
        in_page(translate_script(f"{program} print(known({{'a', 'q', 'a'}}))".encode(), "p.lua"))
