"""Random programs whose values come out of one function, so that the translator knows of none of what kind it is."""

from __future__ import annotations

from random import Random

import pytest

from tests.translate.running import assert_same

HEAD = """local function pick(k)
   if k == 1 then return 3
   elseif k == 2 then return 'word'
   elseif k == 3 then return {4, 5, 6}
   elseif k == 4 then return {a = 1, b = 'two'}
   elseif k == 5 then return torch.range(1, 6):view(2, 3)
   elseif k == 6 then return function(p, q) return q, p end
   elseif k == 7 then return {{1, 2}, {3}}
   elseif k == 8 then return true end
end
local function show(v)
   if type(v) == 'table' then
      local n = 0
      for key, item in pairs(v) do n = n + 1 print('entry', tostring(key), type(item)) end
      print('table', n)
   elseif type(v) == 'function' then print('function')
   elseif type(v) == 'userdata' then print('tensor', v:dim(), v:sum())
   else print(type(v), tostring(v)) end
end
"""
KINDS = ("number", "text", "list", "record", "tensor", "function", "nested", "truth")
# What is done to a value of a kind; with a second kind the result is a new variable of that.
STATEMENTS = (
    ("list", "{v}[{n}]", "number"),
    ("list", "{v}[#{v} + 1] = {n}", None),
    ("list", "table.insert({v}, {n})", None),
    ("list", "print(#{v}, table.concat({v}, ','))", None),
    ("list", "for i, x in pairs({v}) do print(i, x) end", None),
    ("list", "print(table.remove({v}), #{v})", None),
    ("record", "{v}.a", "number"),
    ("record", "{v}.c = {n} show({v})", None),
    ("record", "{v}.class = {n} show({v})", None),
    ("tensor", "print({v}[{n}][{n}], {v}:size({n}))", None),
    ("tensor", "{v}:mul({n}) print({v}:sum())", None),
    ("tensor", "{v}:sqrt() print({v}:sum())", None),
    ("tensor", "{v}[{n}]:fill(3) show({v})", None),
    ("tensor", "{v}:t()", "turned"),
    ("tensor", "do local m, i = {v}:max({n}) print(m:sum(), i:sum()) end", None),
    ("tensor", "print(({v} - {v}):sum(), ({v} * {n}):sum())", None),
    ("function", "do local p, q = {v}({n}, 'z') print(p, q) end", None),
    ("function", "{v}('y', {n})", "number"),
    ("nested", "{v}[{n}]", "list"),
    ("nested", "for i, row in ipairs({v}) do print(i, #row) end", None),
    ("number", "{v} + {n}", "number"),
    ("number", "{v} * {n}", "number"),
    ("number", "if {v} > {n} then print('more') else print('less') end", None),
    ("text", "print({v} .. '!', #{v}, {v}:upper(), {v}:sub(2, 3))", None),
)


def program(draw: Random) -> str:
    kinds: dict[str, str] = {}
    lines: list[str] = []

    def new(kind: str, value: str) -> None:
        name = f"v{len(kinds)}"
        kinds[name] = kind
        lines.append(f"local {name} = {value}")

    for place in draw.sample(range(len(KINDS)), 5):
        new(KINDS[place], f"pick({place + 1})")
    for _ in range(draw.randint(4, 10)):
        kind, text, gives = draw.choice(STATEMENTS)
        names = [name for name, its_kind in kinds.items() if its_kind == kind]
        if names:
            done = text.format(v=draw.choice(names), n=draw.randint(1, 2))
            if gives is None:
                lines.append(done)
            else:
                new(gives, done)
    lines += [f"show({name})" for name in kinds]
    return HEAD + "\n".join(lines) + "\n"


@pytest.mark.parametrize("seed", range(8))
def test_same_output(seed: int) -> None:
    assert_same(program(Random(seed)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8, 600))
def test_same_output_at_length(seed: int) -> None:
    assert_same(program(Random(seed)))
