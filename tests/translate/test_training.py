"""Training steps of real programs' kinds: steps in time by hand, losses in expressions, divided and added up."""

from __future__ import annotations

import pytest

from torch7py.translate.native.program import Native, translate_script
from torch7py.translate.verify_script import ScriptComparison, verify_script

START = """require 'nn'
require 'nngraph'
require 'optim'
torch.manualSeed(1)
"""
# Two functions that programs carry with them, in words of our own.
HELPERS = """local function together(...)
   local weights, slopes = {}, {}
   for _, m in ipairs({...}) do
      local w, g = m:parameters()
      for i = 1, #w do weights[#weights + 1] = w[i]; slopes[#slopes + 1] = g[i] end
   end
   local function lay(list)
      local size, seen = 0, {}
      for _, x in ipairs(list) do
         local key = torch.pointer(x:storage())
         assert(not seen[key])
         seen[key] = true
         size = size + x:nElement()
      end
      local flat, at = torch.Tensor(size), 1
      for _, x in ipairs(list) do
         flat:narrow(1, at, x:nElement()):copy(x)
         x:set(flat:storage(), at, x:size(), x:stride())
         at = at + x:nElement()
      end
      return flat
   end
   return lay(weights), lay(slopes)
end

local function copies(net, count)
   local out, w, g = {}, {}, {}
   if net.parameters then
      w, g = net:parameters()
      w = w or {}
   end
   local file = torch.MemoryFile('w'):binary()
   file:writeObject(net)
   for i = 1, count do
      local reader = torch.MemoryFile(file:storage(), 'r'):binary()
      local copy = reader:readObject()
      reader:close()
      if net.parameters then
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

local function step(size)
   local x, c, h = nn.Identity()(), nn.Identity()(), nn.Identity()()
   local function sum() return nn.CAddTable()({nn.Linear(size, size)(x), nn.Linear(size, size)(h)}) end
   local next_c = nn.CAddTable()({
      nn.CMulTable()({nn.Sigmoid()(sum()), c}), nn.CMulTable()({nn.Sigmoid()(sum()), nn.Tanh()(sum())})
   })
   return nn.gModule({x, c, h}, {next_c, nn.CMulTable()({nn.Sigmoid()(sum()), nn.Tanh()(next_c)})})
end
"""
TRAINER = """local T, B, n, size = 4, 3, 5, 6
local parts = {}
parts.embed = nn.LookupTable(n, size)
parts.cell = step(size)
parts.out = nn.Sequential():add(nn.Linear(size, n)):add(nn.LogSoftMax())
parts.criterion = nn.ClassNLLCriterion()
local w, g = together(parts.embed, parts.cell, parts.out)
w:uniform(-0.3, 0.3)
local at = {}
for name, part in pairs(parts) do at[name] = copies(part, T) end
local c0, h0 = torch.zeros(B, size), torch.zeros(B, size)
local last_c = c0:clone()
local data = torch.Tensor(T + 1, B)
for t = 1, T + 1 do for b = 1, B do data[t][b] = (t * b) %% n + 1 end end

local function feval(new)
   if new ~= w then w:copy(new) end
   g:zero()
   local e, c, h, p = {}, {[0] = c0}, {[0] = h0}, {}
   local loss = 0
   for t = 1, T do
      e[t] = at.embed[t]:forward(data[t])
      c[t], h[t] = unpack(at.cell[t]:forward({e[t], c[t - 1], h[t - 1]}))
      p[t] = at.out[t]:forward(h[t])
      loss = loss + at.criterion[t]:forward(p[t], data[t + 1])
   end
   %s
   local dc, dh = {[T] = last_c}, {}
   for t = T, 1, -1 do
      local d = at.criterion[t]:backward(p[t], data[t + 1])
      if t == T then
         assert(dh[t] == nil)
         dh[t] = at.out[t]:backward(h[t], d)
      else
         dh[t]:add(at.out[t]:backward(h[t], d))
      end
      local de
      de, dc[t - 1], dh[t - 1] = unpack(at.cell[t]:backward({e[t], c[t - 1], h[t - 1]}, {dc[t], dh[t]}))
      at.embed[t]:backward(data[t], de)
   end
   c0:copy(c[#c])
   h0:copy(h[#h])
   g:clamp(-0.5, 0.5)
   return loss, g
end

local state = {learningRate = 0.1}
for i = 1, 6 do
   local _, losses = optim.%s(feval, w, state)
   print(i, losses[1], g:norm(), w:norm())
end
"""


