"""Lists that the libraries give, which a program then uses as other tables: with a place 0, with names, with gaps."""

from __future__ import annotations

import pytest

from tests.translate.running import assert_same

LISTS = {
    "texts": "('a,b,c'):split(',')",
    "texts of a function": "stringx.split('a,b,c', ',')",
    "numbers": "torch.Tensor{1, 2, 3}:totable()",
    "sizes": "torch.Tensor(2, 3, 4):size():totable()",
    "tensors": "torch.range(1, 6):split(2)",
    "chunks": "torch.range(1, 6):chunk(3)",
    "modules of a class": "net:findModules('nn.Linear')",
    "modules": "net:listModules()",
}
USES = {
    "a place 0": "t[0] = t[1] print(#t, t[0] == t[1], t[2] ~= nil, n)",
    "a name": "t.n = #t print(t.n == n, #t, t[1] ~= nil)",
    "the last": "t[#t] = t[1] print(#t == n, t[#t] == t[1])",
    "one more": "t[#t + 1] = t[1] print(#t == n + 1, t[#t] == t[1])",
}
HEAD = """
local nn = require 'nn'
local stringx = require 'pl.stringx'
local net = nn.Sequential():add(nn.Linear(2, 3)):add(nn.Linear(3, 1))
"""


@pytest.mark.whole
@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize("made", LISTS.values(), ids=LISTS)
def test_used_as_another_table(made: str, use: str) -> None:
    assert_same(f"{HEAD}local t = {made}\nlocal n = #t\n{use}\n")
