"""Random programs of functions: arguments left out, several results, ``...``, closures that change what they hold."""

from __future__ import annotations

from random import Random

import pytest

from tests.translate.running import assert_same

HEAD = """local function show(...)
   local texts = {}
   for i = 1, select('#', ...) do
      local v = select(i, ...)
      texts[i] = type(v) == 'table' and 'table' .. #v or type(v) == 'function' and 'function' or tostring(v)
   end
   print(select('#', ...), table.concat(texts, ' '))
end
"""
# Functions by what they take and give: {n} is a small number, {f} another function.
FUNCTIONS = (
    "function(a, b) b = b or {n} return a + b end",
    "function(a, b) if b == nil then return a end return a, b end",
    "function(a) local n = 0 return function(x) n = n + (x or a) return n end end",
    "function(...) local t = {{...}} return #t, t[1] end",
    "function(...) local a, b = ... return b, a end",
    "function(...) return select('#', ...), ... end",
    "function(a, ...) local s = a for _, v in ipairs({{...}}) do s = s + v end return s end",
    "function(a) if a > {n} then return 'more' end end",
    "function(a) if a > {n} then return end return a, a * 2 end",
    "function(a, o) o = o or {{}} o.size = o.size or {n} return a * o.size, o.name end",
    "function(a) return {{a, a + 1, n = {n}}} end",
    "function(a) local function go(k) if k <= 0 then return 0 end return k + go(k - 1) end return go(a) end",
    "function(a, f) return (f or math.max)(a, {n}) end",
    "function(a) counter = counter + a return counter end",
    "function(a) local r = {{}} for i = 1, a do r[i] = function() return i * {n} end end return r end",
    "function(a) while true do a = a + 1 if a > {n} + 2 then break end end return a end",
    "function(a) return pcall(function() if a > {n} then error('high', 0) end return a end) end",
    "function(a) return a and a > {n} and 'big' or 'small', not a end",
    "function(s) s = tostring(s) return s:rep({n}), #s end",
    "function(a) local x, y = a, {n} x, y = y, x return x - y end",
)
CALLS = (
    "show({f}({n}))",
    "show({f}({n}, {n}))",
    "show(({f}({n})))",
    "show({n}, {f}({n}))",
    "show({f}({n}), {n})",
    "do local x = {f}({n}) show(x) end",
    "do local x, y = {f}({n}) show(x, y) end",
    "do local x, y, z = {f}({n}, 3) show(x, y, z) end",
    "do local g = {f} show(g({n})) end",
    "do local list = {{{f}, {f}}} show(list[2]({n})) end",
    "do local o = {{call = {f}}} show(o.call({n})) end",
    "do local x = {f}({n}) if type(x) == 'function' then show(x(), x(2)) end end",
    "do local x = {f}({n}) if type(x) == 'table' and x[1] then show(type(x[1])) end end",
    "show(pcall({f}, {n}))",
    "show((select(2, {f}({n}))))",
    "show(type({f}({n})) == 'nil')",
)


def program(seed: int) -> str:
    draw = Random(seed)
    lines = ["local counter = 0"]
    names: list[str] = []
    for number in range(draw.randint(2, 5)):
        text = draw.choice(FUNCTIONS).format(n=draw.randint(1, 3))
        form = draw.choice(("local f{k} = {t}", "local function f{k}{p}", "function f{k}{p}", "f{k} = {t}"))
        lines.append(form.format(k=number, t=text, p=text.removeprefix("function")))
        names.append(f"f{number}")
    for _ in range(draw.randint(5, 10)):
        text = draw.choice(CALLS).replace("{f}", draw.choice(names)).replace("{n}", str(draw.randint(1, 3)))
        lines.append(text.replace("{{", "{").replace("}}", "}"))
    return HEAD + "\n".join(lines) + "\n"


@pytest.mark.parametrize("seed", range(8))
def test_same_output(seed: int) -> None:
    assert_same(program(seed), refused=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8, 1000))
def test_same_output_at_length(seed: int) -> None:
    assert_same(program(seed), refused=True)