def page_of(source: str) -> Native:
    return translate_script((START + source).encode(), "program.lua")


def verified(source: str, tmp_path) -> tuple[str, ScriptComparison]:
    """The page of a program, which is native and equal to it."""
    page = page_of(source)
    assert [str(problem) for problem in page.problems] == []
    assert page.native == page.statements
    tmp_path.joinpath("program.lua").write_text(START + source)
    comparison = verify_script(page, tmp_path / "program.lua")
    assert comparison.largest < 1e-9
    return page.code, comparison


@pytest.mark.parametrize("method", ["sgd", "adam", "adagrad", "rmsprop"])
def test_steps_in_time_by_hand(tmp_path, method):
    """A module for every step, with one's parameters: one module, and one loss for all steps."""
    code, comparison = verified(HELPERS + TRAINER % ("", method), tmp_path)
    assert (comparison.lines, comparison.layers) == (6, 2 * 8 + 1 + 2)
    assert '    w = [*parts["embed"].parameters(), *parts["cell"].parameters()' in code
    assert "def copies(net, count):\n" in code
    assert "return [net] * count\n" in code
    assert "def together" not in code
    assert 'loss += at["criterion"][t - 1]' in code
    assert code.count(".backward()") == 1
    assert "        c0.copy_(c[len(c) - 1].detach())\n" in code


# The states of all layers in one table, kept over steps.
CARRIED = """local T, B, n, size = 4, 3, 5, 6
local cell = step(size)
local out = nn.Sequential():add(nn.Linear(size, n)):add(nn.LogSoftMax())
local w, g = together(cell, out)
w:uniform(-0.3, 0.3)
local cells, outs, criterions = copies(cell, T), copies(out, T), copies(nn.ClassNLLCriterion(), T)
local first = {torch.zeros(B, size), torch.zeros(B, size)}
local x, y = torch.randn(T, B, size), torch.Tensor(T, B):fill(2)

local function feval(new)
   if new ~= w then w:copy(new) end
   g:zero()
   local states, p, loss = {[0] = first}, {}, 0
   for t = 1, T do
      local list = cells[t]:forward{x[t], unpack(states[t - 1])}
      states[t] = {}
      for i = 1, 2 do table.insert(states[t], list[i]) end
      p[t] = outs[t]:forward(states[t][2])
      loss = loss + criterions[t]:forward(p[t], y[t])
   end
   local later = {[T] = {torch.zeros(B, size), torch.zeros(B, size)}}
   for t = T, 1, -1 do
      later[t][2]:add(outs[t]:backward(states[t][2], criterions[t]:backward(p[t], y[t])))
      local d = cells[t]:backward({x[t], unpack(states[t - 1])}, later[t])
      later[t - 1] = {}
      for k, v in pairs(d) do
         if k > 1 then later[t - 1][k - 1] = v end
      end
   end
   first = %s
   return loss, g
end

local state = {learningRate = 0.1}
for i = 1, 6 do
   local _, losses = optim.sgd(feval, w, state)
   print(i, losses[1], g:norm(), w:norm())
end
"""


def test_states_carried_over_uncopied(tmp_path):
    """The last step writes over what it gave before, at which the first step's gradients are taken then."""
    code, comparison = verified(HELPERS + CARRIED % "states[#states]", tmp_path)
    assert comparison.lines == 6
    assert "    return [StepCopy(net) for _ in range(count)]\n" in code


