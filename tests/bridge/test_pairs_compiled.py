"""``pairs`` in loops that LuaJIT compiles: random programs, beside the same loops over Lua's own ``next``."""

from __future__ import annotations

import random

import pytest

from tests.bridge.chunks import Engine, engines

# What a loop does with a key and a value; none depends on the order.
BODIES = (
    "if value > found then found = value end",
    "found = found + value",
    "if value % 2 == 0 then found = found + 1 else found = found + 3 end",
    "if type(key) == 'string' then found = found + #key else found = found + key end",
    "found = found + (value > 2 and value or 1)",
    "if key == 3 or key == 'a3' then found = found + 100 end found = found + 1",
    "found = found + #tostring(value)",
    "if value > 1 then for i = 1, value do found = found + i end end",
)
KEYS = (
    "draw(10)",
    "draw(3) > 1 and draw(6) or 'a' .. draw(5)",
    "'a' .. draw(12)",
    "draw(3) == 1 and draw(9) - 5 or draw(9)",
    "draw(20) * 0.5",
)
FIRST = ("{i % 7, 2, 3}", "{i % 7, 2, a = 3}", "{a = 1, b = 2}", "{}", "{1, nil, 3, 4}")

PROGRAM = """
local seed = SEED
local function draw(n)
   seed = (seed * 1103515245 + 12345) % 2147483648
   return math.floor(seed / 65536) % n + 1
end
local function ours(t)
   local found = -1
   for key, value in pairs(t) do BODY end
   return found
end
local function wanted(t)
   local found = -1
   local key, value = next(t)
   while key ~= nil do
      BODY
      key, value = next(t, key)
   end
   return found
end
if jit then jit.off(wanted) end
for i = 1, WARM do ours(FIRST) end
local wrong = 0
for _ = 1, 1500 do
   local t, found = {}, nil
   for _ = 1, COUNT do
      local key = KEY
      t[key] = (t[key] or 0) + 1
      if draw(6) == 1 then t[KEY] = nil end
      found = ours(t)
   end
   if found ~= wanted(t) then wrong = wrong + 1 end
end
return wrong
"""


def program(choose: random.Random) -> str:
    text = PROGRAM
    for name, value in {
        "SEED": choose.randrange(1, 10**6),
        "BODY": choose.choice(BODIES),
        "WARM": choose.choice((0, 60, 200, 400)),
        "FIRST": choose.choice(FIRST),
        "COUNT": choose.choice((3, 6, 9, 14, 25)),
        "KEY": choose.choice(KEYS),
    }.items():
        text = text.replace(name, str(value))
    return text


@pytest.mark.parametrize("name", engines)
@pytest.mark.parametrize("count", [60, pytest.param(1500, marks=pytest.mark.slow)])
def test_no_element_is_left_out(name, count):
    """Plain Lua, which compiles nothing and is slower, runs every sixth."""
    for number in range(0, count, 6 if name == "lua51" else 1):
        engine = Engine(name)  # with no compiled loops
        engine.chunk("pairs.lua").install("sorted")
        text = program(random.Random(number))
        assert engine.run(text) == 0, text
