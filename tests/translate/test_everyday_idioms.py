"""Idioms of everyday programs: each runs as a page and prints the same, in PyTorch's words alone where it says so."""

from __future__ import annotations

import pytest
import torch

import torch7py
from torch7py.ops import row_sort
from torch7py.packages.registry import packages
from torch7py.translate.native.program import translate_script
from torch7py.translate.native.unset_globals import GPU_PACKAGES
from torch7py.translate.page_library import gpus, tensors
from torch7py.translate.parse import parse
from torch7py.translate.usage import is_unset
from torch7py.translate.verify_script import verify_script

IDIOMATIC = {
    "tables of one entry that a criterion and a layer are given": """
require 'nn'
local Lengths, parent = torch.class('nn.Lengths', 'nn.Criterion')
function Lengths:__init() parent.__init(self) end
function Lengths:updateOutput(input, target)
  assert(#target == input:size(2))
  self.output = input:sum() * #target[1]
  return self.output
end
function Lengths:updateGradInput(input, target)
  self.gradInput:resizeAs(input):fill(#target[1])
  return self.gradInput
end
local lengths = nn.Lengths()
local z = torch.ones(4, 1, 3)
print(lengths:forward(z, {{2, 3}}))
print(lengths:backward(z, {{2, 3}}):sum())
local x = torch.rand(2, 3)
print(nn.JoinTable(2):forward({x}):size(2))
print(nn.SelectTable(1):forward({x}):size(1))
""",
    "a pooling in a variable, which an unpooling further on undoes": """
require 'nn'
torch.manualSeed(1)
local first, second = nn.SpatialMaxPooling(2, 2, 2, 2), nn.SpatialMaxPooling(2, 2)
second:ceil()
local net = nn.Sequential()
net:add(nn.SpatialConvolution(2, 3, 3, 3, 1, 1, 1, 1)):add(first)
net:add(nn.ReLU()):add(second):add(nn.Tanh())
net:add(nn.SpatialMaxUnpooling(second)):add(nn.SpatialMaxUnpooling(first))
local criterion = nn.MSECriterion()
local x, y = torch.randn(2, 2, 10, 10), torch.randn(2, 3, 10, 10)
for i = 1, 3 do
  print(criterion:forward(net:forward(x), y))
  net:zeroGradParameters()
  net:backward(x, criterion:backward(net.output, y))
  net:updateParameters(0.5)
end
""",
    "a part with a name of its own within what a function returns": """
require 'rnn'
local function cell(kind, D, H)
   if kind == 'rnn' then
      local step = nn.Sequential():add(nn.JoinTable(1, 1)):add(nn.Linear(D + H, H)):add(nn.Tanh())
      return nn.Sequencer(nn.Recurrence(step, H, 1))
   end
   return nn.SeqLSTM(D, H)
end
local net = nn.Sequential():add(cell('rnn', 4, 3)):add(nn.Sequencer(nn.Linear(3, 2)))
local x = torch.rand(5, 2, 4)
local steps = net:forward(x):size(1)
print(steps == 5)
local function head(size)
   local layer = nn.Linear(size, 2)
   return nn.Sequential():add(layer):add(nn.Tanh())
end
print(head(4):forward(torch.rand(2, 4)):size(2))
""",
    "whether a module, or what nobody gives, is a container": """
require 'nn'
local M = {}
function M.unused(m) if torch.isTypeOf(m, nn.Container) then return 'a container' end end
function M.trim_network(net)
  local function contains_ignore(layer)
    if torch.isTypeOf(layer, nn.Container) then
      local found = false
      for i = 1, layer:size() do
        found = found or contains_ignore(layer:get(i))
      end
      return found
    else
      return layer._ignore == true
    end
  end
  local last_layer = 0
  for i = 1, #net do
    if contains_ignore(net:get(i)) then
      last_layer = i
    end
  end
  local num_to_remove = #net - last_layer
  for i = 1, num_to_remove do
    net:remove()
  end
  return net
end
torch.manualSeed(1)
local inner = nn.Sequential():add(nn.Tanh()):add(nn.Linear(2, 2))
local net = nn.Sequential():add(nn.Linear(3, 2)):add(inner):add(nn.Sigmoid())
net:get(2):get(2)._ignore = true
M.trim_network(net)
print(#net)
print(net:forward(torch.ones(1, 3)):sum())
""",
    "options that lapp reads in a function, of a text that begins with a name": """
local opts = {}
lapp = require 'pl.lapp'
title = [[
A title -- with dashes
]]
function opts.parse(arg)
   local opt = lapp(title .. [[
   -r,--learningRate       (default 5e-4)        learning rate
   --maxepoch              (default 300)         maximum number
   --plot                                        plot the error
   --save                  (default /media/)     where to save
 ]])
   return opt
end
local opt = opts.parse(arg)
print(opt.learningRate * 2, opt.maxepoch + 1, opt.plot, opt.save .. 'x')
if opt.plot then print('plot') end
""",
    "containers that nobody puts anything into": """
require 'nn'
local function build(n)
   local net = nn.Sequential()
   local wide, deep = nn.Concat(2), nn.DepthConcat(2)
   local apart = nn.Parallel(1, 2)
   net:add(nn.Linear(n, 2)):add(nn.Tanh())
   return net
end
torch.manualSeed(1)
print(build(3):forward(torch.ones(2, 3)):sum())
""",
    "a text that is given what gsub makes of it": """
local function normalise(text)
   text = text:lower()
   text = text:gsub('([%.,;:!%?&]+)', function(p) return p:sub(1, 1) == '!' and ' ! ' or ' ' end)
   text = text:gsub('(%d)(%a?)', function(d, l) return l:upper() .. d end)
   return text
end
print(normalise('A!b,c 3x 4'))
""",
    "gradients that a function for optim gives to the program": """
require 'nn'
require 'optim'
torch.manualSeed(1)
local net = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 1))
local criterion = nn.MSECriterion()
local x, y = torch.randn(5, 3), torch.randn(5, 1)
local params, grads = net:getParameters()
local feval = function(w)
   grads:zero()
   local out = net:forward(x)
   local loss = criterion:forward(out, y)
   net:backward(x, criterion:backward(out, y))
   return loss, grads
end
local loss, g = feval(params)
g = g:clone()
local worst = 0
for _, i in ipairs{1, 5, params:size(1)} do
   local kept = params[i]
   params[i] = kept + 1e-5
   local up = feval(params)
   params[i] = kept - 1e-5
   local down = feval(params)
   params[i] = kept
   worst = math.max(worst, math.abs((up - down) / 2e-5 - g[i]))
end
print(worst < 1e-6, loss)
local state = {learningRate = 0.1}
for i = 1, 3 do
   local _, fs = optim.sgd(feval, params, state)
   print(fs[1])
end
""",
    "texts and numbers joined, and items taken out of a table with names": """
local header, rows, ids = nil, {}, {a = 1, b = 2}
for line in ('x,y\\n1,a\\n2.5,b\\n'):gmatch('[^\\n]+') do
   local cols = line:split(',')
   if not header then header = cols else
      cols[#cols] = ids[cols[#cols]]
      rows[#rows + 1] = cols
   end
end
print(table.concat(header, ' '), table.concat(rows[2], ';'))
local function Memory(most)
   local memory = {}
   function memory.remember(x)
      table.insert(memory, x)
      if #memory > most then table.remove(memory, 1) end
   end
   function memory.last() return memory[#memory] end
   return memory
end
local memory = Memory(3)
for i = 1, 5 do memory.remember({value = i}) end
print(#memory, memory[1].value, memory.last().value)
table.remove(memory)
print(#memory, table.remove(memory, 2).value, #memory)
""",
    "an error where a value is wanted": """
local ids = {a = 1, b = 2}
local function id(w, other) return ids[w] or (other and ids[other]) or error('unknown ' .. w) end
print(id('a'), id('x', 'b'))
print(pcall(function() return id('x') end) == false)
local makers = {double = function(x) return 2 * x end}
local name = 'double'
local f = makers[name] and makers[name](4) or error('no maker ' .. name)
print(f)
""",
    "parts of a tensor that are given as many elements of another shape": """
local f = torch.Tensor(4, 3)
local x = torch.range(1, 8):view(4, 2)
for i = 1, 3 do f:select(2, i):copy((x * i):sum(2)) end
print(f:sum(), f[2][3], f[4][1])
local t = {data = torch.range(1, 12):view(3, 4)}
local mean = t.data:mean(1)
for i = 1, 3 do t.data[i]:add(-mean) end
print(t.data[1][1], t.data[3][4])
t.data[2]:add(t.data:narrow(1, 1, 1)):mul(2):cmul(mean)
print(t.data[2][1], t.data:sum())
local y = torch.Tensor()
y:resize(4, 3)
for k = 1, 3 do y:select(2, k):copy(torch.cmul(x, x):sum(2)) end
print(y[3][1])
""",
    "examples that a metatable computes": """
local set = {data = torch.range(1, 6):view(3, 2), labels = torch.Tensor{3, 2, 1}}
function set:size() return self.data:size(1) end
local wrapped = setmetatable(set, {__index = function(self, i) return {self.data[i], self.labels[i]} end})
for i = 1, set:size() do
  local e = wrapped[i]
  print(e[1][1], e[2])
end
local function make(n)
  local s = {n = n}
  return setmetatable(s, {__index = function(t, k) return k * t.n end})
end
local m = make(3)
print(m[4], m[2], m.n)
local function item(t, i) return {t.x[i], i} end
local d = {x = torch.Tensor{5, 6}}
setmetatable(d, {__index = item})
print(d[2][1], d[1][2])
local P = setmetatable({}, {__index = function(t, k) return k end})
print(P.x, P[2])
""",
    "losses of a loop go back behind it": """
require 'nn'
local net, T = nn.Linear(3, 2), 3
local nets, criterions = {}, {}
for t = 1, T do
   nets[t], criterions[t] = net:clone('weight', 'bias', 'gradWeight', 'gradBias'), nn.MSECriterion()
end
local x, y = torch.randn(T, 4, 3), torch.randn(T, 4, 2)
for i = 1, 2 do
   net:zeroGradParameters()
   local outputs, total = {}, 0
   for t = 1, T do
      outputs[t] = nets[t]:forward(x[t])
      total = total + criterions[t]:forward(outputs[t], y[t]) / T
   end
   for t = T, 1, -1 do nets[t]:backward(x[t], criterions[t]:backward(outputs[t], y[t]):div(T)) end
   net:updateParameters(0.1)
   print(total)
end
""",
    "losses of a loop that nobody takes": """
require 'nn'
local net, criterion, T = nn.Linear(3, 2), nn.MSECriterion(), 3
local nets, criterions = {}, {}
for t = 1, T do
   nets[t] = net:clone('weight', 'bias', 'gradWeight', 'gradBias')
   criterions[t] = nn.MSECriterion()
end
local x, y = torch.randn(T, 4, 3), torch.randn(T, 4, 2)
local outputs = {}
for t = 1, T do
   outputs[t] = nets[t]:forward(x[t])
   criterions[t]:forward(outputs[t], y[t])
end
for t = T, 1, -1 do nets[t]:backward(x[t], criterions[t]:backward(outputs[t], y[t])) end
net:updateParameters(0.1)
print(net.weight:sum())
""",
    "a mask out of a table": """
local x, batch = torch.range(1, 4), {ends = torch.ByteTensor{0, 1, 0, 1}}
x[batch.ends] = 0
print(x, x[batch.ends]:sum())
""",
    "the state of the generators": """
require 'nn'
local state = torch.getRNGState()
local a, b = torch.rand(2), torch.uniform()
torch.setRNGState(state)
print((torch.rand(2) - a):sum(), torch.uniform() - b)
""",
    "sizes from a text": """
require 'nn'
local last, net = 4, nn.Sequential()
for size in ('8,3'):gmatch('%d+') do
   size = tonumber(size)
   net:add(nn.Linear(last, size))
   last = size
end
print(net:forward(torch.ones(2, 4)):sum())
""",
    "a type of numbers that an option names": """
local cmd = torch.CmdLine()
cmd:option('-type', 'float', 'double or float')
local opt = cmd:parse(arg)
torch.setdefaulttensortype(opt.type == 'float' and 'torch.FloatTensor' or 'torch.DoubleTensor')
print(torch.Tensor{0.1}:sum())
""",
    "fields of a confusion matrix": """
require 'optim'
local confusion = optim.ConfusionMatrix(3)
for i, guess in ipairs{1, 2, 2, 1} do confusion:add(guess, i % 2 + 1) end
confusion:updateValids()
print(confusion.totalValid, confusion.averageValid, confusion.averageUnionValid)
print(confusion.unionvalids:narrow(1, 1, 2):sum())
""",
    "a spatial transformer": """
require 'nn'
require 'stn'
local net = nn.Sequential()
local ct = nn.ConcatTable()
ct:add(nn.Sequential():add(nn.Transpose({3, 4}, {2, 4})))
local branch2 = nn.Sequential():add(nn.View(-1, 32)):add(nn.Linear(32, 4))
branch2:add(nn.AffineTransformMatrixGenerator(true, true, true)):add(nn.AffineGridGeneratorBHWD(3, 5))
ct:add(branch2)
net:add(ct):add(nn.BilinearSamplerBHWD()):add(nn.Transpose({2, 4}, {3, 4}))
local x = torch.rand(2, 2, 4, 4)
local y = net:forward(x)
print(y:size(), y:sum())
net:zeroGradParameters()
local g = net:backward(x, torch.ones(y:size()))
print(g:sum(), branch2:get(2).gradBias)
local gen = nn.Sequential():add(nn.AffineTransformMatrixGenerator()):add(nn.AffineGridGeneratorBHWD(2, 3))
print(gen:forward(torch.rand(6)):sum(), gen:forward(torch.rand(2, 6)):size(4))
""",
    "memory that a network needs less of": """
require 'nn'
local optnet = require 'optnet'
local net = nn.Sequential():add(nn.Linear(3, 4)):add(nn.BatchNormalization(4)):add(nn.ReLU(true))
net:add(nn.Copy(nil, nil, true)):add(nn.Dropout(0.5)):add(nn.Linear(4, 2))
local x = torch.rand(5, 3)
optnet.optimizeMemory(net, x, {inplace = false, mode = 'training'})
local crit = nn.MSECriterion()
local w, dw = net:getParameters()
for i = 1, 3 do
   dw:zero()
   local y = net:forward(x)
   print(crit:forward(y, torch.ones(5, 2)))
   net:backward(x, crit:backward(y, torch.ones(5, 2)))
   w:add(-0.1, dw)
end
net:evaluate()
local other = nn.Sequential():add(nn.Linear(3, 2)):add(nn.Dropout(0.5))
optnet.optimizeMemory(other, x)
print(other:forward(x):sum(), torch.uniform())
print(torch.getnumthreads() > 0)
local a, b = cutorch and 1 or 2, 3
print(a, b)
""",
    "places in files": """
local name = os.tmpname()
local f = io.open(name, 'w')
f:write('one two\\nthree four\\nfive\\n')
f:close()
local file = io.open(name, 'r')
local count = 0
while true do
   local line = file:read()
   if line == nil then break end
   count = count + 1
end
file:seek('set')
print(count, file:read(), file:seek())
local at = file:seek()
print(file:read())
file:seek('set', at)
print(file:read('*l'), file:seek('end'))
file:seek('set', 4)
print(file:read('*a'))
while file:seek() < file:seek('end') do print('never') end
file:close()
""",
    "globals that nothing sets": """
if itorch then print('in a notebook') end
local size = nothing and 3 or 4
print(size, nobody == nil)
local rate = rate or 7
if verbose then print('talks') else print(rate) end
local function scaled(x, mean) return x * (mean or 2) end
print(scaled(3, mean), whoever)
""",
    "short names of Lua's functions": """
local unpack = table.unpack or unpack
local insert, concat = table.insert, table.concat
local list = {}
insert(list, 'a') insert(list, 'b')
local first, second = unpack(list)
print(concat(list, ','), first, second)
""",
    "a function that writes": """
function printf(pattern, ...) return io.write(string.format(pattern, ...)) end
printf('%d of %s\\n', 3, 'x')
""",
    "fields that some objects are given": """
local node_ = torch.class('Node')
function node_:__init(name) self.name = name end
local a, b = Node('a'), Node('b')
a.word = 'x'
for _, node in ipairs{a, b} do
   if node.word then print(node.name, node.word) else print(node.name) end
end
""",
    "a method as a function of its table": """
local x = torch.ones(3)
x.mul(x, 2)
print(x.sum(x))
""",
    "the pieces of a text": """
require 'sys'
local text = 'a,b,c'
for _, word in ipairs(sys.split(text, ',')) do print(word) end
print(#sys.split(',' .. text, ','), #sys.split('x,,' .. text .. ',', ','))
""",
    "the pieces of a text by its method": """
for _, text in ipairs{'a,,b,', ',a', '', 'x', ',', 'a.b1c'} do
   print(#text:split(','), table.concat(text:split(','), '|'), table.concat(string.split(text, '%d+'), '|'))
end
""",
    "methods that a program gives to strings": """
function string:trim() return (self:gsub('^%s+', ''):gsub('%s+$', '')) end
function string:split(mark, most)
   local fields = {}
   for part in self:gmatch('[^,]+') do fields[#fields + 1] = part end
   return fields
end
function string.starts(s, with) return s:sub(1, #with) == with end
local line = '  a,b,,c '
print('<' .. line:trim() .. '>', #line:split(','), line:split(",")[2], line:starts(' '), string.starts(line, 'x'))
print(torch.range(1, 4):split(2)[2]:sum())
""",
    "tables that loops fill from 0 on": """
local s = {}
for t = 0, 2 do s[t] = {} end
for t = 1, 2 do
   s[t] = {t}
   print(#s[t - 1], s[t][1])
end
""",
    "vectors side by side": """
local a, b = torch.Tensor{1, 2}, torch.Tensor{3, 4}
print(torch.cat(a, b, 2), torch.cat({a, b}, 2), torch.cat({torch.ones(2, 1), torch.zeros(2, 2)}, 2))
""",
    "first weights of a convolution over frames": """
require 'nn'
torch.manualSeed(5)
local net = nn.Sequential():add(nn.TemporalConvolution(3, 4, 2)):add(nn.Tanh()):add(nn.TemporalConvolution(4, 2, 3, 2))
for _, m in ipairs(net.modules) do
   if m.weight then
      m.weight:normal(0, 0.5)
      m.bias:fill(0.1)
   end
end
print(net:forward(torch.randn(8, 3)):sum(), net:forward(torch.randn(2, 8, 3)):sum())
""",
    "noise that a layer draws": """
require 'dpnn'
torch.manualSeed(2)
local net = nn.Sequential():add(nn.Linear(3, 4)):add(nn.WhiteNoise(0.1, 0.3))
print(net:forward(torch.randn(2, 3)):sum())
print(net:forward(torch.randn(2, 3)):sum())
net:evaluate()
print(net:forward(torch.ones(2, 3)):sum())
""",
    "layers of the sizes in a table with functions": """
require 'nn'
torch.manualSeed(4)
local Model = {width = 3}
function Model:make(x)
   self.net = nn.Sequential()
   self.net:add(nn.Linear(x:size(2), self.width))
   self.net:add(nn.MulConstant(self.width))
   self.net:add(nn.View(-1, self.width, 1))
end
Model:make(torch.ones(2, 2))
print(Model.net:forward(torch.randn(4, 2)):sum(), Model.net:forward(torch.randn(4, 2)):dim())
""",
    "padding on a side that a number tells": """
require 'nn'
local function padded(d) return nn.Sequential():add(nn.Padding(2, -d, 2)):add(nn.Padding(2, d * 2, 2)) end
print(padded(1):forward(torch.ones(2, 3)):size(2), padded(2):forward(torch.ones(2, 3)):sum())
""",
    "the text of a network by its method": """
require 'nn'
torch.manualSeed(6)
net = nn.Sequential():add(nn.Linear(2, 3)):add(nn.Tanh())
print('Net\\n' .. net:__tostring());
print(net:forward(torch.ones(1, 2)):sum(), #net:get(2):__tostring() > 0)
""",
    "texts of tensors by their method, and errors in graphs that are drawn": """
require 'nngraph'
nngraph.setDebug(true)
torch.manualSeed(7)
local x = nn.Identity()()
local model = nn.gModule({x}, {nn.Sigmoid()(nn.Linear(2, 2)(x))})
local function shown(value) print('<' .. value:__tostring() .. '>') end
shown(model)
print(torch.LongStorage{3, 4}:__tostring() == tostring(torch.LongStorage{3, 4}))
print(model:forward(torch.ones(2)):sum())
""",
    "entries that may be nil, of rows of a file": """
local function read(text)
   local rows = {}
   for line in text:gmatch('[^\\n]+') do
      local cells = line:split(',')
      rows[#rows + 1] = {name = cells[1], age = tonumber(cells[2]), tag = cells[3], digit = cells[1]:match('%d+')}
   end
   return rows
end
local total = 0
for _, row in ipairs(read('a,3,x\\nb2,?,y\\nc,1\\n')) do
   if row.age then total = total + row.age end
   if row.age == nil then print(row.name) end
   if not row.tag then print(row.name, 'has no tag') end
   if row.digit then print(row.digit) end
end
print(total)
""",
    "an entry that is given what need not be a number": """
local ages = {}
local function note(name, text) ages[name] = tonumber(text) end
note('Ann', '33')
note('Bob', 'unknown')
for _, name in ipairs{'Ann', 'Bob', 'Cid'} do
   if ages[name] then print(name, ages[name] + 1) else print(name, 'not known') end
   print(ages[name] == nil, ages[name] ~= nil)
end
""",
    "lists that loops over the columns of a file fill": """
local rows = {}
for line in ('id,a,b,name\\n1,2.5,3,x\\n2,4,5,y\\n'):gmatch('[^\\n]+') do
   local cells = line:split(',')
   if cells[1] ~= 'id' then
      local row = {}
      for i = 2, #cells - 1 do row[i - 1] = tonumber(cells[i]) end
      rows[#rows + 1] = row
   end
end
print(torch.Tensor(rows), #rows[1], rows[2][2])
""",
    "lists that loops fill which count from 0 or from 2": """
local squares, grid, gaps = {}, {}, {}
for i = 0, 4 do squares[i + 1] = i * i end
for i = 1, 2 do
   grid[i] = {}
   for j = 2, 3 do grid[i][j - 1] = i * j end
end
for i = 2, 4 do
   if i ~= 3 then gaps[i - 1] = i end
end
print(torch.Tensor(squares):sum(), #squares, squares[5], torch.Tensor(grid))
print(gaps[1], gaps[2], gaps[3])
""",
    "tensors of tables with places left out at first": """
local rows = {}
for i = 1, 3 do
   local row = {}
   for j = 3, 1, -1 do row[j] = i * j end
   rows[i] = row
end
print(torch.Tensor(rows), torch.LongTensor(rows[2]))
""",
    "a weight that is changed by another name": """
require 'nn'
torch.manualSeed(1)
local layer = nn.LookupTable(4, 3)
local w = layer.weight
w:mul(2)
layer.weight:view(2, 6):add(1)
local rows = layer.weight:narrow(1, 1, 2)
rows:select(2, 1):fill(0.5)
rows[2][3] = 7
torch.add(w, w, 1)
print(layer.weight)
layer:zeroGradParameters()
layer:backward(torch.LongTensor{1, 2}, layer:forward(torch.LongTensor{1, 2}):clone():fill(1))
layer:updateParameters(0.1)
print(layer.weight:sum())
""",
    "rows of a weight made as long as 1": """
require 'nn'
torch.manualSeed(3)
torch.class('Words')
function Words:__init(layer) self.layer = layer end
function Words:unit()
   local m = self.layer.weight:double()
   local norm = m:norm(2, 2)
   return m:cdiv(norm:expandAs(m))
end
local words = Words(nn.LookupTable(4, 3))
print(words:unit())
print(words.layer.weight:norm(), words.layer.weight:float():zero():sum())
""",
    "a network that is given a text or several, and is walked over": """
require 'nn'
torch.manualSeed(2)
local net = nn.Sequential()
net:add(nn.TemporalConvolution(5, 4, 3))
net:add(nn.Threshold())
net:add(nn.Reshape(6 * 4))
net:add(nn.Linear(6 * 4, 2))
for _, layer in ipairs(net.modules) do
   if layer.weight then
      layer.weight:normal(0, 0.1)
      layer.bias:zero()
   end
end
print(net:forward(torch.randn(3, 8, 5)))
print(net:forward(torch.randn(8, 5)))
""",
    "frames of one sound or several, layer by layer": """
require 'nn'
torch.manualSeed(4)
local model = nn.Sequential():add(nn.TemporalConvolution(2, 3, 2)):add(nn.Tanh()):add(nn.View(-1):setNumInputDims(2))
model:add(nn.Linear(9, 1))
for i = 1, model:size() do
   local layer = model:get(i)
   if layer.bias then layer.bias:fill(0.25) end
end
local one, two = torch.randn(4, 2), torch.randn(2, 4, 2)
print(model:forward(one):sum(), model:forward(two):sum())
""",
    "numbers halfway between two texts": """
print(string.format('%.3f %.1f %.1f %.0f', 45 / 80, 0.25, 0.75, 2.5))
print(('%.2e|%.2g|%5.1f%%'):format(1.125, 2.25, -0.25))
local n = 0
for i = 1, 64 do n = n + #string.format('%.2f %.1f', i / 64, i / 8) end
print(n)
""",
    "a network to which another one's weights are copied now and then": """
require 'nn'
require 'optim'
torch.manualSeed(3)
local net = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 2))
local params, grads = net:getParameters()
local target = net:clone()
local criterion = nn.MSECriterion()
local x, state = torch.randn(5, 3), {learningRate = 0.1, momentum = 0.5}
for i = 1, 6 do
   local y = target:forward(x):clone():add(1)
   local _, fs = optim.sgd(function()
      grads:zero()
      local loss = criterion:forward(net:forward(x), y)
      net:backward(x, criterion:backward(net.output, y))
      return loss, grads
   end, params, state)
   if i % 2 == 0 then target:getParameters():copy(params) end
   print(fs[1], target:forward(x):sum())
end
""",
    "an average of a network's weights": """
require 'nn'
torch.manualSeed(8)
local model = nn.Sequential():add(nn.Linear(2, 3)):add(nn.Sigmoid()):add(nn.Linear(3, 1))
local mean = model:clone()
local criterion = nn.MSECriterion()
local w, dw = model:getParameters()
local function step(x, y)
   dw:zero()
   local loss = criterion:forward(model:forward(x), y)
   model:backward(x, criterion:backward(model.output, y))
   w:add(-0.1, dw)
   return loss
end
for i = 1, 3 do print(step(torch.ones(4, 2):mul(i), torch.ones(4, 1))) end
local v = mean:getParameters()
print(v:size(1), v:norm() > 0)
mean:getParameters():copy(w)
print(mean:forward(torch.ones(1, 2)):sum(), model:forward(torch.ones(1, 2)):sum())
""",
    "the names of layers' classes as texts": """
require 'nn'
torch.manualSeed(2)
local net = nn.Sequential():add(nn.Linear(2, 2)):add(nn.Tanh()):add(nn.Linear(2, 1))
local places = {}
for i = 1, net:size() do
   if tostring(torch.type(net:get(i))) == 'nn.Linear' then places[#places + 1] = i end
end
print(table.concat(places, ' '), net:forward(torch.ones(1, 2)):sum())
""",
    "the names of a program's classes as texts": """
torch.class('Circle')
torch.class('Square')
function Circle:__init(r) self.r = r end
function Square:__init(a) self.a = a end
local function area(shape)
   if tostring(torch.type(shape)) == 'Circle' then return 3 * shape.r ^ 2 end
   return shape.a ^ 2
end
print(area(Circle(2)), area(Square(3)))
""",
    "a layer that goes through a part of it by chance": """
require 'nn'
require 'optim'
torch.manualSeed(4)
local Skip, parent = torch.class('nn.Skip', 'nn.Container')
function Skip:__init(n)
   parent.__init(self)
   self.open = true
   self.net = nn.Sequential():add(nn.Linear(n, n)):add(nn.Tanh())
   self.modules = {self.net}
end
function Skip:updateOutput(input)
   self.output:resizeAs(input):copy(input)
   if self.open then self.output:add(self.net:forward(input)) end
   return self.output
end
function Skip:updateGradInput(input, gradOutput)
   self.gradInput:resizeAs(gradOutput):copy(gradOutput)
   if self.open then self.gradInput:add(self.net:updateGradInput(input, gradOutput)) end
   return self.gradInput
end
function Skip:accGradParameters(input, gradOutput, scale)
   if self.open then self.net:accGradParameters(input, gradOutput, scale) end
end
local skip = nn.Skip(3)
local model = nn.Sequential():add(nn.Linear(3, 3)):add(skip):add(nn.Linear(3, 1))
local criterion = nn.MSECriterion()
local w, dw = model:getParameters()
local state = {learningRate = 0.1, momentum = 0.9, weightDecay = 0.01}
local x, y = torch.randn(4, 3), torch.randn(4, 1)
for i = 1, 6 do
   skip.open = i % 3 ~= 0
   local _, fs = optim.sgd(function()
      dw:zero()
      local loss = criterion:forward(model:forward(x), y)
      model:backward(x, criterion:backward(model.output, y))
      return loss, dw
   end, w, state)
   print(fs[1])
end
print(w:norm())
""",
    "one of two ways through a layer": """
require 'nn'
require 'optim'
torch.manualSeed(5)
local Either, parent = torch.class('nn.Either', 'nn.Module')
function Either:__init(n)
   parent.__init(self)
   self.first, self.second, self.turn = nn.Linear(n, n), nn.Linear(n, n), 1
end
function Either:parameters()
   local w, g = self.first:parameters()
   local w2, g2 = self.second:parameters()
   for i = 1, #w2 do w[#w + 1], g[#g + 1] = w2[i], g2[i] end
   return w, g
end
function Either:updateOutput(input)
   if self.turn == 1 then self.output = self.first:forward(input) else self.output = self.second:forward(input) end
   return self.output
end
function Either:updateGradInput(input, gradOutput)
   if self.turn == 1 then
      self.gradInput = self.first:updateGradInput(input, gradOutput)
   else
      self.gradInput = self.second:updateGradInput(input, gradOutput)
   end
   return self.gradInput
end
function Either:accGradParameters(input, gradOutput, scale)
   if self.turn == 1 then
      self.first:accGradParameters(input, gradOutput, scale)
   else
      self.second:accGradParameters(input, gradOutput, scale)
   end
end
local either = nn.Either(2)
local model = nn.Sequential():add(either):add(nn.Linear(2, 1))
local criterion = nn.MSECriterion()
local w, dw = model:getParameters()
local state = {learningRate = 0.05}
local x, y = torch.randn(4, 2), torch.randn(4, 1)
for i = 1, 5 do
   either.turn = i % 2 + 1
   local _, fs = optim.adam(function()
      dw:zero()
      local loss = criterion:forward(model:forward(x), y)
      model:backward(x, criterion:backward(model.output, y))
      return loss, dw
   end, w, state)
   print(fs[1])
end
""",
    "a log that is not plotted": """
require 'optim'
local name = os.tmpname()
local logger = optim.Logger(name)
logger:setNames{'loss', 'error'}
logger.showPlot = false
logger:style{'-', '-'}
for i = 1, 2 do
   logger:add{i / 4, i}
   logger:plot()
end
for line in io.lines(name) do print(line) end
os.remove(name)
""",
    "a log without pictures, of an object": """
require 'optim'
local Run = {}
Run.__index = Run
function Run.new(path)
   local self = setmetatable({log = optim.Logger(path)}, Run)
   self.log.showPlot = false
   self.log.epsfile = nil
   return self
end
function Run:note(x) self.log:add{['value'] = x} end
local path = os.tmpname()
local run = Run.new(path)
run:note(0.5)
run:note(2)
for line in io.lines(path) do print(line) end
os.remove(path)
""",
    "names for values that a function does not give": """
local function sample(p) return torch.lt(torch.rand(p:size()), p):typeAs(p) end
local first, second, third = sample(torch.zeros(2))
print(first:sum(), second, third)
second = 5
print(second)
""",
    "variables that later get what a function does not give at first": """
local function half(n) return n / 2 end
local n, m = half(6)
for i = 1, 2 do
   local a, b = half(i)
   if not b then m = (m or 0) + a end
end
print(n, m)
""",
    "losses added up over the calls of a function": """
require 'nn'
torch.manualSeed(2)
local net, criterion = nn.Linear(3, 1), nn.MSECriterion()
local total, count = 0, 0
local function learn(x, y)
   net:zeroGradParameters()
   local out = net:forward(x)
   total = total + criterion:forward(out, y)
   count = count + 1
   net:backward(x, criterion:backward(out, y))
   net:updateParameters(0.1)
end
for i = 1, 4 do learn(torch.randn(2, 3), torch.randn(2, 1)) end
print(total / count)
""",
    "losses added up over the elements of a tensor": """
require 'nn'
torch.manualSeed(3)
local model = nn.Sequential():add(nn.Linear(2, 3)):add(nn.LogSoftMax())
local nll = nn.ClassNLLCriterion()
local data = torch.randn(6, 2)
for epoch = 1, 2 do
   local loss = 0
   torch.randperm(6):apply(function(i)
      model:zeroGradParameters()
      local out = model:forward(data[i])
      loss = loss + nll:forward(out, i % 3 + 1)
      model:backward(data[i], nll:backward(out, i % 3 + 1))
      model:updateParameters(0.2)
   end)
   print(loss / 6)
end
""",
    "distances between entries that a function is told": """
require 'nn'
torch.manualSeed(1)
local function distance(i, j)
   local both = nn.ConcatTable():add(nn.SelectTable(i)):add(nn.SelectTable(j))
   return nn.Sequential():add(both):add(nn.PairwiseDistance(2))
end
local net = nn.Sequential()
net:add(nn.ParallelTable():add(nn.Linear(3, 2)):add(nn.Linear(3, 2)):add(nn.Linear(3, 2)))
net:add(nn.ConcatTable():add(distance(1, 3)):add(distance(1, -2)))
local out = net:forward{torch.randn(4, 3), torch.randn(4, 3), torch.randn(4, 3)}
print(out[1], out[2])
""",
    "entries that a loop counts": """
require 'nn'
local scores = nn.ConcatTable()
for k = 1, 3 do scores:add(nn.SelectTable(k + 1)) end
local all = scores:forward{torch.ones(2), torch.ones(3), torch.ones(4), torch.ones(5)}
print(#all, all[1]:sum(), all[3]:sum())
""",
    "results of a function of several kinds, printed": """
local function judged(text)
   local n = #text / 3
   return n > 1 and 'long' or 'short', n, text:find('x') and 1 or 0
end
print(judged('a film'))
print('result', judged('xyzzy!!'))
""",
    "a truth value, a number and a vector of one call, printed": """
local function flags(n) return n > 1, n * 0.5, torch.ones(2):mul(n) end
for i = 1, 2 do print(flags(i)) end
""",
}
OTHERS = {
    "an output that another function reads": """
require 'nn'
require 'nngraph'
torch.manualSeed(3)
local function made(size)
   local x, c = nn.Identity()(), nn.Identity()()
   return nn.gModule({x, c}, {nn.Sigmoid()(nn.Linear(4, size)(nn.JoinTable(2)({x, c})))})
end
local net, criterion = made(1), nn.BCECriterion()
local x, c, label = torch.rand(3, 2), torch.rand(3, 2), torch.ones(3, 1)
local function one()
   net:zeroGradParameters()
   local output = net:forward{x, c}
   local loss = criterion:forward(output, label)
   net:backward({x, c}, criterion:backward(output, label))
   x:fill(0.5)
   output = net:forward{x, c}
   loss = loss + criterion:forward(output, label)
   net:backward({x, c}, criterion:backward(output, label))
   return loss
end
local function two()
   local output = net.output
   local loss = criterion:forward(output, label)
   return loss, net:updateGradInput({x, c}, criterion:backward(output, label))[1]
end
for i = 1, 2 do
   print(one())
   local loss, gradient = two()
   print(loss, gradient:sum())
   net:updateParameters(0.5)
end
""",
    "errors that are no texts": """
local function risky(n)
   if n == 2 then error({code = n}) elseif n == 3 then error() elseif n == 4 then error('text', 0) end
   return n
end
for i = 1, 4 do
   local ok, e = pcall(risky, i)
   if ok then print('fine', e) elseif type(e) == 'table' then print('code', e.code) else print(ok, e) end
end
""",
    "values of one list behind those of another": """
local tablex = require 'pl.tablex'
local list = {1, 2}
tablex.insertvalues(list, {3, 4})
print(#list, list[4])
""",
    "as many values as there are": """
local function parse(s)
   if s == '' then return nil, 'empty' end
   return tonumber(s)
end
print(parse('3'))
print(parse(''))
local list = {parse('6')}
print(#list, select('#', parse('5')), select('#', parse('')), (select(1, parse('5'))))
local function many(n)
   if n == 0 then return end
   if n == 1 then return 1 end
   return n, many(n - 1)
end
print(many(1)) print(many(4))
print(select('#', many(0)), select(-1, many(3)))
local function both(...) return ... end
print(both(1, nil, 2), select('#', both(nil, nil)))
local a, b = both('x', 'y')
print(a, b, (both()))
""",
    "a method of one object": """
local Item_ = torch.class('Item')
function Item_:__init(kind)
   self.kind, self.open = kind, kind == 'door'
   if kind ~= 'grass' then
      function self:reachable() return self.open end
   end
end
function Item_:reachable() return 'always' end
for _, kind in ipairs{'wall', 'door', 'grass'} do print(kind, Item(kind):reachable()) end
""",
    "an object of a class, or a table that has its methods": """
local Loader_ = torch.class('Loader')
function Loader_:__init(n) self.n = n end
function Loader_:size() return self.n end
local function loader(kind)
   local data
   if kind == 'table' then
      data = {n = 7}
      function data:size() return self.n + 1 end
   else
      data = Loader(4)
      function data:sample(q) return q * self.n, self.n end
   end
   return data
end
print(loader('table'):size(), loader('class'):size(), loader('class'):sample(3))
""",
    "as many values as one of several functions gives": """
local function one(x) if x then return 1, 2 end return 1 end
local function three() return 1, 2, 3 end
local function count(...) return select('#', ...) end
for _, f in ipairs{one, three} do print(count(f())) end
""",
    "pictures in a browser": """
local display = require 'display'
local x = torch.rand(3, 4, 4)
display.image(x, {win = 'a', title = 'x'})
print(display.image(x, {win = 'a'}), display.plot({{1, 2}}, {labels = {'a', 'b'}}))
local ok, socket = pcall(require, 'nosuchpackage')
if ok then print('there') end
if pcall(require, 'optim') then print('optim') end
local disp
if true then
   disp = require 'display'
   disp.url = 'http://localhost:8000/events'
end
disp.image(x, {win = 3})
print('done')
""",
    "tensors of a type that a variable names": """
local names = {a = 'FloatTensor', b = 'LongTensor', c = 'Tensor'}
local sizes = {2, 3}
for _, k in ipairs{'a', 'b', 'c'} do
   local batch = torch[names[k]](4, unpack(sizes)):zero()
   batch[1]:fill(2)
   print(batch:type(), batch:size(1), batch:sum())
end
local s = torch[('torch.FloatTensor'):match('torch.(%a+)'):gsub('Tensor', 'Storage')](3)
print(#s)
""",
    "texts in the memory of tensors": """
local ffi = require 'ffi'
local names = {'cat.png', 'a dog.jpg'}
local paths_ = torch.CharTensor(2, 20):zero()
for i, name in ipairs(names) do ffi.copy(paths_[i]:data(), name) end
local info = {train = {imagePath = paths_, n = 'x'}}
local function get(info, i) return ffi.string(info.imagePath[i]:data()) end
for _, split in pairs(info) do print(get(split, 1), get(split, 2)) end
local text = 'hello world'
local b = torch.ByteTensor(5)
ffi.copy(b:data(), text, b:size(1))
print(b[1], b[5], ffi.string(b:data(), 3))
""",
    "questions about a GPU that the program does not use": """
if arg[1] == 'gpu' then require 'cutorch' end
local function used()
   local free, total = cutorch.getMemoryUsage(cutorch.getDevice())
   return (total - free) / 2 ^ 20
end
local a = arg[1] == 'gpu' and used() or 0
print(a)
if arg[1] == 'gpu' then print(cutorch.getDeviceProperties(cutorch.getDevice()).name) end
local b, c = unpack({1, 2})
print(b, c)
""",
    "jobs that give no value to what takes one": """
local donkeys = {}
function donkeys:addjob(f1, f2) f2(f1()) end
local Loader_ = torch.class('Loader')
function Loader_:__init(n) self.n = n end
function Loader_:size(kind) if kind == nil then return self.n elseif kind == 'x' then return 2 end end
function Loader_:sample(k) return k, k + 1 end
local loader = Loader(7)
local n, a, b
donkeys:addjob(function() return loader:size() end, function(c) n = c end)
donkeys:addjob(function() local x, y = loader:sample(3) return x, y end, function(x, y) a, b = x, y end)
donkeys:addjob(function() return loader:size('z') end, function(c) print(c) end)
print(n, a, b)
""",
    "jobs of a pool that is none": """
local data = {}
local result = {}
local unpack = unpack and unpack or table.unpack
local donkeys = {}
do
   function donkeys:addjob(f1, f2) f2(f1()) end
   function donkeys:dojob() end
   function donkeys:synchronize() end
end
local function sample(n) return torch.ones(n), torch.range(1, n) end
local size = 0
donkeys:addjob(function() return 12 end, function(c) size = c end)
donkeys:addjob(function() return sample(3) end, function(...) result = {...} end)
function data.getBatch()
   local res
   repeat
      donkeys:dojob()
      res = result
      result = nil
      donkeys:addjob(function() return sample(4) end, function(...) result = {...} end)
   until res ~= nil
   return unpack(res)
end
local a, b = data.getBatch()
print(size, a:size(1), b:sum())
local img = data.getBatch()
print(img:size(1))
""",
    "all that a table holds": """
local function split(x)
  local ret = {}
  for i = 1, x:size(1) do table.insert(ret, x[i]) end
  return unpack(ret)
end
local a, b, c = split(torch.range(1, 3))
print(a, b, c)
local data = {torch.ones(2), 5}
data = unpack(data)
print(data:sum())
local stack = {{1, 2}, {3, 4}}
local function pop() return unpack(table.remove(stack)) end
local p, q = pop()
print(p, q)
""",
    "tables with names and places": """
local classes = {}
for name in string.gmatch('b,a,c', '%a') do classes[#classes + 1] = name end
local byname = {}
for i, v in ipairs(classes) do byname[v] = i end
for k, v in pairs(byname) do table.insert(byname, v) end
print(#byname)
local function add(t, x) table.insert(t, x) return t end
local d = {n = 3}
add(d, 'z')
add(d, 'y')
table.sort(d)
print(d[1], d[2], #d, table.remove(d, 1), d.n, d[1])
local classPaths = {}
classPaths.x = 1
local function find(t, v) for i = 1, #t do if t[i] == v then return i end end return nil end
local function put(c)
   local idx = find(classPaths, c)
   if not idx then table.insert(classPaths, c) idx = #classPaths end
   return idx
end
print(put('q'), put('r'), put('q'))
""",
    "a table with a metatable in the constructor of a class": """
local Engine = {}
Engine.__index = Engine
function Engine.new()
   local hooks = {}
   local self = {hooks = setmetatable(hooks, {__call = function(t, name, state)
      if t[name] then t[name](state) end
   end})}
   return setmetatable(self, Engine)
end
function Engine:run(state)
   self.hooks('onStart', state)
   print(state.n)
end
local engine = Engine.new()
engine.hooks.onStart = function(state) state.n = state.n + 1 end
engine:run{n = 3}
""",
    "the pieces of a text between patterns that are not written out": """
local marks = {',', '%s+', ';'}
for i = 1, 3 do print(#(' a,b c'):split(marks[i])) end
""",
    "whatever ... holds, written": """
local function say(...) return io.write(...) end
say('a', 1, nil, '\\n')
""",
    "topk in the original's order": """
print(torch.topk(torch.Tensor{3, 1, 2, 2, 5, 1}, 3))
""",
    "a line search of optim's": """
require 'optim'
local function rosenbrock(x)
   local r, d = x[2] - x[1] ^ 2, 1 - x[1]
   return 100 * r ^ 2 + d ^ 2, torch.Tensor{-400 * x[1] * r - 2 * d, 200 * r}
end
local x = torch.Tensor{-1.2, 1}
local _, values = optim.lbfgs(rosenbrock, x, {maxIter = 6, lineSearch = optim.lswolfe})
print(x, #values, values[#values])
""",
    "criterions of one kind, each with a call of its own": """
require 'nn'
local net, T = nn.Linear(2, 1), 2
local criterions, inputs = {}, {}
for t = 1, T do criterions[t], inputs[t] = nn.BCECriterion(), torch.rand(3, 1) end
local targets = {torch.zeros(3, 1), torch.ones(3, 1)}
for t = 1, T do print(criterions[t]:forward(inputs[t], targets[t])) end
local gradients = {}
for t = 1, T do gradients[t] = criterions[t]:backward(inputs[t], targets[t]) end
net:forward(torch.ones(3, 2))
for t = 1, T do net:backward(torch.ones(3, 2), gradients[t]) end
print(net.gradBias[1], net.gradWeight[1][2])
""",
    "fields of a convolution without bias": """
require 'nn'
local net = nn.Sequential():add(nn.SpatialConvolution(1, 2, 3, 3):noBias()):add(nn.SpatialBatchNormalization(2))
local x = torch.rand(2, 1, 5, 5)
net:forward(x)
net:evaluate()
local before, conv, norm = net:forward(x):clone(), net:get(1), net:get(2)
local scale = torch.cmul(norm.weight, torch.pow(norm.running_var + norm.eps, -0.5))
conv.bias, conv.gradBias = torch.zeros(2), torch.zeros(2)
for k = 1, conv.nOutputPlane do
   conv.weight[k]:mul(scale[k])
   conv.bias[k] = norm.bias[k] - norm.running_mean[k] * scale[k]
end
net:remove(2)
conv.note = 1
print(net:size(), (net:forward(x) - before):abs():max() < 1e-9)
""",
    "the type of an object in its own class": """
require 'nn'
local Scale, parent = torch.class('nn.Scale', 'nn.Module')
function Scale:__init(by) parent.__init(self) self.by = by end
function Scale:updateOutput(x) self.output = x * self.by return self.output end
function Scale:__tostring__() return torch.type(self) .. '(' .. self.by .. ')' end
local net = nn.Sequential():add(nn.Scale(2))
for _, m in ipairs(net:listModules()) do
   if m.by then m.note = 'seen' print(tostring(m), m.note) end
end
""",
}
# Where a page with what was thought to be proved is not the same, the next one is.
SEEN_LATER = {
    "tensors of two ranks in one table": """
require 'nn'
local Pick, parent = torch.class('nn.Pick', 'nn.Module')
function Pick:updateOutput(input)
   local rows, places = input[1], input[2]
   self.output = 0
   for b = 1, rows:size(1) do self.output = self.output + torch.dot(rows[b], rows[places[b]]) end
   return self.output
end
print(nn.Pick():forward{torch.rand(3, 2), torch.LongTensor{1, 3, 2}})
""",
    "equal elements in the original's order": """
local values, places = torch.sort(torch.Tensor{2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 3})
print(table.concat(places:totable(), ' '))
""",
}
# What looks alike and is something else: the code that says so.
REFUSED = {
    "a place in a file from where it is": ("T7-203", "local f = io.open('a') print(f:seek('cur', 3))\n"),
    "outputs that are read where layers may share their memory": (
        "T7-201",
        """
require 'nn'
local optnet = require 'optnet'
local net, x = nn.Sequential():add(nn.Linear(2, 3)):add(nn.ReLU()), torch.ones(1, 2)
optnet.optimizeMemory(net, x)
net:forward(x)
print(net:get(1).output)
""",
    ),
    "a global whose name is computed": ("T7-201", "_G['ra' .. 'te'] = 3\nprint(rate or 2)\n"),
    "a global that is an error where nothing sets it": ("T7-201", "require 'pl.strict'\nprint(rate)\n"),
}


