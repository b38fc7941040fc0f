"""In-place arithmetic on short vectors, which Lua does itself, against PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from torch7py.bridge.dispatch import loops
from torch7py.bridge.runtime import Runtime

CALLS = {
    "x:zero()": lambda x, y: x.zero_(),
    "x:fill(0.1)": lambda x, y: x.fill_(0.1),
    "x:add(0.3)": lambda x, y: x.add_(0.3),
    "x:mul(-1.7)": lambda x, y: x.mul_(-1.7),
    "x:add(y)": lambda x, y: x.add_(y),
    "x:cmul(y)": lambda x, y: x.mul_(y),
    "x:copy(y)": lambda x, y: x.copy_(y),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("size", [1, 7, 32, 33])
def test_a_loop_gives_the_same_bits(runtime: Runtime, call: str, size: int) -> None:
    rng = np.random.default_rng(size)
    x = torch.from_numpy(rng.normal(size=size))
    y = torch.from_numpy(rng.normal(size=size))
    expected = x.clone()
    for _ in range(5):
        CALLS[call](expected, y)
    runtime.globals["x"], runtime.globals["y"] = x, y
    assert runtime.execute(f"for i = 1, 5 do assert(rawequal({call}, x)) end") is None
    assert torch.equal(x, expected)


def test_views_and_other_shapes_keep_to_their_elements(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        local m = torch.zeros(3, 4)
        local column, row = m:select(2, 2), m:select(1, 2)
        for i = 1, 3 do column:add(1) row:add(10) end
        return m:sum(), m[2][2], m[1][2], m[2][4]
        """
    ) == (3 * 3 + 4 * 30, 33, 3, 30)


def test_a_moved_storage_is_found_again(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        local x = torch.ones(3)
        for i = 1, 4 do x:add(1) end
        x:resize(5):zero()
        for i = 1, 4 do x:add(1) end
        local y = torch.ones(5)
        x:set(y)
        for i = 1, 4 do x:add(1) end
        return y[5], x:sum()
        """
    ) == (5, 25)


def test_wrong_operands_are_still_errors(runtime: Runtime) -> None:
    for call in (
        "x:add(torch.ones(4))",
        "x:add(torch.FloatTensor(3))",
        "x:copy(torch.ones(4))",
        "x:cmul('a')",
    ):
        assert (
            runtime.execute(
                f"local x = torch.ones(3) for i = 1, 3 do x:mul(1) end return (pcall(function() {call} end))"
            )
            is False
        )


# Every way to call an operation that has a loop, on operands of every layout. What plain Lua prints is PyTorch's.
EVERY_WAY = """
local shown = {}
local function show(value)
   if torch.isTensor(value) then
      shown[#shown + 1] = torch.typename(value) .. table.concat(value:size():totable(), 'x')
      if value:nElement() > 0 then
         for _, element in ipairs(value:contiguous():view(-1):totable()) do show(element) end
      end
   elseif type(value) == 'number' and value == 0 then
      shown[#shown + 1] = 1 / value < 0 and '-0' or '0'
   else
      shown[#shown + 1] = type(value) == 'number' and value ~= value and 'nan' or string.format('%.17g', value)
   end
end

local SPECIAL = {0, -5e-324, 1 / 0, -1 / 0, 0 / 0, 1, -1, 2}
local state = 1
local function number()
   state = state * 16807 % 2147483647
   local value = state / 2147483647 * 4 - 2
   return state % 11 == 0 and SPECIAL[state % 8 + 1] or value
end

-- Tensors of 3 x 4 in the memory of one matrix, and others of as many elements.
local LAYOUTS = {
   function(m) return m:narrow(1, 1, 3):narrow(2, 1, 4) end,
   function(m) return m:narrow(1, 2, 3):narrow(2, 2, 4) end,
   function(m) return m:t():narrow(1, 1, 3):narrow(2, 1, 4) end,
   function(m) return m.new():resize(3, 4):copy(m:narrow(1, 1, 3):narrow(2, 1, 4)) end,
   function(m) return m.new(m:storage(), 1, 3, 4, 4, 1) end,
   function(m) return m.new(m:storage(), 2, 3, 4, 4, 1) end,
   function(m) return m:narrow(1, 3, 1):narrow(2, 1, 4):expand(3, 4) end,
   function(m) return m.new(m:storage(), 3, 3, 4, 2, 1) end,
   function(m) return m.new(m:storage(), 5, 12, 1) end,
   function(m) return m.new() end,
   function(m) return m.new(5) end,
   function(m) return m:select(2, 2) end,
}

local function draw(m, last)
   state = state * 16807 % 2147483647
   return LAYOUTS[state % (last or 9) + 1](m)
end

for _, name in ipairs {'torch.DoubleTensor', 'torch.FloatTensor'} do
   torch.setdefaulttensortype(name)
   for row in string.gmatch(ROWS, '%S+') do
      local operation, is_method, letters = string.match(row, '(.-),(.-),(.*)')
      for round = 1, ROUNDS do
         local m = torch.Tensor(6, 6)
         for i = 1, 6 do for j = 1, 6 do m[i][j] = number() end end
         m:mul(0.5)   -- minus zero comes of this: plain Lua writes no such number
         local arguments, n = {}, 0
         local first
         for letter in string.gmatch(letters, '.') do
            n = n + 1
            if letter == 'v' or letter == 'w' then arguments[n] = round % 4 == 0 and 2 or number()
            elseif letter == 'o' then arguments[n] = draw(m, 12)
            elseif first and round % 5 == 0 then arguments[n] = first
            else arguments[n] = draw(m, round % 7 == 0 and 12 or 9) end
            if letter == 'x' then first = arguments[n] end
         end
         for _, a in ipairs(arguments) do          -- at hand
            if torch.isTensor(a) and a:dim() > 0 then local _ = a:stride(1), a:clone() end
         end
         local f = is_method == 'True' and arguments[1][operation] or torch[operation]
         if string.sub(operation, 1, 2) == '__' then
            f = torch.getmetatable(name)[operation .. '__'] or torch.getmetatable(name)[operation]
         end
         local results = {pcall(f, unpack(arguments, 1, n))}
         shown[#shown + 1] = '\\n' .. row .. ' ' .. round .. ' ' .. name .. ' '
         if results[1] then
            for i = 2, #results do show(results[i]) end
         else
            shown[#shown + 1] = 'error'
         end
         show(m)
         for i = 1, n do show(arguments[i]) end
      end
   end
end
return table.concat(shown, ' ')
"""


@pytest.mark.parametrize(("rounds", "least"), [(3, 1000), pytest.param(12, 4000, marks=pytest.mark.slow)])
def test_every_way_to_call_a_loop_gives_pytorchs_bits(
    rounds: int, least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = []
    for engine in ("luajit21", "lua51"):
        monkeypatch.setenv("TORCH7PY_LUA", engine)
        with Runtime() as runtime:
            ways = [
                (name, is_method, arguments) for name, is_method, arguments, _, loop, _ in loops() if loop
            ]
            rows = " ".join(",".join(map(str, way)) for way in ways)
            runtime.globals["ROWS"], runtime.globals["ROUNDS"] = rows, rounds
            texts.append(str(runtime.execute(EVERY_WAY)).splitlines())
    by_lua, by_pytorch = texts
    assert len(by_lua) == len(by_pytorch) > least
    assert [pair for pair in zip(by_lua, by_pytorch, strict=True) if pair[0] != pair[1]] == []