def test_a_rate_that_the_program_lowers(tmp_path):
    lower = "   state.learningRate = state.learningRate * 0.5\n   print(state.learningRate, losses[1]"
    trainer = (TRAINER % ("", "rmsprop")).replace("   print(i, losses[1]", lower)
    code, _ = verified(HELPERS + trainer, tmp_path)
    assert '        optimizer.param_groups[0]["lr"] *= 0.5\n' in code


def test_a_loss_divided_for_printing(tmp_path):
    """The gradients are those of the sum: the backward pass comes before the division."""
    code, _ = verified(HELPERS + TRAINER % ("loss = loss / T", "sgd"), tmp_path)
    lines = [line.strip() for line in code.splitlines()]
    assert lines.index("loss.backward()") + 1 == lines.index("loss /= T")


LOOP = """local model = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 2))
local criterion = nn.MSECriterion()
local x, y = torch.randn(5, 3), torch.randn(5, 2)
"""


@pytest.mark.parametrize("way", ["div", "none"])
def test_losses_added_up_with_a_backward_pass_each(tmp_path, way):
    source = f"""{LOOP}local w, g = model:getParameters()
local function feval()
   g:zero()
   local loss = 0
   for i = 1, 5 do
      loss = loss + criterion:forward(model:forward(x[i]), y[i])
      model:backward(x[i], criterion:backward(model.output, y[i]))
   end
   loss = loss / 5
   {"g:div(5)" if way == "div" else ""}
   return loss, g
end
local settings = {{learningRate = 0.1}}
for i = 1, 5 do
   local _, fs = optim.sgd(feval, w, settings)
   print(fs[1])
end
"""
    code, _ = verified(source, tmp_path)
    assert code.count(".backward()") == 1
    assert "            loss += loss2.detach()\n            loss2.backward()\n" in code


def test_losses_in_expressions(tmp_path):
    source = f"""{LOOP}for i = 1, 5 do
   model:zeroGradParameters()
   local out = model:forward(x)
   print('loss', criterion:forward(out, y) / 5)
   model:backward(x, criterion:backward(out, y))
   model:updateParameters(0.1)
end
"""
    code, _ = verified(source, tmp_path)
    assert "        loss = criterion(out, y)\n" in code
    assert "{loss.item() / 5:.14g}" in code


def test_the_last_of_several_losses_in_a_statement(tmp_path):
    source = f"""{LOOP}for i = 1, 5 do
   print(criterion:forward(model:forward(x[i]), y[i]), criterion:forward(model:forward(x), y))
   model:zeroGradParameters()
   model:backward(x, criterion:backward(model.output, y))
   model:updateParameters(0.1)
end
"""
    verified(source, tmp_path)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (
            ("local last_c = c0:clone()", "local last_c = torch.ones(B, size)"),
            "T7-226",
        ),  # a gradient from outside
        (("de, dc[t - 1], dh", "d:mul(2)\n      de, dc[t - 1], dh"), "T7-226"),
        (
            ("nn.Tanh()(next_c)", "nn.BatchNormalization(size)(next_c)"),
            "T7-222",
        ),  # copies keep their own means
    ],
)
def test_what_is_another_computation(change, code):
    source = (HELPERS + TRAINER % ("", "sgd")).replace(*change)
    page = page_of(source)
    assert code in {problem.code for problem in (*page.problems, *page.reasons)}