def _verified(source: str, tmp_path):
    program = tmp_path / "program.lua"
    program.write_text(f"torch.manualSeed(1){source}")
    page = translate_script(program.read_bytes(), str(program))
    assert [str(problem) for problem in page.problems] == []
    verify_script(page, program)
    return page


@pytest.mark.parametrize("name", IDIOMATIC)
def test_idiomatic(name: str, tmp_path) -> None:
    assert not _verified(IDIOMATIC[name], tmp_path).plain_calls


@pytest.mark.parametrize("name", OTHERS)
def test_in_plain_calls(name: str, tmp_path) -> None:
    assert _verified(OTHERS[name], tmp_path).plain_calls


@pytest.mark.parametrize("name", SEEN_LATER)
def test_seen_when_the_page_runs(name: str, tmp_path) -> None:
    program = tmp_path / "program.lua"
    program.write_text(SEEN_LATER[name])
    report = torch7py.to_pytorch(program).report
    assert report.verified is not None
    assert report.verified.equal


@pytest.mark.usefixtures("without_objects")
@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    code, source = REFUSED[name]
    assert code in {problem.code for problem in translate_script(source.encode(), "program.lua").problems}


@pytest.mark.slow
def test_what_packages_set_is_not_taken_for_unset() -> None:
    """The globals that are there after each package has been loaded, beside those that are there before."""
    wrong: dict[str, list[str]] = {}
    for package in packages:
        with torch7py.Runtime(cuda_as="cpu") as runtime:
            text = runtime.execute(f"""
                local before, new = {{}}, {{}}
                for name in pairs(_G) do before[name] = true end
                pcall(require, '{package}')
                for name in pairs(_G) do if not before[name] then new[#new + 1] = tostring(name) end end
                return table.concat(new, ' ')
            """)
        program = parse(f"require '{package}'".encode(), "program.lua")
        unset = [name for name in str(text).split() if name not in GPU_PACKAGES and is_unset(program, name)]
        wrong |= {package: unset} if unset else {}
    assert wrong == {}


