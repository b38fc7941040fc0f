-- fields that a program gives modules, flat weights, a copy, and a method put in another's place
require 'nn'
torch.manualSeed(3)
local net = nn.Sequential()
net:add(nn.Linear(4, 5))
net:add(nn.Tanh())
net:add(nn.ConcatTable():add(nn.Linear(5, 2)):add(nn.Linear(5, 2)))
net:add(nn.CAddTable())
net.label = 'mine'
for i, m in ipairs(net.modules) do
   m.place = i
   print(i, torch.type(m), m.weight and m.weight:size(1), m.place)
end
local crit = nn.MSECriterion()
local x, y = torch.randn(6, 4), torch.randn(6, 2)
local w, g = net:getParameters()
print(w:nElement())
for i = 1, 4 do
   net:zeroGradParameters()
   local out = net:forward(x)
   local loss = crit:forward(out, y)
   net:backward(x, crit:backward(out, y))
   w:add(-0.1, g)
   print(i, loss, net.output:sum() == out:sum(), net:get(1).gradWeight:norm())
end
net:apply(function(m) if m.bias then m.bias:zero() end end)
print(net:forward(x):sum(), net.label, net.other)
local copy = net:clone()
copy:get(1).weight:fill(0)
print(net:get(1).weight:norm(), copy:get(1).weight:norm(), #net:findModules('nn.Linear'))
local lin = net:get(1)
lin.accGradParameters = function(self, input, gradOutput) end
net:zeroGradParameters()
net:backward(x, y)
print(lin.gradWeight:norm(), g:norm())
---
-- weights of one module in another, by the names of fields, and taken one by one
require 'nn'
torch.manualSeed(5)
local function built() return nn.Sequential():add(nn.Linear(3, 3)):add(nn.Sigmoid()):add(nn.Linear(3, 2)) end
local a, b = built(), built()
b:share(a, 'weight', 'bias')
local c = a:clone('weight', 'bias', 'gradWeight', 'gradBias')
local x, y = torch.randn(4, 3), torch.randn(4, 2)
local crit = nn.MSECriterion()
crit.sizeAverage = false
for i = 1, 3 do
   a:zeroGradParameters()
   b:zeroGradParameters()
   local e = crit:forward(a:forward(x), y)
   a:backward(x, crit:backward(a.output, y))
   c:forward(x * 2)
   c:backward(x * 2, crit:backward(c.output, y))
   b:forward(x)
   b:backward(x, y)
   local ws, gs = a:parameters()
   for k = 1, #ws do ws[k]:add(-0.01, gs[k]) end
   print(e, gs[1]:norm(), b:get(1).gradWeight:norm(), b:get(3).weight:sum() == a:get(3).weight:sum())
end
a:get(1).gradWeight = nil
a:get(1):reset(0.5)
print(a:get(1).gradWeight, torch.isTypeOf(a:get(1), 'nn.Linear'), torch.typename(a:get(2)), torch.typename(3))
local n = 0
for _, m in ipairs(a:listModules()) do
   if m.__typename == 'nn.Linear' then n = n + m.weight:nElement() end
end
a:replace(function(m) return torch.type(m) == 'nn.Sigmoid' and nn.Tanh() or m end)
print(n, #a, a:get(2).__typename, a:size())
a:remove(2)
a:insert(nn.ReLU(), 2)
print(a:get(2).__typename, a.train, b:evaluate() == b)
---
-- containers and criterions of several entries
require 'nn'
torch.manualSeed(6)
local net = nn.Sequential()
   :add(nn.ParallelTable():add(nn.Linear(3, 4)):add(nn.View(4)))
   :add(nn.JoinTable(2))
   :add(nn.Reshape(2, 4, true))
   :add(nn.Parallel(2, 2):add(nn.Linear(4, 2)):add(nn.Linear(4, 3)))
   :add(nn.ConcatTable():add(nn.Identity()):add(nn.Concat(2):add(nn.Linear(5, 1)):add(nn.Linear(5, 2))))
local crit = nn.ParallelCriterion():add(nn.MSECriterion(), 0.5):add(nn.AbsCriterion())
local both = nn.MultiCriterion():add(nn.MSECriterion()):add(nn.SmoothL1Criterion(), 0.3)
local x = {torch.randn(6, 3), torch.randn(6, 2, 2)}
local y = {torch.randn(6, 5), torch.randn(6, 3)}
net.seen = 0
net.modules[1].behind = torch.type(net.modules[2])
print(net.modules[1].behind)
for i = 1, 3 do
   local out = net:forward(x)
   local e = crit:forward(out, y) + both:forward(out[1], y[1])
   local g = crit:backward(out, y)
   g[1]:add(both:backward(out[1], y[1]))
   net:zeroGradParameters()
   local gi = net:backward(x, g)
   net:updateParameters(0.1)
   net.seen = net.seen + out[1]:size(1)
   print(e, gi[1]:norm(), net.modules[2].gradInput[2]:norm(), net.seen)
end
---
-- graphs whose nodes are looked at, with weights in common
require 'nngraph'
torch.manualSeed(7)
local function cell()
   local x, h = nn.Identity()(), nn.Identity()()
   local i2h = nn.Linear(3, 4)(x):annotate{name = 'i2h'}
   local h2h = nn.Linear(4, 4)(h):annotate{name = 'h2h'}
   local next_h = nn.Tanh()(nn.CAddTable()({i2h, h2h}))
   return nn.gModule({x, h}, {next_h, nn.Sum(2)(next_h)})
end
local net, other = cell(), cell()
for _, node in ipairs(net.forwardnodes) do
   if node.data.annotations.name == 'i2h' then node.data.module.bias:fill(2) end
end
local w, g = net:getParameters()
other:getParameters():copy(w)
other.tag = 'other'
local x, h = torch.randn(2, 3), torch.zeros(2, 4)
for i = 1, 3 do
   g:zero()
   local out = net:forward({x, h})
   local back = net:backward({x, h}, {out[1], torch.ones(2)})
   w:add(-0.05, g)
   print(out[1]:sum(), out[2]:sum(), back[1]:norm(), back[2]:norm(), other:forward({x, h})[1]:sum(), other.tag)
end
---
-- layers of the program's own, whose methods and modes are called by the program
require 'nn'
torch.manualSeed(8)
local Gate, parent = torch.class('nn.Gate', 'nn.Container')
function Gate:__init(n)
   parent.__init(self)
   self.gate = nn.Sequential():add(nn.Linear(n, n)):add(nn.Sigmoid())
   self.value = nn.Linear(n, n)
   self:add(self.gate):add(self.value)
   self.calls = 0
end
function Gate:updateOutput(input)
   self.calls = self.calls + (self.train and 10 or 1)
   self.output = torch.cmul(self.gate:forward(input), self.value:forward(input))
   return self.output
end
function Gate:updateGradInput(input, gradOutput)
   local first = self.gate:updateGradInput(input, torch.cmul(gradOutput, self.value.output))
   self.gradInput = first + self.value:updateGradInput(input, torch.cmul(gradOutput, self.gate.output))
   return self.gradInput
end
function Gate:accGradParameters(input, gradOutput, scale)
   self.gate:accGradParameters(input, torch.cmul(gradOutput, self.value.output), scale)
   self.value:accGradParameters(input, torch.cmul(gradOutput, self.gate.output), scale)
end
local Steps, above = torch.class('nn.Steps', 'nn.Gate')
function Steps:forward(input, times)
   for i = 1, times or 1 do input = self:updateOutput(input) end
   return input
end
function Steps:parameters()
   local ws, gs = above.parameters(self)
   return {ws[1], ws[2]}, {gs[1], gs[2]}
end
local a, b = nn.Gate(3), nn.Steps(3)
local net = nn.Sequential():add(a):add(nn.Linear(3, 1))
local x, y, crit = torch.randn(5, 3), torch.randn(5, 1), nn.MSECriterion()
net:training()
for i = 1, 3 do
   local e = crit:forward(net:forward(x), y)
   net:zeroGradParameters()
   net:backward(x, crit:backward(net.output, y))
   net:updateParameters(0.2)
   print(e, a.calls, a.gradInput:norm())
end
net:evaluate()
net:forward(x)
a.mark = torch.type(a)
print(a.calls, a.mark, #b:parameters(), b:forward(x, 3):sum(), b.train, torch.isTypeOf(b, 'nn.Gate'))
---
-- a constant, whose gradient of its input is nothing
require 'nn'
torch.manualSeed(9)
local net = nn.Sequential()
   :add(nn.ConcatTable():add(nn.Linear(2, 3)):add(nn.Constant(torch.ones(3), 1)))
   :add(nn.CAddTable())
local x = torch.randn(4, 2)
for i = 1, 3 do
   local y = net:forward(x)
   net:zeroGradParameters()
   net:backward(x, y)
   net:updateParameters(0.1)
   print(y:sum(), net.modules[1].modules[2].gradInput:norm(), net.modules[1].gradInput:norm())
end
---
-- copies for each step, made by way of a file in memory, with weights in common
require 'nn'
torch.manualSeed(9)
local function clone_many_times(net, T)
   local clones = {}
   local params, gradParams
   if net.parameters then params, gradParams = net:parameters() end
   if net.parametersNoGrad then error('no network has such a method') end
   local mem = torch.MemoryFile("w"):binary()
   mem:writeObject(net)
   for t = 1, T do
      local reader = torch.MemoryFile(mem:storage(), "r"):binary()
      local clone = reader:readObject()
      clone.step = t
      reader:close()
      local cloneParams, cloneGradParams = clone:parameters()
      for i = 1, net.parameters and #params or 0 do
         cloneParams[i]:set(params[i])
         cloneGradParams[i]:set(gradParams[i])
      end
      clones[t] = clone
   end
   mem:close()
   return clones
end
local proto = nn.Sequential():add(nn.JoinTable(2)):add(nn.Linear(5, 3)):add(nn.Tanh())
local w, g = proto:getParameters()
local steps = clone_many_times(proto, 3)
local xs, y, crit = torch.randn(3, 4, 2), torch.randn(4, 3), nn.MSECriterion()
for i = 1, 3 do
   g:zero()
   local h = {[0] = torch.zeros(4, 3)}
   for t = 1, 3 do h[t] = steps[t]:forward({xs[t], h[t - 1]}) end
   local e = crit:forward(h[3], y)
   local back = crit:backward(h[3], y)
   for t = 3, 1, -1 do back = steps[t]:backward({xs[t], h[t - 1]}, back)[2] end
   w:add(-0.2, g)
   print(e, g:norm(), steps[2]:get(2).weight:sum() == proto:get(2).weight:sum(), steps[3].step)
end
---
-- layers that write over their input where an option says so, and gradients that are not added
require 'nn'
torch.manualSeed(10)
local over = #arg == 0
local net = nn.Sequential():add(nn.Linear(3, 4)):add(nn.ReLU(over)):add(nn.Linear(4, 2))
net:get(2).over = over
local x, y = torch.randn(5, 3), torch.randn(5, 2)
local crit = nn.MSECriterion()
local out = net:forward(x)
local e = crit:forward(out, y)
net:zeroGradParameters()
net:backward(x, crit:backward(out, y), 0)
print(e, net:get(1).output:min(), net:get(1).gradWeight:norm(), net:get(2).over)
net:backward(x, crit:backward(out, y), 0.5)
print(net:get(1).gradWeight:norm(), #net:listModules())
print(nn.Sequential():getParameters():nElement())
---
-- classes that modules are asked for, those that others derive from among them
require 'nn'
local function describe(m)
  if torch.isTypeOf(m, 'nn.Sequential') then return 'seq' end
  if torch.isTypeOf(m, nn.Linear) then return 'lin' end
  if torch.isTypeOf(m, 'nn.Module') then return 'module' end
  return 'other'
end
local net = nn.Sequential():add(nn.Linear(2, 2)):add(nn.ReLU())
assert(net.updateOutput)
print(describe(net), describe(net:get(1)), describe(net:get(2)), describe(3))
print(torch.isTypeOf(net:get(2), 'nn.Threshold'), torch.isTypeOf(net, 'nn.Container'), torch.isTypeOf(net, 'nn.Concat'))
print(torch.isTypeOf(nn.MSECriterion(), 'nn.Criterion'), torch.isTypeOf(nn.MSECriterion(), 'nn.Module'), torch.isTypeOf(net:get(1), 'nn.Threshold'))
---
-- graphs for each step, whose last one writes over what the first is given, and a way back that reads it
require 'nngraph'
torch.manualSeed(8)
local x, h, c = nn.Identity()(), nn.Identity()(), nn.Identity()()
local sums = nn.CAddTable()({nn.Linear(2, 6)(x), nn.Linear(2, 6)(h)})
local a, b, d = nn.SplitTable(2)(nn.Reshape(3, 2)(sums)):split(3)
local cell = nn.CAddTable()({nn.CMulTable()({nn.Sigmoid()(a), c}), nn.Tanh()(b)})
local graph = nn.gModule({x, h, c}, {nn.CMulTable()({nn.Sigmoid()(d), nn.Tanh()(cell)}), cell})
graph.label = 'step'
graph.parts = 0
graph:apply(function(m) graph.parts = graph.parts + (m.weight and m.gradWeight:dim() or 0) end)
assert(graph.updateOutput)
local w, g = graph:getParameters()
local steps = {}
for t = 1, 2 do steps[t] = graph:clone('weight', 'bias', 'gradWeight', 'gradBias') end
local kept = {torch.zeros(3, 2), torch.zeros(3, 2)}
for i = 1, 4 do
   g:zero()
   local inputs, states = torch.randn(2, 3, 2), {[0] = kept}
   for t = 1, 2 do
      local out = steps[t]:forward{inputs[t], unpack(states[t - 1])}
      states[t] = {out[1], out[2]}
   end
   local gradients = {[2] = {torch.ones(3, 2), torch.zeros(3, 2)}}
   for t = 2, 1, -1 do
      local back = steps[t]:backward({inputs[t], unpack(states[t - 1])}, gradients[t])
      gradients[t - 1] = {}
      for k, v in pairs(back) do
         if k > 1 then gradients[t - 1][k - 1] = v end
      end
   end
   kept = states[2]
   w:add(-0.1, g)
   print(i, kept[1]:sum(), g:norm(), gradients[0][2]:norm(), graph.label, graph.parts)
end
---
-- a layer that asks for its mode before anybody has said it, in two ways
require 'nn'
torch.manualSeed(2)
local Noisy, parent = torch.class('nn.Noisy', 'nn.Module')
function Noisy:updateOutput(x)
   self.output:resizeAs(x):copy(x)
   if self.train ~= false then self.output:mul(2) end
   if self.train then self.output:add(1) end
   if self.train == false then self.output:add(-1) end
   return self.output
end
function Noisy:updateGradInput(x, g)
   self.gradInput:resizeAs(g):copy(g)
   return self.gradInput
end
local net = nn.Sequential():add(nn.Linear(2, 2)):add(nn.Noisy())
net.label = 'noisy'
local x = torch.ones(1, 2)
for _, m in ipairs(net.modules) do print(torch.type(m), m.train) end
print(net:forward(x):sum(), net.label)
net:training()
print(net:forward(x):sum(), net:get(2).train)
net:evaluate()
print(net:forward(x):sum(), net:get(2).train)
---
-- a class that derives from a layer, at nodes that share its weights, which are drawn as one vector
require 'nngraph'
torch.manualSeed(6)
local WithoutBias, parent = torch.class('nn.WithoutBias', 'nn.Linear')
function WithoutBias:__init(inputs, outputs)
   parent.__init(self, inputs, outputs)
   self.bias:zero()
end
function WithoutBias:accGradParameters(input, gradOutput, scale)
   parent.accGradParameters(self, input, gradOutput, scale)
   self.gradBias:zero()
end
local x = nn.Identity()()
local a = nn.WithoutBias(2, 2)(x)
local b = nn.WithoutBias(2, 2)(nn.Tanh()(a))
b.data.module:share(a.data.module, 'weight', 'bias', 'gradWeight', 'gradBias')
local net = nn.gModule({x}, {nn.Linear(2, 1)(b)})
local w, g = net:getParameters()
w:normal(0, 0.5)
print(w:nElement(), g:nElement())
for i = 1, 3 do
   g:zero()
   local out = net:forward(torch.ones(1, 2))
   net:backward(torch.ones(1, 2), torch.ones(1, 1))
   w:add(-0.1, g)
   print(i, out:sum(), g:norm())
end
---
-- schedules that give one value or two, and the probability of a Dropout as it goes
require 'nn'
torch.manualSeed(4)
local rows = {{1, 2, 0.1, 5}, {3, 9, 0.2, 6}}
local schedules = {falling = function(epoch) return 0.1 / epoch end}
schedules.rows = function(epoch)
   for _, row in ipairs(rows) do
      if epoch >= row[1] and epoch <= row[2] then return row[3], row[4] end
   end
end
local net = nn.Sequential():add(nn.Linear(2, 2)):add(nn.Dropout(0.5))
for epoch = 1, 3 do
   for _, name in ipairs{'falling', 'rows'} do
      local rate, decay = schedules[name](epoch)
      print(epoch, name, rate, decay or 0)
   end
   for _, dropout in ipairs(net:findModules('nn.Dropout')) do
      dropout:setp(0.5 / epoch)
      print(dropout.p)
   end
   print(net:forward(torch.ones(1, 2)):sum())
end
---
-- constructors in a table, and entries of a table by places that are computed
require 'nn'
torch.manualSeed(9)
local made = {relu = nn.ReLU, tanh = nn.Tanh}
local name = #arg == 0 and 'tanh' or arg[1]
print(made[name] == nn.Tanh, made.relu == nn.Tanh)
local net = nn.Sequential():add(nn.ParallelTable():add(nn.Linear(2, 3)):add(made[name]()))
local chosen = nn.ConcatTable()
for place = 1, 2 do chosen:add(nn.Sequential():add(nn.SelectTable(place)):add(nn.Mean(2))) end
chosen:add(nn.Sequential():add(nn.SelectTable(-1)):add(nn.Mean(2)))
net:add(chosen):add(nn.CAddTable())
local x = {torch.randn(2, 2), torch.randn(2, 4)}
net:zeroGradParameters()
print(net:forward(x):sum(), chosen.output[1]:sum())
local back = net:backward(x, torch.ones(2))
print(back[1]:norm(), back[2]:norm(), chosen.gradInput[2]:norm())
---
-- a class that derives from a table of weights, and calls its passes
require 'nn'
local Z, parent = torch.class('nn.Z', 'nn.LookupTable')
function Z:__init(nIndex, nOutput)
   parent.__init(self, nIndex + 1, nOutput)
end
function Z:updateOutput(input)
   self.weight[1]:zero()
   self.__input = self.__input or input.new()
   self.__input:resizeAs(input):add(input, 1)
   return parent.updateOutput(self, self.__input)
end
function Z:accGradParameters(input, gradOutput, scale)
   parent.accGradParameters(self, self.__input, gradOutput, scale)
end
function Z:type(type, cache)
   self.__input = nil
   return parent.type(self, type, cache)
end
torch.manualSeed(1)
local net = nn.Sequential():add(nn.Z(4, 3)):add(nn.Sum(1))
net:get(1).note = 'x'
print(net:get(1).note)
local x = torch.Tensor{0, 2, 3}
net:zeroGradParameters()
print(net:forward(x):sum())
net:backward(x, torch.ones(3))
print(net:get(1).gradWeight)
net:double()
print(net:forward(x):sum())
---
-- a criterion in a graph, and states in tables that are filled by place
require 'nngraph'
torch.manualSeed(6)
local x, y, states = nn.Identity()(), nn.Identity()(), nn.Identity()()
local first, second = states:split(2)
local hidden = nn.CAddTable()({nn.Linear(2, 3)(x), first, second})
local loss = nn.ClassNLLCriterion()({nn.LogSoftMax()(hidden), y})
local net = nn.gModule({x, y, states}, {loss, nn.Identity()({hidden, second})})
local copies = {}
for t = 1, 2 do copies[t] = net:clone('weight', 'bias', 'gradWeight', 'gradBias') end
local s, ds = {}, {}
for t = 0, 2 do
   s[t] = {}
   for d = 1, 2 do s[t][d] = torch.zeros(2, 3) end
end
for d = 1, 2 do ds[d] = torch.ones(2, 3) end
local input, target = torch.randn(2, 2), torch.Tensor{1, 3}
net:zeroGradParameters()
for t = 1, 2 do
   local err
   err, s[t] = unpack(copies[t]:forward{input, target, s[t - 1]})
   print(err[1], s[t][1]:sum())
end
for t = 2, 1, -1 do
   local back = copies[t]:backward({input, target, s[t - 1]}, {torch.ones(1), ds})
   print(back[1]:sum(), back[2]:sum(), back[3][2]:sum())
   ds = back[3]
end
net.note = 'kept'
print(net:parameters()[1]:norm(), net.note)
---
-- weights of a convolution over frames, as Torch7 has them
require 'nn'
torch.manualSeed(8)
local conv = nn.TemporalConvolution(3, 2, 2)
local net = nn.Sequential():add(conv):add(nn.SelectTable(1) and nn.ReLU())
conv.note = 'kept'
conv.weight:uniform(-0.5, 0.5)
conv.weight[1]:mul(2)
conv.weight[2][4] = 1
print(conv.note, conv.weight:size(2), conv.weight[1][5], conv.weight:view(2, 2, 3)[1][2][3])
local w, dw = net:getParameters()
print(w[3], w:norm())
local x = torch.randn(5, 3)
dw:zero()
net:forward(x)
print(net:backward(x, torch.ones(4, 2)):sum(), conv.gradWeight[1][4], dw[5])
local total = 0
for _, p in ipairs(net:parameters()) do total = total + p:size(1) * p:dim() end
print(total, net:clone().modules[1].weight[2][4], net:float():forward(x:float()):sum() > -1)
---
-- what is emptied by its name, before it is saved
require 'nn'
torch.manualSeed(2)
local function sanitize(net)
   for _, val in ipairs(net:listModules()) do
      for name, field in pairs(val) do
         if name == 'output' or name == 'gradInput' then
            if torch.isTensor(field) then val[name] = field.new() end
         end
      end
   end
   return net
end
local net = nn.Sequential():add(nn.Linear(3, 2)):add(nn.Tanh())
net:forward(torch.ones(3))
print(net.output:nElement(), net:get(1).output:nElement())
sanitize(net)
print(net.output:nElement(), net:get(1).output:nElement(), torch.type(net:get(2).output))
print(net:forward(torch.ones(3)):sum())
---
-- layers that are several in PyTorch, with their weights in one vector and shared with copies
require 'rnn'
torch.manualSeed(1)
local net = nn.Sequential():add(nn.SeqLSTM(3, 4))
net.note = 1
local w, dw = net:getParameters()
local x = torch.randn(5, 2, 3)
dw:zero()
print(net:forward(x):sum(), net.note, w:size(1))
print(net:backward(x, torch.ones(5, 2, 4)):sum(), dw:norm())
local second = net:clone('weight', 'bias', 'gradWeight', 'gradBias')
print(second:forward(x):sum())
second:backward(x, torch.ones(5, 2, 4))
second:updateParameters(0.1)
print(net:forward(x):sum(), w:norm(), dw:norm())
---
-- weights that a layer changes for its way forward, and puts back
require 'nn'
torch.manualSeed(10)
do
   local Signs, parent = torch.class('nn.Signs', 'nn.Linear')
   function Signs:__init(inputs, outputs)
      parent.__init(self, inputs, outputs)
      self.kept = self.weight:clone()
   end
   function Signs:updateOutput(input)
      self.kept:copy(self.weight)
      self.weight:sign()
      parent.updateOutput(self, input)
      self.signs = self.weight:clone()
      self.weight:copy(self.kept)
      return self.output
   end
   function Signs:updateGradInput(input, gradOutput)
      self.weight:copy(self.signs)
      parent.updateGradInput(self, input, gradOutput)
      self.weight:copy(self.kept)
      return self.gradInput
   end
   function Signs:clip() self.weight:clamp(-0.2, 0.2) end
end
local net = nn.Sequential():add(nn.Signs(3, 4)):add(nn.Tanh()):add(nn.Signs(4, 2))
local x = torch.randn(2, 3)
for i = 1, 3 do
   net:zeroGradParameters()
   print(net:forward(x):sum(), net:backward(x, torch.ones(2, 2)):sum())
   net:updateParameters(0.1)
   for _, layer in ipairs(net:findModules('nn.Signs')) do layer:clip() end
end
print(net:get(1).weight:norm(), net:get(3).gradWeight:sum())
---
-- layers that learn from rewards, and what they draw
require 'dpnn'
torch.manualSeed(5)
local net = nn.Sequential()
net:add(nn.Linear(3, 4)):add(nn.Sigmoid())
local coin = nn.ReinforceBernoulli()
net:add(coin):add(nn.Linear(4, 3)):add(nn.SoftMax()):add(nn.ReinforceCategorical())
local normal = nn.Sequential():add(nn.Linear(3, 2)):add(nn.ReinforceNormal(0.3))
local x = torch.randn(4, 3)
for i = 1, 3 do
   net:zeroGradParameters()
   local out = net:forward(x)
   local reward = out:select(2, 1):clone()
   net:reinforce(reward)
   net:backward(x, out:clone():zero())
   print(out:select(2, 1):sum(), net:gradParamClip(0.5))
   net:updateGradParameters(0.9)
   net:updateParameters(0.5)
   local a = normal:forward(x)
   normal:reinforce(torch.add(a:select(2, 1), -1))
   normal:zeroGradParameters()
   print(a:sum(), normal:backward(x, a):norm())
   normal:updateParameters(0.01)
end
net:evaluate()
print(net:forward(x):sum(), coin.output:sum())
local both = nn.Sequential():add(nn.Linear(3, 2)):add(nn.SoftMax()):add(nn.ReinforceCategorical())
local base = nn.Sequential():add(nn.Constant(1, 1)):add(nn.Add(1))
local agent = nn.Sequential():add(nn.ConcatTable():add(both):add(base))
local crit = nn.VRClassReward(agent)
local y = torch.Tensor{1, 2, 1, 2}
for i = 1, 3 do
   agent:zeroGradParameters()
   local out = agent:forward(x)
   print(crit:forward(out, y))
   agent:backward(x, crit:backward(out, y))
   agent:updateParameters(0.3)
end
print(both:get(1).weight:norm(), agent.output[2]:sum())
---
-- a class of one example, as a tensor
require 'nn'
torch.manualSeed(7)
local net = nn.Sequential():add(nn.Linear(2, 3)):add(nn.LogSoftMax())
local criterion, goal = nn.ClassNLLCriterion(), torch.Tensor{3}
net.note = 'one'
local x = torch.randn(2)
for i = 1, 3 do
   local out = net:forward(x)
   print(net.note, criterion:forward(out, goal), net:updateGradInput(x, criterion:backward(out, goal)):sum())
   x:add(-0.1, net.gradInput)
end
---
-- outputs in place that a sum in place writes over, and an example without a batch
require 'nn'
torch.manualSeed(4)
local inner = nn.Sequential():add(nn.Linear(4, 4)):add(nn.BatchNormalization(4)):add(nn.ReLU(true))
local net = nn.Sequential():add(nn.ConcatTable():add(inner):add(nn.Identity())):add(nn.CAddTable(true))
net:add(nn.Linear(4, 1))
net.label = 'mine'
for i, m in ipairs(net.modules) do
   m.place = i
   print(i, torch.type(m), m.weight and m.weight:size(1), m.place)
end
local x = torch.randn(5, 4)
for i = 1, 3 do
   net:zeroGradParameters()
   local g = net:backward(x, net:forward(x):clone())
   net:updateParameters(0.1)
   print(i, g:norm(), inner:get(1).gradWeight:norm(), inner:get(3).output:sum())
end
net:evaluate()
print(net:forward(x[1]), net.label, inner:get(2).running_mean:sum())
print(#nn.Parallel():add(net):add(inner):parameters())  -- which only holds them
---
-- constructors in tables, called with numbers and a truth value
require 'nn'
torch.manualSeed(1)
local networks = {}
networks.modules = {}
networks.modules.convolutionModule = nn.SpatialConvolutionMM
networks.modules.poolingModule = nn.SpatialMaxPooling
networks.modules.nonLinearityModule = nn.ReLU
networks.modules['linear'] = nn.Linear
local kinds = {'convolutionModule', 'poolingModule'}
function networks.basic_conv(i, o, k)
  local net = nn.Sequential()
  net:add(networks.modules.convolutionModule(i, o, k, k))
  net:add(networks.modules[kinds[2]](2, 2, 2, 2))
  net:add(networks.modules.nonLinearityModule(true))
  net.extra = 3
  return net
end
local net = networks.basic_conv(3, 4, 5)
net:add(nn.View(-1):setNumInputDims(3))
net:add(networks.modules.linear(16, 2))
local x = torch.ones(2, 3, 8, 8)
local y = net:forward(x)
print(y:sum(), net.extra)
net:backward(x, torch.ones(2, 2))
for i, m in ipairs(net.modules) do print(torch.type(m)) end
local w, g = net:getParameters()
print(g:sum(), w:sum())
---
-- halves that a program puts in the place of one module's
require 'nn'
torch.manualSeed(2)
local net = nn.Sequential():add(nn.Linear(3, 2)):add(nn.Tanh())
net.mine = 1
local first = net:get(1)
local before = first.accGradParameters
first.accGradParameters = function(self, input, gradOutput, scale)
   self.gradWeight:add(2 * scale, gradOutput:t() * input)
end
first.updateGradInput = function(self, input, gradOutput)
   self.gradInput = gradOutput * self.weight
   return self.gradInput
end
local x, g = torch.randn(4, 3), torch.randn(4, 2)
net:forward(x)
net:zeroGradParameters()
print(net:backward(x, g):sum(), first.gradWeight:sum(), first.gradBias:sum())
print(first:backward(x, g):sum(), first.gradWeight:sum())
print(net.mine)
---
-- methods that a program puts into one of nn's classes, and one that it replaces
require 'nn'
torch.manualSeed(1)
function nn.Linear:prune(limit)
   self.mask = torch.lt(torch.abs(self.weight), limit)
   self.weight:maskedFill(self.mask, 0)
   return self:pruned()
end
function nn.Linear:pruned() return self.mask and self.mask:sum() or 0, self.weight:nElement() end
nn.Linear.accGradParameters_before = nn.Linear.accGradParameters
function nn.Linear:accGradParameters(input, gradOutput, scale)
   self:accGradParameters_before(input, gradOutput, scale)
   if self.mask then self.gradWeight:maskedFill(self.mask, 0) end
end
nn.Linear.reset_before = nn.Linear.reset
function nn.Linear:reset(stdv)
   self:reset_before(stdv)
   self.times = (self.times or 0) + 1
   return self
end
nn.Linear.about = 'a linear layer'
local net = nn.Sequential():add(nn.Linear(4, 5)):add(nn.Tanh()):add(nn.Linear(5, 2))
local x, g = torch.randn(3, 4), torch.randn(3, 2)
print(net:get(1):prune(0.2))
print(net:get(3):pruned())
print(net:forward(x):sum(), net:get(1).about, net:get(2).about)
net:zeroGradParameters()
net:backward(x, g)
print(net:get(1).gradWeight:sum(), net:get(3).gradWeight:sum(), net:get(1).times)
net:get(3):reset(0.5)
print(nn.Linear.pruned(net:get(1)), net:get(3).times, net:get(3).weight:sum())
for _, m in ipairs(net.modules) do if m.prune then print(torch.type(m), m:prune(0.3)) end end
---
-- functions of nn.utils and of nn.Module that a layer calls for itself
require 'nn'
torch.manualSeed(4)
local Leaky, parent = torch.class('nn.Leaky', 'nn.Module')
function Leaky:__init(slope)
   parent.__init(self)
   self.slope, self.negative, self.seen = slope, torch.Tensor(), {1}
end
function Leaky:updateOutput(input)
   self.negative = torch.cmin(input, 0)
   self.output:resizeAs(input):copy(input):add(self.slope - 1, self.negative)
   return self.output
end
function Leaky:updateGradInput(input, gradOutput)
   self.gradInput:resizeAs(gradOutput):copy(gradOutput)
   self.gradInput[torch.lt(input, 0)] = 0
   return self.gradInput
end
function Leaky:clone(...)
   self.clones = (self.clones or 0) + 1
   return nn.Module.clone(self, ...)
end
function Leaky:clearState()
   nn.utils.clear(self, 'negative', 'seen')
   return parent.clearState(self)
end
local net = nn.Sequential():add(nn.Linear(3, 3)):add(nn.Leaky(0.2))
net.mine = 'x'
print(net:forward(torch.randn(2, 3)):sum())
print(net:get(2).negative:nElement(), #net:get(2).seen)
net:clearState()
print(net:get(2).negative:nElement(), #net:get(2).seen, net.mine)
local copy = net:get(2):clone()
print(copy.clones, copy.slope, net:get(2).clones)
---
-- classes of the program under nn's names as values, one of which has the name of another package's layer
require 'nn'
torch.manualSeed(1)
local LinearNoBias, parent = torch.class('nn.LinearNoBias', 'nn.Linear')
function LinearNoBias:__init(a, b)
  parent.__init(self, a, b)
  self.bias:zero()
end
local M, p2 = torch.class('nn.Twice', 'nn.Module')
function M:updateOutput(x) self.output = x * 2 return self.output end
function M:updateGradInput(x, g) self.gradInput = g * 2 return self.gradInput end
local m = nn.Sequential():add(nn.LinearNoBias(3, 2)):add(nn.Twice())
m.extra = 5
local kinds = {nn.LinearNoBias, nn.Twice, nn.Tanh}
local k = kinds[2]()
print(m:forward(torch.ones(3)):sum(), m.extra, torch.type(k), k:forward(torch.ones(2)):sum())
for _, c in ipairs(m.modules) do print(torch.type(c), torch.isTypeOf(c, nn.Linear)) end
---
-- a weight that is another layer's turned about, with its gradient, and one that several objects are given
require 'nn'
torch.manualSeed(5)
local Tied, parent = torch.class('nn.Tied', 'nn.Linear')
function Tied:__init(other)
   parent.__init(self, other.weight:size(1), other.weight:size(2))
   self.weight = other.weight:t()
   self.gradWeight = other.gradWeight:t()
end
local Scales, base = torch.class('nn.Scales', 'nn.Module')
function Scales:__init(weight, gradWeight)
   base.__init(self)
   self.weight = weight
   self.gradWeight = gradWeight
end
function Scales:updateOutput(input)
   self.output:resizeAs(input):cmul(input, self.weight:view(1, 4):expandAs(input))
   return self.output
end
function Scales:updateGradInput(input, gradOutput)
   self.gradInput:resizeAs(input):cmul(gradOutput, self.weight:view(1, 4):expandAs(input))
   return self.gradInput
end
function Scales:accGradParameters(input, gradOutput, scale)
   self.gradWeight:add(scale, torch.cmul(input, gradOutput):sum(1):view(4))
end
local coder = nn.Linear(3, 5)
local both = nn.Sequential():add(coder):add(nn.Tanh()):add(nn.Tied(coder))
local weight, gradWeight = torch.ones(4), torch.zeros(4)
local net = nn.Sequential()
net:add(nn.Scales(weight, gradWeight)):add(nn.Tanh()):add(nn.Scales(weight, gradWeight))
local criterion, x, y = nn.MSECriterion(), torch.randn(5, 3), torch.randn(5, 4)
for i = 1, 4 do
   both:zeroGradParameters()
   net:zeroGradParameters()
   print(criterion:forward(both:forward(x), x))
   both:backward(x, criterion:backward(both.output, x))
   print(criterion:forward(net:forward(y), y))
   net:backward(y, criterion:backward(net.output, y))
   both:updateParameters(0.1)
   net:updateParameters(0.1)
end
local flat = net:getParameters()
flat:mul(2)
print(flat:nElement(), net:get(1).weight:sum(), net:get(3).weight:sum())
