"""Native pages with calls of Lua's own functions, and statements in the faithful style, where plain Python has none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.translate.running import assert_same
from torch7py.translate.api import to_pytorch
from torch7py.translate.native.program import translate_script

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
    assert "\nfrom torch7py import lua_compat as lua\n" in found.code
    assert 'lua.G.string.format("%5.1f|%q", n / 2, word)' in found.code
    # two prints, the text, the print in the loop and the condition
    assert (found.report.statements, found.report.native, found.report.faithful) == (10, 5, 5)


def test_nothing_else_is(tmp_path):
    """Tables and values of unknown kinds stay untranslated."""
    path = tmp_path / "p.lua"
    path.write_text("local function f(x) return bit.band(x.y, 1) end print(f)")
    found = to_pytorch(path, verify=False, record=False)
    assert found.report.problems
    assert found.report.faithful == 0
    assert "lua.G" not in found.code


PROGRAMS = Path(__file__).with_name("mixed.lua").read_text().split("\n---\n")


@pytest.mark.parametrize("source", PROGRAMS)
def test_statements_are_mixed_in(source):
    """They do what they do in Lua, and count as faithful, with the codes that say why."""
    page = assert_same(source)
    assert page is not None
    assert page.faithful > 0
    assert page.native + page.faithful == page.statements
    assert page.reasons


@pytest.mark.parametrize(
    "source",
    [
        # a table of the page would have to be one of Lua
        "local t = {1, 2} for k, v in next, t do print(k, v) end t[3] = 4 print(#t)",
        # PyTorch's random stream is another one
        "local x = torch.rand(2) x:apply(function(...) return torch.uniform() end)",
        "local x = torch.Tensor(3) x:map(torch.rand(3), function(a, b) return b end)",
        # gradients would end at the statement
        "require 'nn' local m = nn.Tanh() local y = m:forward(torch.ones(2)) y:apply(function(v) return v end)",
        # a layer is no table of Lua's
        "require 'nn' local m = nn.Linear(2, 2) m:something(3)",
    ],
)
def test_what_cannot_pass_between_the_styles_stays_untranslated(source):
    page = translate_script(source.encode(), "p.lua")
    assert page.problems
    assert page.faithful == 0


def test_tensors_that_no_layer_made_are_exchanged_beside_layers():
    page = translate_script(
        b"""require 'nn'
local m = nn.Tanh()
local x = torch.ones(2)
x:apply(function(v, ...) return v / 2 end)
print(m:forward(x):sum())
""",
        "p.lua",
    )
    assert page.problems == []
    assert "\nlua.use_torch()\n" in page.code
    assert 'lua.method(x, "apply", lambda v=None, *varargs: lua.div(v, 2))' in page.code


def test_a_page_with_faithful_statements_learns(tmp_path):
    """Autograd goes on, although faithful programs have none."""
    path = tmp_path / "p.lua"
    path.write_text(
        """require 'nn'
torch.manualSeed(1)
local x, y = torch.linspace(-1, 1, 6):view(6, 1), torch.zeros(6, 1)
local i = 0
y:apply(function(...) i = i + 1 return i / 4 end)
local m, c = nn.Sequential():add(nn.Linear(1, 4)):add(nn.Tanh()):add(nn.Linear(4, 1)), nn.MSECriterion()
for step = 1, 5 do
   local loss = c:forward(m:forward(x), y)
   m:zeroGradParameters()
   m:backward(x, c:backward(m.output, y))
   m:updateParameters(0.1)
   print(loss)
end
"""
    )
    report = to_pytorch(path, record=False).report
    assert report.problems == []
    assert report.faithful == 3  # with what the function does
    assert report.verified is not None
    assert report.verified.equal
    assert torch.is_grad_enabled()


def test_the_report_says_why(tmp_path):
    path = tmp_path / "p.lua"
    path.write_text("local x = torch.Tensor{1, 2, 3}\nlocal y = x:clone():topk(2)\nprint(y:sum())\n")
    report = to_pytorch(path, record=False).report
    assert (report.statements, report.native, report.faithful) == (3, 2, 1)
    assert report.problems == []
    assert [str(entry) for entry in report.reasons] == [f"{path}:2: T7-271: topk in the original's own order"]
    assert f"  {path}:2: T7-271: topk in the original's own order (plain calls)" in list(report.lines())
    assert report.verified is not None
    assert report.verified.equal


def test_all_weights_as_one_are_no_tensor_that_a_method_tells() -> None:
    """A parameter that is a number or the flat weights: a page has no such vector that a function could change."""
    source = b"""require 'nn'
local w = nn.Linear(2, 2):getParameters()
local function double(x)
   if type(x) == 'number' then return 2 * x end
   x:mul(2)
   return x:sum()
end
print(double(3), double(w))
"""
    page = translate_script(source, "double.lua")
    assert {(problem.code, problem.line) for problem in page.reasons} >= {("T7-307", 5)}
