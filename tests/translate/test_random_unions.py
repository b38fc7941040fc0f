"""Random programs whose values are each one of two or three kinds, which only a run of the program decides."""

from __future__ import annotations

from random import Random

import pytest

from tests.translate.running import assert_same

HEAD = """local Box = torch.class('UnionBox{seed}')
function Box:__init(n) self.n = n self.words = {'box'} end
function Box:add(by) self.n = self.n + by return self.n end
local Stack = {}
Stack.__index = Stack
function Stack.new(n) return setmetatable({n = n, items = {}}, Stack) end
function Stack:add(by) self.items[#self.items + 1] = by return #self.items end
local function show(v)
   if type(v) == 'table' and not v.add then
      local sum, names = 0, {}
      for key, item in pairs(v) do
         if type(key) == 'number' then sum = sum + key else names[#names + 1] = key end
      end
      table.sort(names)
      print('table', sum, table.concat(names, ','))
   elseif torch.isTensor(v) then print('tensor', v:dim(), v:sum())
   elseif type(v) == 'number' or type(v) == 'string' or type(v) == 'boolean' then print(type(v), tostring(v))
   else print(type(v)) end
end
"""
# How a value of a kind is made, and what is done to it. {n} is a small number, {k} another variable of the same kind.
VALUES = {
    "number": ("{n}", "{n} + 0.5", "math.max({n}, 2)"),
    "text": ("'word'", "'a' .. {n}", "string.rep('b', {n})"),
    "truth": ("true", "{n} > 1"),
    "nothing": ("nil",),
    "list": ("{{4, 5, 6}}", "{{{n}}}"),
    "empty": ("{{}}",),
    "words": ("{{'x', 'y'}}",),
    "record": ("{{a = {n}, b = 'two'}}", "{{a = {n}}}"),
    "mixed": ("{{{n}, 2, name = 'm'}}",),
    "nested": ("{{{{1, 2}}, {{3}}}}", "{{inner = {{a = {n}}}}}"),
    "tensor": ("torch.ones(2, 3)", "torch.range(1, 6):view(2, 3)"),
    "function": ("function(x) return x end", "math.floor"),
    "box": ("UnionBox{{seed}}({n})",),
    "stack": ("Stack.new({n})",),
}
STATEMENTS = {
    "number": (
        "print({v} + {n}, {v} * 2)",
        "if {v} > {n} then print('more') end",
        "print({v} .. '')",
        "{v} = {v} + 1",
    ),
    "text": ("print({v} .. '!', #{v})", "print({v}:upper())", "print({v} == 'word')", "{v} = {v} .. {n}"),
    "truth": ("print(not {v})", "if {v} then print('yes') else print('no') end"),
    "nothing": ("print({v} == nil)", "print({v} or 'none')", "{v} = {n}"),
    "list": ("{v}[#{v} + 1] = {n}", "table.insert({v}, {n})", "print(#{v}, {v}[1])", "{v}[1] = {n}"),
    "empty": ("print(#{v})", "{v}[1] = {n}", "print({v}.none == nil)"),
    "words": ("print(table.concat({v}, ' '))", "{v}[2] = 'z' print({v}[2]:len())", "print(#{v})"),
    "record": (
        "{v}.a = {n}",
        "{v}.c = {n}",
        "print({v}.a + 1)",
        "{v}['key' .. {n}] = 1",
        "print({v}.none == nil)",
    ),
    "mixed": ("{v}.name = 'n' .. {n}", "{v}[1] = {n}", "print({v}[1], {v}.name, #{v})"),
    "nested": ("for i, row in ipairs({v}) do print(i, #row) end", "print({v}.inner == nil)"),
    "tensor": (
        "{v}[1] = {n}",
        "{v}:mul({n}) print({v}:sum())",
        "print({v}:size(1), {v}[1][1])",
        "print(({v} * 2):sum())",
    ),
    "function": ("print({v}({n}))",),
    "box": ("{v}.n = {n}", "print({v}:add({n}))", "{v}.words[2] = 'more'", "print({v}.n, #{v}.words)"),
    "stack": ("{v}.n = {n}", "print({v}:add({n}))", "print({v}.n, #{v}.items)", "{v}.items[1] = {n}"),
}
# What is done to a value whatever it is.
ANYWAY = (
    "show({v})",
    "print(type({v}))",
    "if {v} then print('there') end",
    "if type({v}) == 'table' then print('a table') elseif type({v}) == 'number' then print({v} + 1) end",
    "if type({v}) == 'string' then print({v} .. '?') end",
    "if torch.isTensor({v}) then print({v}:nElement()) end",
    "if torch.type({v}) == 'UnionBox{{seed}}' then print({v}.n) end",
    "print({v} == {n})",
    "kept[#kept + 1] = {v}",
    "fields.of{n} = {v}",
    "hold({v})",
    "print({v} ~= nil and 'some' or 'none')",
)


def program(seed: int) -> str:
    draw = Random(seed)
    kinds: dict[str, str] = {}
    lines = ["local kept, fields = {}, {}", "local function hold(x) fields.held = x show(x) return x end"]
    for number in range(draw.randint(2, 4)):
        choices = draw.sample(list(VALUES), draw.randint(2, 3))
        lines.append(f"local function make{number}(k)")
        for place, kind in enumerate(choices):
            lines.append(
                f"   if k == {place} then return {draw.choice(VALUES[kind]).format(n=draw.randint(1, 3))} end"
            )
        lines.append("end")
        for place in draw.sample(range(len(choices)), draw.randint(1, len(choices))):
            name = f"v{len(kinds)}"
            kinds[name] = choices[place]
            lines.append(f"local {name} = make{number}({place})")
    for _ in range(draw.randint(4, 10)):
        name = draw.choice(list(kinds))
        statement = draw.choice(ANYWAY if draw.random() < 0.4 else STATEMENTS[kinds[name]])
        lines.append(statement.format(v=name, n=draw.randint(1, 3)))
        if statement == "{v} = {n}":
            kinds[name] = "number"
    lines += [f"show({name})" for name in kinds]
    lines += ["print(#kept)", "show(fields)"]
    return (HEAD + "\n".join(lines) + "\n").replace("{seed}", str(seed))  # a class is made once in a runtime


@pytest.mark.parametrize("seed", range(8))
def test_same_output(seed: int) -> None:
    assert_same(program(seed))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8, 1000))
def test_same_output_at_length(seed: int) -> None:
    assert_same(program(seed))
