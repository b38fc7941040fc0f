"""Functions that give an entry of a table by its name: a call that names it gives what that entry is."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import verify_script

BY_VARIABLE = """local function get(options, key, default)
   if default == nil and (options == nil or options[key] == nil) then error('no ' .. key) end
   if options == nil then return default end
   local value = options[key]
   if value == nil then value = default end
   return value
end
"""
BY_BRANCHES = """local function get(options, key, default)
   if options == nil then options = {} end
   if options[key] == nil and default == nil then
      assert(false, 'missing')
   elseif options[key] == nil then
      return default
   else
      return options[key]
   end
end
"""
BY_OR = (
    "local function get(options, key, default) options = options or {} return options[key] or default end\n"
)
USES = """local options = {size = 3, name = 'a', rate = 0.5, data = torch.ones(2, 3)}
local size, data = get(options, 'size'), get(options, 'data')
print(torch.zeros(size, get(options, 'other', 7)):nElement(), get(options, 'name'):upper())
print(data:sum(1)[1][1], get(nil, 'rest', 2), get(options, 'rate') * 2)
local function made(settings)
   local D, H = get(settings, 'D'), get(settings, 'H', 4)
   return torch.Tensor(D + H, 4 * H):fill(1)
end
print(made({D = 2, H = 3}):sum(), made({D = 1}):size(1))
"""


@pytest.mark.parametrize("function", [BY_VARIABLE, BY_BRANCHES, BY_OR], ids=["variable", "branches", "or"])
def test_a_call_gives_the_entry_that_it_names(function: str, tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(function + USES)
    page = translate_script(path.read_bytes(), "p.lua")
    assert (page.problems, page.plain_calls) == ([], 0)
    assert verify_script(page, path).lines == 3


@pytest.mark.parametrize(
    "function",
    [
        "local function get(t, key, default) key = 'name' return t[key] or default end",
        "local function get(t, key, default) t = {size = 'b', data = 'c'} return t[key] or default end",
        "local function get(t, key, default) default = 'd' return default or t[key] end",
        "local function get(t, key, default) local v = t[key] v = 'e' .. tostring(v == nil) return v or default end",
        "local function get(t, key, default) for _, v in pairs{t[key], 'f'} do default = v end return default end",
        "local function get(t, key, default) local v, w = 'g', t[key] w, v = v, w return w or default end",
    ],
    ids=["another key", "another table", "another default", "another value", "a loop", "exchanged"],
)
def test_functions_that_give_something_else(function: str, tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(
        f"{function}\nlocal options = {{size = 3, name = 'a', data = torch.ones(2)}}\n"
        "print(get(options, 'size', 1))\nprint(get(options, 'data', 'x'))\n"
    )
    assert verify_script(translate_script(path.read_bytes(), "p.lua"), path).lines == 2