def test_the_machine_where_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the runtime tells it where the CPU stands in."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with torch7py.Runtime(cuda_as="cpu") as runtime:
        total, name, cores = runtime.execute("""
            require 'cutorch'
            local free, total = cutorch.getMemoryUsage(1)
            local about = cutorch.getDeviceProperties(1)
            return total, about.name, about.multiProcessorCount
        """)
    about = gpus.device_properties(1)
    assert (gpus.memory_usage(1)[1], about["name"], about["multiProcessorCount"]) == (total, name, cores)
    assert gpus.with_device(1, lambda: (3, 4)) == (3, 4)


@pytest.mark.parametrize("count", [1, 3, 12, 40])
def test_the_order_of_equal_elements(count: int) -> None:
    x = torch.randint(0, 4, (5, count), generator=torch.Generator().manual_seed(count)).double()
    for descending in (False, True):
        assert (tensors._sort(x, None, descending)[1] - 1).equal(row_sort.sort(x, descending))
        assert (tensors._sort(x.t(), 1, descending)[1] - 1).equal(row_sort.sort(x, descending).t())
        for k, ordered in ((1, False), (1, True), (count, False), (count, True)):
            places = tensors._topk(x, k, 2, descending, ordered)[1]
            assert (places - 1).equal(row_sort.top(x, k, descending, ordered))
