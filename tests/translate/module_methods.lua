-- nodes of graphs that share their modules, in cells made of functions that methods call
require 'nngraph'
torch.manualSeed(3)
-- cells of a recurrent layer that share the weights of the first one, node by node
local function share_all(cell, first, ...)
   for i = 1, #cell.forwardnodes do
      local node = cell.forwardnodes[i]
      if node.data.module then
         node.data.module:share(first.forwardnodes[i].data.module, ...)
      end
   end
end
local Maker = {}
Maker.__index = Maker
function Maker:gate(x, h)
   local sum
   if self.plain then
      sum = function() return nn.Linear(3, 3)(x) end
   else
      sum = function() return nn.CAddTable()({nn.Linear(3, 3)(x), nn.Linear(3, 3)(h)}) end
   end
   return nn.Sigmoid()(sum()), nn.Tanh()(sum())
end
function Maker:cell()
   local x, h = nn.Identity()(), nn.Identity()()
   local gates, news = {}, {}
   for i = 1, 2 do gates[i], news[i] = self:gate(x, h) end
   local made = nn.CMulTable()({nn.JoinTable(2)(gates), nn.JoinTable(2)(news)})
   local cell = nn.gModule({x, h}, {nn.Linear(6, 3)(made)})
   if self.first then share_all(cell, self.first, 'weight', 'bias', 'gradWeight', 'gradBias') end
   return cell
end
local maker = setmetatable({plain = false}, Maker)
maker.first = maker:cell()
local cells = {maker.first, maker:cell(), maker:cell()}
local criterion = nn.MSECriterion()
local w, g = maker.first:getParameters()
print(w:nElement())
for i = 2, 3 do share_all(cells[i], maker.first, 'weight', 'bias', 'gradWeight', 'gradBias') end
local xs, y = {}, torch.randn(2, 3)
for i = 1, 3 do xs[i] = torch.randn(2, 3) end
for step = 1, 4 do
   g:zero()
   local h = {[0] = torch.zeros(2, 3)}
   for i = 1, 3 do h[i] = cells[i]:forward({xs[i], h[i - 1]}):clone() end
   print(step, criterion:forward(h[3], y))
   local d = criterion:backward(h[3], y)
   for i = 3, 1, -1 do d = cells[i]:backward({xs[i], h[i - 1]}, d)[2] end
   w:add(-0.1, g)
   print(w:norm(), g:norm())
end
---
-- weights of parts shared with others of the same container, which move once for each that has them
require 'nn'
torch.manualSeed(2)
local net = nn.Sequential():add(nn.Linear(3, 3)):add(nn.Tanh()):add(nn.Linear(3, 3)):add(nn.Linear(3, 2))
net:get(3):share(net:get(1), 'weight', 'bias', 'gradWeight', 'gradBias')
local criterion = nn.MSECriterion()
local x, y = torch.randn(4, 3), torch.randn(4, 2)
for i = 1, 4 do
   local out = net:forward(x)
   print(i, criterion:forward(out, y))
   net:zeroGradParameters()
   net:backward(x, criterion:backward(out, y))
   net:updateParameters(0.1)
   print(net:get(1).weight:norm(), net:get(3).weight:norm(), net:get(3).gradBias:norm())
end
local w, g = net:getParameters()
print(w:nElement(), w:norm())
---
-- weights of two models shared, and moved by optim as one vector
require 'nn'
require 'optim'
torch.manualSeed(2)
local function tied(a, b, ...) b:share(a, ...) return b end
local a = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 2))
local b = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 2))
b = tied(a, b, 'weight', 'bias', 'gradWeight', 'gradBias')
local both = nn.ParallelTable():add(a):add(b)
local criterion = nn.MSECriterion()
local w, g = both:getParameters()
print(w:nElement())
local x, z, y = torch.randn(4, 3), torch.randn(4, 3), torch.randn(4, 2)
local state = {learningRate = 0.1, momentum = 0.9}
local function f()
   g:zero()
   local out = both:forward({x, z})
   local loss = criterion:forward(out[1], y) + criterion:forward(out[2], y)
   local d1 = criterion:backward(out[1], y):clone()
   local d2 = criterion:backward(out[2], y)
   both:backward({x, z}, {d1, d2})
   return loss, g
end
for i = 1, 4 do
   local _, l = optim.sgd(f, w, state)
   print(i, l[1], w:norm(), a:get(1).weight:norm(), b:get(1).weight:norm())
