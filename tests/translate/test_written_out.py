"""Lua that is written out in simpler Lua: what of it, and what stays as it is."""

from __future__ import annotations

import pytest

from torch7py.translate.native.program import translate_script
from torch7py.translate.native.written_out import written_out
from torch7py.translate.parse import parse

MADE = "require 'nn'\nlocal net, crit = nn.Linear(2, 1), nn.MSECriterion()\n"
TRAINER = f"{MADE}local trainer = nn.StochasticGradient(net, crit)\n"


def test_a_loop_on_the_same_lines() -> None:
    source = f"{TRAINER}trainer.maxIteration = 3 -- few\ntrainer:train(data)\nprint(trainer.learningRate)\n"
    found = written_out(source.encode(), "train.lua").decode()
    parse(found.encode(), "train.lua")
    lines = found.split("\n")
    assert len(lines) == len(source.split("\n"))
    assert lines[2:4] == ["", "local maxIteration = 3 -- few"]
    assert "for iteration = 1, maxIteration do" in lines[4]
    assert lines[5] == "print(0.01)"


@pytest.mark.parametrize(
    "uses",
    [
        "trainer.hookIteration = function(self, n, err) self.maxIteration = 0 end\ntrainer:train(data)",
        "trainer:train(data)\ntrainer.learningRate = 0.1\ntrainer:train(data)",
        "if slow then trainer.learningRate = 0.1 end\ntrainer:train(data)",
        "trainer.shuffleIndices = arg[1] ~= nil\ntrainer:train(data)",
        "fit(trainer)",
        "trainer.other = 1\ntrainer:train(data)",
        "trainer = nil",
    ],
)
def test_more_than_a_loop_is_left(uses: str) -> None:
    source = f"{TRAINER}{uses}\n".encode()
    assert written_out(source, "train.lua") == source
    problems = translate_script(b"local data = {}\n" + source, "train.lua").problems
    assert any(problem.code == "T7-223" for problem in problems)


ITEMS = """local set = {x = {4, 5, 6}}
setmetatable(set, {
   __index = function(t, i) return t.x[i] * 2 end
})
"""


def test_items_are_calls() -> None:
    found = written_out(f"{ITEMS}print(set[2], set.x[1])\n".encode(), "data.lua").decode()
    assert found.split("\n")[-2] == "print(set_item(set, 2), set.x[1])"
    assert found.count("\n") == ITEMS.count("\n") + 1


@pytest.mark.parametrize(
    "use", ["show(set)", "set[4] = 1", "local s = set print(s[1])", "print(#set, set[1])"]
)
def test_sets_that_are_handed_on_are_left(use: str) -> None:
    source = f"{ITEMS}{use}\nprint(set[1])\n".encode()
    assert written_out(source, "data.lua") == source


CLEANER = """local function shrink(net)
   for _, layer in ipairs(net:listModules()) do
      for name, field in pairs(layer) do
         if torch.type(field) == 'cdata' then layer[name] = nil end
         if name == 'output' or name == 'gradInput' then
            layer[name] = field.new()
         end
      end
   end
end
"""


def test_a_function_that_empties_buffers_is_clear_state() -> None:
    found = written_out(f"{CLEANER}shrink(net)\n".encode(), "save.lua").decode()
    assert found == "\n" * CLEANER.count("\n") + "net:clearState()\n"
    given = CLEANER.replace("   end\nend\n", "   end\n   return net\nend\n")
    found = written_out(f"{given}torch.save('net.t7', shrink(net))\n".encode(), "save.lua").decode()
    assert found.split() == [
        *("local", "function", "shrink(net)", "return", "net:clearState()", "end"),
        *("torch.save('net.t7',", "shrink(net))"),
    ]


@pytest.mark.parametrize(
    ("part", "other"),
    [
        (
            "name == 'output' or name == 'gradInput'",
            "name == 'output' or name == 'gradInput' or name == 'weight'",
        ),
        ("field.new()", "field:clone()"),
        ("layer[name] = nil", "layer[name] = nil count = count + 1"),
        ("torch.type(field) == 'cdata'", "torch.type(field) == 'torch.FloatTensor'"),
    ],
)
def test_a_function_that_does_more_is_left(part: str, other: str) -> None:
    source = f"{CLEANER.replace(part, other)}shrink(net)\n".encode()
    assert source.count(other.encode()) == 1
    assert written_out(source, "save.lua") == source


def test_a_package_that_nobody_has_is_not_there() -> None:
    source = """local ok, p = pcall(require, 'fbcunn')
if not ok then
   local x = 1
   print(x)
else
   print(p.version)
end
ok = pcall(require, 'fbnn') -- asked again
if ok then print('yes') end
"""
    found = written_out(source.encode(), "train.lua").decode()
    parse(found.encode(), "train.lua")
    assert (
        found
        == """local ok, p = false, nil
do
local x = 1
   print(x) end



ok = false -- asked again
if ok then print('yes') end
"""
    )
    other = source.replace("fbcunn", "cunn").replace("fbnn", "cudnn")
    assert written_out(other.encode(), "train.lua").decode() == other
