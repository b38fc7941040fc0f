"""A program may make of Lua's globals and libraries what it likes: what it does not use itself works on."""

from __future__ import annotations

import itertools

import pytest

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime

# What a program does that keeps what it uses in locals.
TRAINING = """
local function train(write, require)
   local nn, optim = require 'nn', require 'optim'
   torch.manualSeed(1)
   local model = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.ConcatTable():add(nn.Linear(4, 1))
      :add(nn.Sequential():add(nn.Linear(4, 1)))):add(nn.CAddTable())
   local criterion = nn.MSECriterion()
   local x, y = torch.randn(6, 3), torch.randn(6, 1)
   local parameters, gradients = model:getParameters()
   local first, last
   for step = 1, 5 do
      local function closure()
         gradients:zero()
         local loss = criterion:forward(model:forward(x), y)
         model:backward(x, criterion:backward(model.output, y))
         return loss, gradients
      end
      local _, losses = optim.sgd(closure, parameters, {learningRate = 0.1})
      first, last = first or losses[1], losses[1]
   end
   local copy = torch.deserialize(torch.serialize(model:clone()))
   model:float()
   x[{{1, 2}, 1}] = x[{{3, 4}, 1}]
   local text = copy:__tostring__()
   write(last < first and 'learned' or 'failed')
end
"""
ALL = """
local all = {}
for name, value in pairs(_G) do
   if type(name) == 'string' and name ~= '_G' and name ~= 'torch' and name:sub(1, 2) ~= '__' then all[#all + 1] =
   {_G, name} end if type(value) == 'table' and package.loaded[name] == value and name ~= '_G' and name ~= 'package'
         and ('string table math io os debug coroutine bit jit'):find(name) then
      for field in pairs(value) do all[#all + 1] = {value, field} end
   end
end
"""
VALUES = {"nil": "nil", "error": "function() error('redefined', 0) end"}


@pytest.mark.parametrize(("value", "when"), [*itertools.product(VALUES, ["before", "after"])])
def test_all_globals_and_libraries_at_once(value: str, when: str, capsys: pytest.CaptureFixture[str]) -> None:
    program = f"""{TRAINING} {ALL}
        local write, require = io.write, require
        if '{when}' == 'after' then require 'nn' require 'optim' end
        for i = 1, #all do local entry = all[i] entry[1][entry[2]] = {VALUES[value]} end
        train(write, require)"""
    with Runtime() as runtime:
        runtime.execute(program)
    assert capsys.readouterr().out == "learned"


@pytest.mark.parametrize("name", ["path", "cpath", "loaded", "preload", "loaders", "searchpath", "config"])
def test_fields_of_package(name: str) -> None:
    """They are what `require` goes by; without one it may fail, as an error in Lua."""
    with Runtime() as runtime, pytest.raises(LuaError, match=r"^python:1: "):
        runtime.execute(f"package.{name} = nil require 'nn' require 'no such package'")


def test_print_shows_numbers_as_the_programs_tostring_does(capsys: pytest.CaptureFixture[str]) -> None:
    with Runtime() as runtime:
        runtime.execute("function tostring(x) return 'shown' end print(1, {1}) tostring = nil print(2)")
    assert capsys.readouterr().out == "shown\t{\n  shown : shown\n}\n2\t\n"


def test_a_metatable_of_all_strings(capsys: pytest.CaptureFixture[str]) -> None:
    with Runtime() as runtime:
        runtime.execute(
            f"{TRAINING} local w, r = io.write, require getmetatable('').__index = nil train(w, r)"
        )
    assert capsys.readouterr().out == "learned"
