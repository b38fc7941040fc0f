"""Modules looked through by what they are: what has a native form is in programs/surgery_*.lua, and what has none."""

from __future__ import annotations

import pytest

from torch7py.translate.native.program import translate_script

START = """require 'rnn'
local net = nn.Sequential():add(nn.Linear(4, 3)):add(nn.Tanh()):add(nn.Dropout(0.2))
local x = torch.randn(5, 4)
"""
TABLES = (
    f"{START}local both = nn.Sequential():add(nn.ConcatTable():add(nn.Linear(4, 2)):add(nn.Linear(4, 2)))\n"
)


@pytest.mark.usefixtures("without_objects")
@pytest.mark.parametrize(
    ("program", "code"),
    [
        # the page has nn.Linear for both
        ("net:add(nn.LinearNoBias(3, 2))\nprint(#net:findModules('nn.Linear'))", "T7-308"),
        # a page's class has its activations as functions
        ("both:add(nn.CAddTable()):add(nn.Tanh())\nprint(#both:findModules('nn.Tanh'))", "T7-308"),
        (
            "both:replace(function(m) return torch.type(m) == 'nn.Linear' and nn.Linear(4, 2) or m end)",
            "T7-226",
        ),
        ("local n = 0\nboth:apply(function(m) n = n + 1 end)\nprint(n)", "T7-226"),
        ("print(#both:listModules())", "T7-226"),
        # a layer of the original that is one module in PyTorch and many here
        ("net:add(nn.LSTM(3, 2))\nnet:apply(function(m) if m.weight then m.weight:zero() end end)", "T7-226"),
        # a weight that is no module's in the page
        ("net:add(nn.CMul(3))\nnet:apply(function(m) if m.weight then m.weight:zero() end end)", "T7-226"),
    ],
)
def test_refused(program: str, code: str) -> None:
    start = TABLES if "both" in program else START
    page = translate_script((start + program).encode(), "p.lua")
    assert code in {problem.code for problem in page.problems}


@pytest.mark.parametrize("chain", ["", "whole:add(part):add(whole)\n"])
def test_a_container_that_seems_to_hold_itself_is_looked_at_to_an_end(chain: str) -> None:
    """One list has the container and what it gets; kinds do not tell them apart."""
    program = f"""require 'optim'
local whole, part = nn.Sequential(), nn.Linear(3, 2)
local both = {{nn.Sequential():add(part), whole, nn.Sequential():add(nn.Tanh()):add(nn.Tanh())}}
for i, module in ipairs(both) do
   whole:add(module)
   whole:insert(module, 1)
end
{chain}local x, y = torch.ones(2, 3), torch.ones(2, 2)
local w, g = whole:getParameters()
optim.sgd(function()
   g:zero()
   local loss = nn.MSECriterion():forward(whole:forward(x), y)
   whole:backward(x, y)
   return loss, g
end, w, {{momentum = 0.5}})
"""
    translate_script((START + program).encode(), "whole.lua")
