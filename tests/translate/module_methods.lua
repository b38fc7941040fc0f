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
