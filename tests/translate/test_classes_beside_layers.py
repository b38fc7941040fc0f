"""What holds one of nn's layers, or a class of the program's own, makes what it holds, however it came to hold that."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import verify_script

CLASS = """
require 'nn'
torch.manualSeed(2)
local Half, parent = torch.class('nn.Half', 'nn.Module')
function Half:__init(n) parent.__init(self) self.n = n end
function Half:updateOutput(x) self.output = x * 0.5 return self.output end
function Half:updateGradInput(x, g) self.gradInput = g * 0.5 return self.gradInput end
local x = torch.randn(4, 3)
local function made(norm) return nn.Sequential():add(nn.Linear(3, 3)):add(norm):forward(x):norm() > 3 end
"""
WAYS = {
    "a variable": """
local norm
local function set(name)
  if name == 'half' then norm = nn.Half else norm = nn.BatchNormalization end
end
set('half') print(made(norm(3)))
set('batch') print(made(norm(3)))
""",
    "a global": """
norm = nil
function set(name)
  if name == 'half' then norm = nn.Half else norm = nn.BatchNormalization end
end
set('batch') print(made(norm(3)))
set('half') print(made(norm(3)))
""",
    "an argument": """
local function build(norm) return made(norm(3)) end
print(build(nn.Half), build(nn.BatchNormalization))
""",
    "entries of a table": """
local norms = {half = nn.Half, batch = nn.BatchNormalization}
for _, k in ipairs{'half', 'batch'} do print(k, made(norms[k](3))) end
""",
    "items of a table": """
for _, layer in ipairs{nn.Half, nn.BatchNormalization} do print(made(layer(3)), torch.type(layer(3))) end
""",
    "what a function gives": """
local function pick(name)
  if name == 'half' then return nn.Half end
  return nn.BatchNormalization
end
print(made(pick('half')(3)), made(pick('batch')(3)))
""",
    "a field": """
local options = {norm = nn.Half}
print(made(options.norm(3)))
options.norm = nn.BatchNormalization
print(made(options.norm(3)), torch.type(options.norm(3)))
""",
    "one of two": """
for i = 1, 2 do
  local norm = i == 1 and nn.Half or nn.BatchNormalization
  print(made(norm(3)))
end
""",
}


@pytest.mark.parametrize("way", WAYS)
def test_both_are_made(way: str, tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(CLASS + WAYS[way])
    page = translate_script(path.read_bytes(), path.name)
    assert page.problems == []
    assert verify_script(page, path).lines >= 1