end
---
-- what is done to all modules, whatever they are, in the order in which Torch7 has them
require 'nn'
torch.manualSeed(4)
local net = nn.Sequential()
net:add(nn.Reshape(1, 4, 4, true))
net:add(nn.SpatialConvolution(1, 2, 3, 3))
net:add(nn.ReLU())
net:add(nn.ConcatTable():add(nn.Identity()):add(nn.Sequential():add(nn.MulConstant(2)):add(nn.Tanh())))
net:add(nn.CAddTable())
net:add(nn.View(8))
net:add(nn.Linear(8, 3))
local names, states, count = {}, {}, 0
local function seen(m)
   count = count + 1
   local name = torch.type(m)
   names[name] = (names[name] or 0) + 1
   states[m] = {name = name, number = count}
   if m.weight then
      print(count, name, m.weight:norm() > 0, m.gradWeight:norm())
      m.bias:fill(count / 10)
   else
      print(count, name, m.bias)
   end
end
local criterion = nn.MSECriterion()
local x, y = torch.randn(2, 16), torch.randn(2, 3)
for i = 1, 3 do
   net:zeroGradParameters()
   local out = net:forward(x)
   print(criterion:forward(out, y))
   net:backward(x, criterion:backward(out, y))
   net:updateParameters(0.1)
