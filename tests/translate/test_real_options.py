"""Options with a whole default: which of them a page takes fractions for, and what it prints then.

The programs' prints are the original's.
"""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from torch7py.translate.native.program import translate_script

PROGRAM = """
require 'nn'
local cmd = torch.CmdLine()
cmd:option('-l1', 0, 'sparsity')
cmd:option('-l2', 0, 'decay by hand')
cmd:option('-margin', 1, 'of a criterion')
cmd:option('-wd', 0, 'of sgd')
cmd:option('-level', 1, 'shift')
cmd:option('-batch', 4, 'size')
cmd:option('-n', 3, 'count')
cmd:option('-shown', 3, 'printed')
local opt = cmd:parse(arg)
local T = torch.class('Trainer')
function T:__init(options)
  self.options = options
  self.w = torch.ones(3)
end
function T:step(loss)
  if self.options.l2 and self.options.l2 > 0 then loss = loss + self.options.l2 * self.w:norm() ^ 2 / 2 end
  return loss
end
local state = {learningRate = 0.1, weightDecay = opt.wd}
local net = nn.Sequential():add(nn.Linear(opt.n, 2))
if opt.l1 > 0 then net:add(nn.L1Penalty(opt.l1)) end
local crit = nn.MarginCriterion(opt.margin)
local t = Trainer{l2 = opt.l2, n = opt.n}
local sum = 0
for i = 1, t.options.n do sum = sum + t:step(0.5) * opt.batch end
print(string.format('%.6f', sum / opt.batch), opt.shown)
print(torch.ones(opt.batch):add(opt.level):sum(), state.weightDecay)
print(crit:forward(torch.ones(2):mul(0.25), torch.ones(2)), net:size())
"""
FRACTIONS = "-l1 0.5 -l2 0.25 -margin 0.5 -wd 0.1 -level 0.5 -batch 2".split()
PRINTED = {
    (): "1.500000\t3\n8\t0\n0.75\t1\n",
    tuple(FRACTIONS): "2.625000\t3\n3\t0.1\n0.25\t2\n",
}


def test_which_are_real() -> None:
    page = translate_script(PROGRAM.encode(), "program.lua").code
    types = dict(re.findall(r'add_argument\("-(\w+)", type=(\w+)', page))
    real = {name for name, type_ in types.items() if type_ == "float"}
    assert real == {"l1", "l2", "margin", "wd", "level"}


@pytest.mark.parametrize("options", PRINTED)
def test_as_the_original(options: tuple[str, ...], tmp_path) -> None:
    page = translate_script(PROGRAM.encode(), "program.lua")
    path = tmp_path / "page.py"
    path.write_text(page.code)
    command = [sys.executable, path, *options]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
    assert found.stdout == PRINTED[options]
