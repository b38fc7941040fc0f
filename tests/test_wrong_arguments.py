"""Methods of layers that are called with what they cannot use: errors in Torch7's words, not in Python's."""

from __future__ import annotations

import pytest

from tests.every_class import new_runtime, uses

EVERY = 12  # so many classes apart are those that are tried each time

CALLS = r"""
local values = {1, -1.5, 'x', {}, {1, 'a'}, true, function() end, torch.ones(2), torch.LongTensor{1},
   torch.ones(2, 3, 4, 5), {torch.ones(2)}, torch.LongStorage{2}, false}
local PYTHON = {'has no attribute', '%f[%a]%u%l+Error: ', '%f[%a]%u%l+Error$'}
local omitted = {write = true, read = true, __init = true, test = true}
return function(expr)
   local found, made = {}, assert(loadstring('return ' .. expr))
   local m, names = made(), {}
   for name, f in pairs(getmetatable(m)) do
      if type(name) == 'string' and type(f) == 'function' and not omitted[name] and not name:match('^__') then
         names[#names + 1] = name
      end
   end
   table.sort(names)
   local class = getmetatable(m)
   for _, name in ipairs(names) do
      for i = 1, #values do
         for form = 1, 2 do
            local value, ok, e = values[i] or nil, nil, nil
            if form == 1 then
               ok, e = pcall(class[name], m, value)
            else
               ok, e = pcall(class[name], m, torch.ones(2), value)
            end
            for _, pattern in ipairs(PYTHON) do
               if type(e) == 'string' and e:find(pattern) then
                  found[#found + 1] = ('%s:%s %d %d: %s'):format(expr, name, i, form, e)
               end
            end
            m = made()
         end
      end
   end
   return table.concat(found, '\n')
end"""


def classes() -> list[str]:
    found = {use.name: use.expr for use in uses()}
    return [found[name] for name in sorted(found)]


def check(expressions: list[str]) -> None:
    with new_runtime() as runtime:
        call = runtime.execute(CALLS)
        assert [text for text in map(call, expressions) if text] == []


def test_no_method_answers_in_pythons_words() -> None:
    check(classes()[::EVERY])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            "nn.Linear('a', print)",
            "nn.Linear cannot be called with inputSize string, outputSize function, bias boolean",
        ),
        ("nn.Sequential():share(3, 'weight')", "nn.Sequential: share cannot be called with other number"),
        ("torch.load('a\\0b.t7')", "(embedded null byte)"),
    ],
)
def test_the_kinds_of_values_are_told(call: str, message: str) -> None:
    with new_runtime() as runtime:
        ok, said = runtime.execute(f"return pcall(function() {call} end)", "=a.lua")
    assert not ok
    assert said.startswith("a.lua:1: ")
    assert said.endswith(message)


@pytest.mark.slow
def test_no_method_of_any_class_answers_in_pythons_words() -> None:
    check(classes())