def test_rows_of_zeros_in_steps(tmp_path):
    """nn.MaskZero in a Sequencer, and a criterion that does not count its rows; the last step has none that counts."""
    source = """require 'rnn'
local model = nn.Sequential()
   :add(nn.Sequencer(nn.MaskZero(nn.Linear(3, 4), 1)))
   :add(nn.Sequencer(nn.MaskZero(nn.LogSoftMax(), 1)))
local criterion = nn.SequencerCriterion(nn.MaskZeroCriterion(nn.ClassNLLCriterion(), 1))
local x, y = {}, {}
for step = 1, 3 do
   x[step] = torch.randn(3, 3)
   y[step] = torch.LongTensor({1, 4, 2})
end
x[1][2]:zero()
y[1][2] = 0
x[3]:zero()
y[3]:zero()
for i = 1, 5 do
   model:zeroGradParameters()
   local out = model:forward(x)
   local loss = criterion:forward(out, y)
   print(loss, out[1][2]:norm())
   model:backward(x, criterion:backward(out, y))
   model:updateParameters(0.1)
end
"""
    code, comparison = verified(source, tmp_path)
    assert (comparison.lines, comparison.layers) == (5, 2)
    assert "(p != 0).any(-1)  # rows of zeros do not count\n" in code


@pytest.mark.usefixtures("without_objects")
def test_a_part_that_has_no_form_is_not_left_out() -> None:
    """What cannot be written is said, where its parts were to be written within the whole."""
    source = """require 'nn'
local table = nn.LookupTable(4, 3)
local first = nn.Sequential():add(table:clone()):add(nn.GRU(3, 3):trimZero(1))
local pair = nn.ParallelTable():add(first)
local inner = nn.Sequential():add(pair):add(nn.JoinTable(1))
local whole = nn.Sequential():add(inner):add(nn.Linear(3, 2))
print(whole)
"""
    page = page_of(source)
    assert {problem.code for problem in page.problems} == {"T7-222"}
    assert "nn.Sequential(inner" not in page.code
    assert (page.statements, page.native) == (11, 7)  # lost: the last, and what is written within it


def test_norms_compared_with_those_of_the_last_sequence_are_refused() -> None:
    source = """require 'rnn'
local net = nn.Sequencer(nn.Sequential():add(nn.FastLSTM(3, 2)):add(nn.NormStabilizer(0.1)))
net:remember('both')
print(net:forward({torch.ones(1, 3)})[1]:norm())
"""
    page = translate_script(source.encode(), "p.lua")
    assert [problem.code for problem in page.problems] == ["T7-223"]


@pytest.mark.usefixtures("without_objects")
def test_how_many_parameters_there_are_is_not_told_of_layers_that_have_others() -> None:
    source = "require 'rnn'\nprint(#nn.Sequencer(nn.LSTM(2, 3)):parameters())\n"
    page = translate_script(source.encode(), "p.lua")
    assert {problem.code for problem in page.problems} >= {"T7-227"}


def test_a_target_of_other_dimensions_than_the_prediction_has_its_elements_compared(tmp_path) -> None:
    """The network keeps three dimensions, the target has two: PyTorch would repeat both until they fit."""
    source = """require 'nn'
torch.manualSeed(1)
local net = nn.Sequential():add(nn.TemporalConvolution(3, 4, 5)):add(nn.Tanh()):add(nn.TemporalConvolution(4, 2, 1))
net:add(nn.Sigmoid())
local criterion = nn.BCECriterion()
local x, y = torch.randn(6, 5, 3), torch.rand(6, 2)
for step = 1, 3 do
   net:zeroGradParameters()
   print(criterion:forward(net:forward(x), y))
   net:backward(x, criterion:backward(net.output, y))
   net:updateParameters(0.5)
end
"""
    code, _ = verified(source, tmp_path)
    assert "criterion(prediction := net(x), y.view_as(prediction))" in code


@pytest.mark.usefixtures("without_objects")
def test_a_layer_without_an_argument_that_it_needs_is_refused() -> None:
    source = (
        "require 'nn'\nlocal m = nn.Parallel()\nm:add(nn.Linear(2, 3))\nprint(m:forward(torch.randn(1, 2)))\n"
    )
    page = translate_script(source.encode(), "p.lua")
    assert ["without its dimension" in str(problem) for problem in page.problems] == [True]
