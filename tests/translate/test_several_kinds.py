"""What is of several kinds gives none of them to what it takes: objects beside tensors, parameters for anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch7py.translate.inference.union_types import join
from torch7py.translate.kinds import Type
from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import verify_script

BOX = """
local box_class = torch.class('Box')
function box_class:__init(n)
   self.data = torch.Tensor(n):fill(2)
   self.label = 'box'
end
function box_class:grow(by)
   self.data:add(by)
   return self.data:size(1)
end
for i = 1, 2 do
   local item
   if i == 1 then item = Box(3) else item = torch.ones(2) end
   print(torch.isTensor(item))
end
local box = Box(4)
print(box:grow(1), box.data:sum(), box.label)
"""
CLOCK = """
local Clock = {}
Clock.__index = Clock
function Clock.new(hours)
   local self = setmetatable({}, Clock)
   self.times = torch.range(1, hours)
   return self
end
function Clock:last()
   return self.times[self.times:size(1)]
end
for i = 1, 2 do
   local at
   if i == 1 then at = Clock.new(4) else at = 7 end
   print(type(at) == 'number')
end
local clock = Clock.new(3)
print(clock:last(), clock.times:sum())
"""
IN_ITSELF = """
local function show(...) for i = 1, select('#', ...) do end end
local Alpha = {}
function Alpha.new(x) end
function Alpha:update(x)
   do return #self.items end
   return self
end
Beta.__index = Beta
function Beta.new(x) end
function Beta:update(x)
   local before = Alpha.update(self, x)
   show('before', before)
end
function Beta:describe(x) end
function Gamma:update(x)
   local before = Alpha.update(self, x)
   for i, v in ipairs(self.items) do self.total = (self.total or 0) + v * i end
   return self
end
"""
LAST = """
local function last(things) return things[#things] end
local function size(x) return x:size(1) end
local function put(list, x)
   list[#list + 1] = x
   return size(x)
end
local tensors, words = {torch.ones(2)}, {'a'}
print(last(words), size(last(tensors)), put(tensors, torch.zeros(3)), #words)
"""
COPIES = """
local function copied(x)
   if torch.isTensor(x) then return x:clone() end
   local t = {}
   for i = 1, #x do t[i] = x[i] end
   return t
end
local function doubled(x) return copied(x):mul(2) end
local function first(t) return copied(t)[1] end
print(doubled(torch.ones(3)):sum(), first({4, 5}), #copied({1, 2, 3}))
"""


@pytest.mark.parametrize(("source", "lines"), [(BOX, 3), (CLOCK, 3), (LAST, 1), (COPIES, 1)])
def test_what_is_given_stays_what_it_is(source: str, lines: int, tmp_path: Path) -> None:
    program = tmp_path / "program.lua"
    program.write_text(source)
    page = translate_script(source.encode(), "program.lua")
    assert (page.problems, page.plain_calls) == ([], 0)
    assert verify_script(page, program).lines == lines


def _list_of(kind: str) -> Type:
    table = Type("table")
    table.mark("array")
    table.of_elements().be(kind)
    return table


def test_what_is_alike_after_all_is_made_one() -> None:
    sink, source = _list_of("number"), _list_of("number")
    assert join(sink, source)
    assert sink.find() is source.find()


def test_tables_of_other_kinds_of_things_stay_apart_but_for_what_is_alike() -> None:
    sink, source = _list_of("number"), _list_of("tensor")
    for table in (sink, source):
        table.of_field("name").be("string")
    assert join(sink, source)
    assert sink.find() is not source.find()
    assert sink.of_elements().kind == "number"
    assert sink.of_field("name") is source.of_field("name")


def test_nothing_is_made_one_with_what_is_not_known() -> None:
    assert not join(Type("tensor"), Type())
    assert not join(Type("tensor"), Type("number"))


def test_a_table_that_is_in_itself_on_two_ways_ends() -> None:
    assert translate_script(IN_ITSELF.encode(), "p.lua").statements > 0


ASKED = """require 'nn'
local Box = torch.class('AskedBox')
function Box:__init(n) self.n = n end
local made = 0
local function box(n) made = made + 1 return AskedBox(n) end
local function linear(n) made = made + 1 return nn.Linear(n, n) end
local function number(n) made = made + 1 return n end
print(torch.type(box(2)), torch.type(box(3)) == 'AskedBox', type(box(1)), made)
print(type(number(2)), type(number(2)) == 'nil', torch.type(number(1)) == 'number', made)
print(torch.type(linear(2)) == 'nn.Linear', torch.isTypeOf(linear(1), 'nn.Module'), made)
"""


def test_who_asks_for_the_type_of_what_a_function_gives_calls_it(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(ASKED)
    assert verify_script(translate_script(ASKED.encode(), str(path)), path).lines == 3
