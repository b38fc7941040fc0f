"""Passes of modules in plain calls: there and back call by call, as the program has them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.translate.running import same_or_error
from torch7py.translate.native import program
from torch7py.translate.native.analysis.program_facts import PlainForms
from torch7py.translate.verify import Different
from torch7py.translate.verify_script import TOLERANCE, verify_script

FOLDER = Path(__file__).parent / "programs"
# Every sixth program with passes back, of those that do not train for long.
PROGRAMS = [
    path
    for path in sorted(FOLDER.glob("*.lua"))
    if b":backward(" in (source := path.read_bytes()) and b"require 'image'" not in source
][::6]

COPIES = """require 'nn'
torch.manualSeed(1)
local function built()
   local net = nn.Sequential():add(nn.JoinTable(2)):add(nn.Linear(5, 3)):add(nn.Tanh())
   return {net = net, loss = nn.MSECriterion()}
end
local protos = built()
local params, grads = protos.net:getParameters()
local clones = {}
for name, proto in pairs(protos) do
   clones[name] = {}
   for t = 1, 3 do clones[name][t] = proto:clone('weight', 'bias', 'gradWeight', 'gradBias') end
end
local xs, y = torch.randn(3, 4, 2), torch.randn(4, 3)
for step = 1, 3 do
   grads:zero()
   local hs, loss = {[0] = torch.zeros(4, 3)}, 0
   for t = 1, 3 do
      hs[t] = clones.net[t]:forward({xs[t], hs[t - 1]})
      loss = loss + clones.loss[t]:forward(hs[t], y)
   end
   local later = torch.zeros(4, 3)
   for t = 3, 1, -1 do
      later:add(clones.loss[t]:backward(hs[t], y))
      later = clones.net[t]:backward({xs[t], hs[t - 1]}, later)[2]:clone()
   end
   params:add(-0.1, grads)
   print(loss, grads:norm())
end
"""

# The same copies by a function that writes the module to memory and reads it back.
COPIES_BY_MEMORY = COPIES.replace(
    """for name, proto in pairs(protos) do
   clones[name] = {}
   for t = 1, 3 do clones[name][t] = proto:clone('weight', 'bias', 'gradWeight', 'gradBias') end
end
""",
    """local function copies(net, count)
   local out, w, g = {}, nil, nil
   if net.parameters then w, g = net:parameters() end
   local file = torch.MemoryFile('w'):binary()
   file:writeObject(net)
   for i = 1, count do
      local reader = torch.MemoryFile(file:storage(), 'r'):binary()
      local copy = reader:readObject()
      reader:close()
      if w then
         local cw, cg = copy:parameters()
         for k = 1, #w do
            cw[k]:set(w[k])
            cg[k]:set(g[k])
         end
      end
      out[i] = copy
   end
   return out
end
local function copy(name) clones[name] = copies(protos[name], 3) end
for name in pairs(protos) do copy(name) end
""",
)

HALVES = """require 'nn'
torch.manualSeed(2)
local net = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 2))
local a, b = torch.randn(5, 3), torch.randn(5, 3)
local first = net:forward(a)
local kept = first[1][1]
local second = net:forward(b)
print(first:sum(), second:sum(), kept)
local crit, y = nn.MSECriterion(), torch.randn(5, 2)
for i = 1, 3 do
   local out = net:forward(a)
   local e = crit:forward(out, y)
   local g = crit:backward(out, y)
   net:zeroGradParameters()
   local gi = net:updateGradInput(a, g)
   net:accGradParameters(a, g, 0.5)
   net:updateParameters(0.1)
   print(e, gi:norm(), net.output:sum(), net.gradInput:sum(), crit.output)
end
"""


@pytest.mark.parametrize("source", [COPIES, HALVES], ids=["copies of steps", "halves"])
def test_what_is_not_proved_goes_back_call_by_call(source: str, tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(source)
    page = program.translate_script(source.encode(), "p.lua")
    assert page.problems == []
    assert {"T7-226", "T7-230"} & {problem.code for problem in page.reasons}
    assert "lua_compat.backward(" in page.code
    assert verify_script(page, path).largest < TOLERANCE


def test_a_function_that_copies_by_a_file_in_memory_is_one_that_copies(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(COPIES_BY_MEMORY)
    page = program.translate_script(COPIES_BY_MEMORY.encode(), "p.lua")
    assert "lua_compat.forward(" in page.code
    assert "return [copy.deepcopy(net, {id(x): x for x in net.parameters()}) for _ in" in page.code
    assert verify_script(page, path).largest < TOLERANCE


# A graph that is known only when the page runs, with criterions in it, and gradients of their targets.
CRITERIONS = """require 'nn'
require 'nngraph'
torch.manualSeed(3)
local function network(count)
   local inputs = {}
   for i = 1, count do table.insert(inputs, nn.Identity()()) end
   local hidden = nn.Tanh()(nn.Linear(4, 3)(inputs[1])):annotate{name = 'hidden'}
   local scores = nn.LogSoftMax()(hidden)
   local criterion = nn.ClassNLLCriterion(torch.Tensor{0.5, 1, 2})
   criterion.sizeAverage = false
   local loss = criterion({scores, inputs[2]})
   return nn.gModule(inputs, {loss, scores, nn.MSECriterion()({hidden, inputs[3]})})
