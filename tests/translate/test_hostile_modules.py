"""Programs that use modules in unusual ways: pages print what they print, or are not written.

Each is held against its run, in the form in which all is proved: a fault there is not hidden by the plain calls that
would be taken in its place.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from torch7py.translate.native.analysis.program_facts import PROVED
from torch7py.translate.native.program import in_one_form, translate_script
from torch7py.translate.verify_script import verify_script

_SKIP = """
local Skip, skip_parent = torch.class('nn.Skip', 'nn.Module')
function Skip:__init(inner) skip_parent.__init(self); self.inner = inner end
function Skip:updateOutput(x) self.output = self.inner:forward(x) + x; return self.output end
function Skip:updateGradInput(x, g)
  self.gradInput = self.inner:updateGradInput(x, g) + g
  return self.gradInput
end
function Skip:accGradParameters(x, g, scale) self.inner:accGradParameters(x, g, scale) end
function Skip:parameters() return self.inner:parameters() end
"""
_BLOCK = """
local Block, block_parent = torch.class('nn.Block', 'nn.Sequential')
function Block:__init(n) block_parent.__init(self); self:add(nn.Linear(n, n)) end
local function damped(n)
  local s = nn.Sequential()
  s:add(nn.Linear(n, n)):add(nn.MulConstant(0.5))
  return s
end
"""
_TWICE = """
local p, g = net:parameters()
net:zeroGradParameters()
for _ = 1, 2 do
  net:forward(x)
  net:backward(x, torch.ones(4, 2))
  for i = 1, #g do print(g[i]:norm() > 1e-9 and g[i]:norm() or 0) end
end
"""
PROGRAMS = {
    "parts added to what a class makes, in another class": _BLOCK
    + """
local Net, parent = torch.class('nn.Net', 'nn.Module')
function Net:__init(n)
  parent.__init(self)
  self.net = nn.Sequential()
  self.net:add(nn.Block(n):add(nn.Tanh()):add(nn.MulConstant(2)))
  self.net:add(damped(n):add(nn.Sigmoid()))
end
function Net:updateOutput(x) self.output = self.net:forward(x); return self.output end
function Net:updateGradInput(x, g) self.gradInput = self.net:backward(x, g); return self.gradInput end
local net = nn.Net(3)
print(net:forward(x))
print(net:backward(x, torch.ones(4, 3)))
""",
    "parts added to what a class makes, in a container": _BLOCK
    + """
local first = nn.Block(3):add(nn.Tanh()):add(nn.MulConstant(2))
local sides = nn.ConcatTable():add(nn.Block(3):add(nn.ReLU())):add(nn.Identity())
local net = nn.Sequential():add(first):add(sides):add(nn.CAddTable())
print(net:forward(x))
local function wrap(m) return nn.Sequential():add(m):add(nn.MulConstant(7)) end
print(wrap(nn.Block(3):add(nn.MulConstant(3))):forward(x))
local made = damped(3):add(nn.Tanh())
print(made:forward(x))
""",
    "a layer that goes back twice, inside one with a batch normalization": _SKIP
    + """
local inside = nn.Sequential():add(nn.BatchNormalization(3)):add(nn.Skip(nn.Linear(3, 3)))
local net = nn.Sequential():add(nn.Skip(inside)):add(nn.Linear(3, 2))
"""
    + _TWICE,
    "whether a module has parts": """
local net = nn.Sequential():add(nn.Linear(2, 2)):add(nn.Sequential():add(nn.Tanh())):add(nn.ReLU())
net:apply(function(m)
  if m.modules and nil then print('never') end
  if nil == m.modules then print('a layer') end
  if nil ~= m.modules then print('a container') end
  if m.modules == nil then print('a layer') end
  print(m.modules and #m.modules or 0)
end)
""",
    "whether a layer has parameters": """
for i, m in ipairs{nn.Linear(2, 2), nn.Tanh(), nn.CMul(2)} do
  local p, g = m:parameters()
  if p == nil then print(i, 'none') else print(i, #p) end
  if g and #g > 1 then print(i, 'two') end
end
""",
}
DECLINED = {
    "whether a container has parameters": """
for i, m in ipairs{nn.Linear(2, 2), nn.Tanh(), nn.Sequential():add(nn.Tanh())} do
  local p = m:parameters()
  if p == nil then print(i, 'none') else print(i, #p) end
end
""",
    "a container with gradients of its own to which its constructor adds": """
local Half, parent = torch.class('nn.Half', 'nn.Sequential')
function Half:__init() parent.__init(self); self:add(nn.Linear(3, 2)) end
function Half:updateOutput(x) self.output = parent.updateOutput(self, x) * 0.5; return self.output end
function Half:updateGradInput(x, g)
  self.gradInput = parent.updateGradInput(self, x, g) * 0.5
  return self.gradInput
end
local net = nn.Half()
"""
    + _TWICE,
}


def _written(text: str, directory: Path) -> Path:
    path = directory / "p.lua"
    path.write_text(f"require 'nn'\ntorch.manualSeed(3)\nlocal x = torch.randn(4, 3)\n{text}")
    return path


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_proved_is_equal(name: str, tmp_path: Path) -> None:
    path = _written(PROGRAMS[name], tmp_path)
    page = in_one_form(path.read_bytes(), path.name, PROVED)
    assert page.problems == []
    assert verify_script(page, path).lines >= 1


@pytest.mark.parametrize("name", DECLINED)
def test_what_is_not_proved_stands_in_plain_calls(name: str, tmp_path: Path) -> None:
    path = _written(DECLINED[name], tmp_path)
    page = translate_script(path.read_bytes(), path.name)
    assert page.problems == []
    assert page.plain_calls
    assert verify_script(page, path).lines >= 1