end
net:apply(seen)
print(count, names['nn.Sequential'], names['nn.CAddTable'], states[net].number, states[net:get(7)].name)
local list = net:listModules()
print(#list, torch.typename(list[2]), list[3].weight:norm(), list[3].nInputPlane, list[3].kW)
---
-- modules found by names that are put together when the program runs
require 'nn'
torch.manualSeed(5)
local function block(a, b) return nn.Sequential():add(nn.Linear(a, b)):add(nn.Sigmoid()) end
local net = nn.Sequential():add(block(3, 4)):add(block(4, 4)):add(nn.Linear(4, 2)):add(nn.LogSoftMax())
local package = arg and arg[5] or 'nn'
for _, kind in ipairs {'Linear', 'Sigmoid', 'Sequential', 'Tanh'} do
   local found, homes = net:findModules(package .. '.' .. kind)
   print(kind, #found, #homes)
   for i, m in ipairs(found) do
      if kind == 'Linear' then
         m.weight:mul(i)
         m.bias:zero()
         print(i, m.weight:norm(), torch.type(homes[i]))
      end
   end
end
local criterion = nn.ClassNLLCriterion()
local x, y = torch.randn(4, 3), torch.Tensor{1, 2, 2, 1}
for i = 1, 3 do
   net:zeroGradParameters()
   print(criterion:forward(net:forward(x), y))
   net:backward(x, criterion:backward(net.output, y))
   net:updateParameters(0.5)
end
---
-- a method that the program gives all modules
require 'nn'
torch.manualSeed(6)
function nn.Module:fillWith(which, how, ...)
   local tensor = self[which]
   how(self, tensor, ...)
   return self
end
local function constant(_, tensor, value) tensor:fill(value) end
local function scaled(module, tensor, factor)
   local name = torch.type(module)
   local inputs = name:find('Convolution') and module.nInputPlane * module.kW * module.kH or module.weight:size(2)
   print(name, inputs)
   tensor:normal(0, factor / math.sqrt(inputs))
end
local net = nn.Sequential()
net:add(nn.SpatialConvolution(2, 3, 3, 3):fillWith('weight', scaled, 2):fillWith('bias', constant, 0.5))
net:add(nn.ReLU())
net:add(nn.View(12))
net:add(nn.Linear(12, 2):fillWith('weight', scaled, 1))
local criterion = nn.MSECriterion()
local x, y = torch.randn(2, 2, 4, 4), torch.randn(2, 2)
print(net:get(1).weight:norm(), net:get(1).bias:sum(), net:get(4).weight:norm())
for i = 1, 3 do
   net:zeroGradParameters()
   local out = net:forward(x)
   print(criterion:forward(out, y))
   net:backward(x, criterion:backward(out, y))
   net:updateParameters(0.1)
end
---
-- layers whose form in PyTorch hangs on what is known when the page runs, in a container of others
require 'nn'
torch.manualSeed(6)
local function copied(kind) return nn.Copy('torch.DoubleTensor', kind) end
local function padded(dim, n) return nn.Padding(dim, n) end
local net = nn.Sequential():add(nn.Linear(3, 3)):add(padded(2, 2)):add(copied(torch.type(torch.DoubleTensor(1)))):add(nn.Linear(5, 2))
local criterion = nn.MSECriterion()
local x, y = torch.randn(2, 3), torch.randn(2, 2)
for i = 1, 3 do
   net:zeroGradParameters()
   local out = net:forward(x)
   print(criterion:forward(out, y))
   net:backward(x, criterion:backward(out, y))
   net:updateParameters(0.1)
end
print(net:get(1).weight:norm(), net:get(4).weight:norm())
---
-- classes of which PyTorch has one for two of Torch7's
require 'nn'
torch.manualSeed(8)
local net = nn.Sequential():add(nn.SpatialConvolution(1, 2, 3, 3)):add(nn.ReLU()):add(nn.SpatialConvolutionMM(2, 2, 3, 3)):add(nn.SpatialConvolution(2, 1, 2, 2))
net:apply(function(m)
   local name = torch.typename(m)
   print(name)
   if name:match('MM$') then m.bias:fill(0.25) end
end)
print(#net:findModules('nn.SpatialConvolution' .. (#arg > 3 and 'x' or '')), net:forward(torch.ones(1, 6, 6)):sum())
print(net:get(3).bias:sum())
---
-- a gradient that is not computed, and a module that keeps its weights though the others move
require 'nn'
torch.manualSeed(2)
local function made() return nn.Linear(3, 3) end
local net = nn.Sequential():add(made()):add(nn.Tanh()):add(nn.Linear(3, 2))
net:get(1).updateGradInput = function(self, input) return end
local criterion = nn.MSECriterion()
local x, y = torch.randn(4, 3), torch.randn(4, 2)
for i = 1, 3 do
   net:zeroGradParameters()
   print(criterion:forward(net:forward(x), y))
   net:backward(x, criterion:backward(net.output, y))
   net:updateParameters(0.1)
   print(net:get(1).weight:norm())
end
---
-- modules that are put with others of which the class is known, and may be of any
require 'nn'
local net = nn.Sequential():add(nn.Linear(2, 2)):add(nn.Tanh())
local at = {}
local function seen(m) at[m] = true print(torch.type(m), torch.isTypeOf(m, 'nn.Linear')) end
net:apply(seen)
print(at[net])
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
print(describe(net), describe(net:get(1)), describe(net:get(2)), describe(3))
print(torch.isTypeOf(net:get(2), 'nn.Threshold'), torch.isTypeOf(net, 'nn.Container'), torch.isTypeOf(net, 'nn.Concat'))
print(torch.isTypeOf(nn.MSECriterion(), 'nn.Criterion'), torch.isTypeOf(nn.MSECriterion(), 'nn.Module'), torch.isTypeOf(net:get(1), 'nn.Threshold'))
---
-- layers of a package that the program chooses when it runs
require 'nn'
torch.manualSeed(9)
local name = #arg > 3 and 'cudnn' or 'nn'
local backend = require(name)
local function block(package, a, b)
   local made = package.SpatialConvolution(a, b, 3, 3, 1, 1, 1, 1)
   if package == nn then made.name = 'of nn' end
   return made
end
local net = nn.Sequential()
net:add(block(backend, 1, 2))
net:add(backend.ReLU(true))
net:add(backend.SpatialMaxPooling(2, 2, 2, 2):ceil())
net:add(block(nn, 2, 2))
net:add(nn.Tanh())
net:add(nn.View(8))
net:add(nn.Linear(8, 2))
for i = 1, net:size() do
   local layer = net:get(i)
   local kind = torch.type(layer)
   if kind == 'nn.SpatialConvolution' or kind == 'nn.Linear' then
      layer.bias:fill(i)
      print(i, kind, layer.name, layer.weight:norm())
   elseif kind == 'nn.SpatialMaxPooling' then
      print(i, kind, layer.kW, layer.dH)
   end
end
local criterion = nn.MSECriterion()
local x, y = torch.randn(2, 1, 3, 3), torch.randn(2, 2)
for i = 1, 3 do
   net:zeroGradParameters()
   local out = net:forward(x)
   print(criterion:forward(out, y))
   net:backward(x, criterion:backward(out, y))
   net:updateParameters(0.1)
end
