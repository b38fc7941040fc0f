"""Native pages with calls on Lua's own functions, where plain Python has none."""

from __future__ import annotations

from torch7py.translate.api import to_pytorch

SOURCE = """
local word, n = 'a1b22', 3
print(bit.band(n, 6))
local text = string.format('%5.1f|%q', n / 2, word)
print(text, math.ldexp(1.5, n))
for i = 1, 3 do print(bit.lshift(1, i), i) end
if bit.bor(n, 4) == 7 then print('seven') end
local t = {1, 2}
print(#t)
"""


def test_calls_of_scalars_are_mixed_in(tmp_path):
    path = tmp_path / "p.lua"
    path.write_text(SOURCE)
    found = to_pytorch(path)
    assert found.report.problems == []
    assert found.report.verified is not None
    assert found.report.verified.equal
    assert "\nfrom torch7py import lua\n" in found.code
    assert 'lua.G.string.format("%5.1f|%q", n / 2, word)' in found.code
    # two prints, the text, the print in the loop and the condition
    assert (found.report.statements, found.report.native, found.report.faithful) == (10, 5, 5)


def test_nothing_else_is(tmp_path):
    """Several values, tables, values of unknown kinds stay untranslated."""
    path = tmp_path / "p.lua"
    path.write_text("local function f(x) return bit.band(x.y, 1) end print(f, math.frexp(3))")
    found = to_pytorch(path, verify=False, record=False)
    assert found.report.problems
    assert found.report.faithful == 0
    assert "lua.G" not in found.code
