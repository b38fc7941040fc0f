"""What is one thing at times and another one at others: a criterion that is chosen, an option for any number."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import verify_script

HEAD = "require 'nn'\ntorch.manualSeed(1)\nlocal chosen = arg[1]\n"
SHOWN = """
local net = nn.Sequential():add(nn.Linear(2, 1)):add(nn.Sigmoid())
print(string.format('%.6f', crit:forward(net:forward(torch.ones(3, 2)), torch.ones(3, 1))))
"""
# How a program comes to its criterion, which in a page is a module, or a function.
CHOSEN = [
    "local crit if chosen == 'bce' then crit = nn.BCECriterion() else crit = nn.MSECriterion() end",
    "local crit = nn.MSECriterion() if chosen == 'bce' then crit = nn.BCECriterion() end",
    "local crit = nn.BCECriterion() if chosen ~= 'bce' then crit = nn.MSECriterion() end",
    "local crit = nil crit = nn.BCECriterion()",
    "local crit crit = nn.BCECriterion()",
    "local crit = nn.BCECriterion()",
    "crit = nn.BCECriterion()",
    "if chosen == 'bce' then crit = nn.BCECriterion() else crit = nn.MSECriterion() end",
]


@pytest.mark.parametrize("choice", ["bce", "mse"])
@pytest.mark.parametrize("made", CHOSEN)
def test_a_criterion_that_is_chosen(made: str, choice: str, tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(HEAD + made + SHOWN)
    page = translate_script(path.read_bytes(), str(path))
    assert page.problems == []
    assert verify_script(page, path, [choice]).largest < 1e-9


COUNTING = """require 'nn'
torch.manualSeed(1)
local x, y = torch.randn(4, 3), torch.LongTensor{1, 3, 2, 3}
local function train(crit)
   local net = nn.Linear(3, 3)
   for i = 1, 4 do
      print(crit:forward(net:forward(x[i]), y[i]), crit:forward(net:forward(x), y))
      net:zeroGradParameters()
      net:backward(x, crit:backward(net.output, y))
      net:updateParameters(0.1)
   end
end
train(nn.MultiMarginCriterion())
train(nn.MultiMarginCriterion(2))
train(nn.MultiMarginCriterion(1, torch.Tensor{1, 2, 3}, 0.5))
train(nn.CrossEntropyCriterion())
"""


def test_a_function_given_criterions_that_all_count_classes(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(COUNTING)
    page = translate_script(path.read_bytes(), str(path))
    assert page.problems == []
    assert page.plain_calls == 0
    assert verify_script(page, path).largest < 1e-9


OF_ANY_KIND = """require 'nn'
torch.manualSeed(1)
local loss = arg[1]
local data = {x = torch.randn(6, 2), y = torch.Tensor{1, 2, 2, 1, 1, 2}}
local net, criterion
net = nn.Sequential():add(nn.Linear(2, 2))
if loss == 'margin' then
   criterion = nn.MultiMarginCriterion()
elseif loss == 'nll' then
   net:add(nn.LogSoftMax())
   criterion = nn.ClassNLLCriterion()
else
   criterion = nn.MSECriterion()
   local rows = torch.Tensor(6, 2):fill(-1)
   for i = 1, 6 do rows[i][data.y[i]] = 1 end
   data.y = rows
end
for i = 1, 6 do
   net:zeroGradParameters()
   local output = net:forward(data.x[i])
   local err = criterion:forward(output, data.y[i])
   print(err)
   net:backward(data.x[i], criterion:backward(output, data.y[i]))
   net:updateParameters(0.1)
end
"""


@pytest.mark.parametrize("loss", ["margin", "nll", "mse"])
def test_a_criterion_of_classes_or_of_numbers(loss: str, tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(OF_ANY_KIND)
    page = translate_script(path.read_bytes(), str(path))
    assert page.problems == []
    assert verify_script(page, path, [loss]).largest < 1e-9


USES = [
    ("if opt.l1 > 0 then loss = loss + opt.l1 * w:norm(1) end", "float"),
    ("loss = loss + w:sum() / opt.l1", "float"),
    ("local rate = 0.5 * opt.l1 loss = loss + rate", "float"),
    ("for i = 1, opt.l1 do loss = loss + 1 end", "int"),
    ("loss = loss + torch.zeros(opt.l1 + 1):size(1)", "int"),
    ("loss = loss + opt.l1 * 2", "int"),
]


@pytest.mark.parametrize(("use", "kind"), USES)
def test_an_option_that_scales_is_any_number(use: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(
        "local cmd = torch.CmdLine()\ncmd:option('-l1', 1, 'a number')\nlocal opt = cmd:parse(arg)\n"
        f"local w = torch.ones(3)\nlocal loss = 1\n{use}\nprint(loss)\n"
    )
    page = translate_script(path.read_bytes(), str(path))
    assert f"type={kind}," in page.code
    given = ["-l1", "0.25"] if kind == "float" else ["-l1", "2"]
    assert verify_script(page, path, given).largest < 1e-9