end
local net = network(3)
local input = {torch.randn(5, 4), torch.Tensor{1, 3, 2, 2, 1}, torch.randn(5, 3)}
local gradient = {torch.Tensor{2}, torch.randn(5, 3), torch.Tensor{0.5}}
for step = 1, 3 do
   net:zeroGradParameters()
   local output = net:forward(input)
   local back = net:updateGradInput(input, gradient)
   net:accGradParameters(input, gradient, 0.5)
   net:updateParameters(0.1)
   print(output[1][1], output[3][1], back[1]:norm(), back[2]:norm(), back[3]:norm())
end
local weights = {}
weights[1], _ = net:parameters()
print(#weights[1], weights[1][1]:norm())
"""


def test_criterions_in_graphs_that_are_known_when_the_page_runs(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(CRITERIONS)
    page = program.translate_script(CRITERIONS.encode(), "p.lua")
    assert page.problems == []
    assert (
        "lua_compat.LossOf(lambda prediction, target: criterion(prediction, target.long() - 1))" in page.code
    )
    assert "weights.append([p.data for p in net.parameters()])" in page.code
    assert verify_script(page, path).largest < TOLERANCE


def test_several_outputs_of_a_module_are_a_list(tmp_path: Path) -> None:
    """Of a module of which it is not known what it gives, that is seen when the page runs."""
    source = """require 'nn'
torch.manualSeed(3)
local net = nn.ConcatTable():add(nn.Linear(3, 2)):add(nn.Tanh())
local x = torch.randn(4, 3)
for i = 1, 2 do
   local parts = net:forward(x * i)
   print(parts[1]:sum(), parts[#parts]:sum())
   net:zeroGradParameters()
   net:backward(x * 2, {torch.ones(4, 2), torch.ones(4, 3)})
end
function first(other) return other:forward(x)[1] end
"""
    path = tmp_path / "p.lua"
    path.write_text(source)
    page = program.in_one_form(source.encode(), "p.lua", PlainForms(passes=True))
    assert "parts[0].sum()" in page.code
    assert "parts[-1].sum()" in page.code
    assert "lua_compat.index(lua_compat.forward(other, x), 1)" in page.code
    path.write_text(source.replace("x * 2, {", "x * i, {"))
    page = program.in_one_form(path.read_bytes(), "p.lua", PlainForms(passes=True))
    assert verify_script(page, path).largest < TOLERANCE


@pytest.mark.parametrize(("step", "least"), [(3, 3), pytest.param(1, 9, marks=pytest.mark.slow)])
def test_programs_whose_passes_go_call_by_call_never_learn_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, least: int
) -> None:
    """As if nothing had been proved of any pass: an error is allowed, another number never."""
    monkeypatch.chdir(tmp_path)  # where some write files
    assert (
        same_or_error(
            PROGRAMS[::step],
            partial(program.in_one_form, plainly=PlainForms(passes=True)),
            tmp_path,
        )
        >= least
    )


MOVED = """require 'nn' require 'rnn'
torch.manualSeed(3)
local m, x = %s, %s
local w, g = m:getParameters()
local last
local function go() last = m:forward(x) end
local function back() return m:backward(x, last:clone():fill(0.5)) end
go()
back()
w:add(-0.7, g)
g:zero()
local gradInput = back()
print(string.format('%%.8f', g:norm()))
print(string.format('%%.8f', torch.isTensor(gradInput) and gradInput:double():norm() or 0))
"""


@pytest.mark.parametrize(
    ("layer", "input"),
    [
        ("nn.Linear(3,2)", "torch.randn(4,3)"),
        ("nn.SpatialConvolution(2,3,3,3)", "torch.randn(2,2,5,5)"),
        ("nn.TemporalConvolution(3,2,2)", "torch.randn(5,3)"),
        ("nn.BatchNormalization(3)", "torch.randn(4,3)"),
        ("nn.PReLU()", "torch.randn(4,3)"),
        ("nn.Sequential():add(nn.Linear(3,4)):add(nn.Tanh()):add(nn.Linear(4,2))", "torch.randn(4,3)"),
        ("nn.SeqLSTM(3,2)", "torch.randn(3,2,3)"),
        ("nn.Euclidean(3,2)", "torch.randn(4,3)"),
        ("nn.Bilinear(3,2,2)", "{torch.randn(4,3),torch.randn(4,2)}"),
    ],
)
def test_weights_that_moved_since_the_call_are_read_as_they_are(
    layer: str, input: str, tmp_path: Path
) -> None:
    """What the discriminators of many programs do: their second way back is behind a step of their weights."""
    path = tmp_path / "p.lua"
    path.write_text(MOVED % (layer, input))
    page = program.in_one_form(path.read_bytes(), "p.lua", plainly=PlainForms(passes=True))
    assert page.problems == []
    assert verify_script(page, path).largest < TOLERANCE


def test_weights_of_which_others_are_computed_may_not_move_since(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(MOVED % ("nn.WeightNorm(nn.Linear(3,2))", "torch.randn(4,3)"))
    page = program.in_one_form(path.read_bytes(), "p.lua", plainly=PlainForms(passes=True))
    with pytest.raises(Different, match="weights of which others are computed have moved"):
        verify_script(page, path)
