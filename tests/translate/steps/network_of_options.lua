-- A network whose shape, type and marks come from options.
require 'nn'
require 'optim'
local cmd = torch.CmdLine()
cmd:option('-shape', 'deep', 'wide | deep')
cmd:option('-precision', 'double', 'single | double')
cmd:option('-classes', 3, 'how many')
local opt = cmd:parse(arg)
if opt.precision == 'single' then
   opt.kind = 'torch.FloatTensor'
elseif opt.precision == 'double' then
   opt.kind = 'torch.DoubleTensor'
else
   cmd:error('computes in single or double, not in ' .. opt.precision)
end
torch.manualSeed(5)

-- marks a layer, and gives it
local function marked(layer, mark)
   assert(mark)
   layer.__mark = mark
   return layer
end

local function narrow(n, kind)
   local block, inner = nn.Sequential(), nn.Sequential()
   if kind == 'activated' then
      block:add(nn.Tanh())
   else
      inner:add(nn.Tanh())
   end
   inner:add(marked(nn.Linear(n, n), 'inner'))
   return block
      :add(nn.ConcatTable():add(inner):add(nn.Identity()))
      :add(nn.CAddTable(true))
end

local function broad(n)
   return narrow(n, 'activated'):add(nn.Sigmoid())
end

local shapes = {
   wide = {{6, 2}, 1, broad},
   deep = {{4, 3}, 2, narrow},
}
assert(shapes[opt.shape], 'no such shape: ' .. tostring(opt.shape))
local sizes, count, block = table.unpack(shapes[opt.shape])
local net = nn.Sequential()
net:add(nn.Linear(3, sizes[1]))
for i = 1, count do net:add(block(sizes[1])) end
net:add(nn.Linear(sizes[1], sizes[2]))

for _, layer in pairs(net:findModules('nn.Linear')) do
   layer.weight:normal(0, 0.3)
   if layer.__mark then
      layer.bias = nil
      layer.gradBias = nil
   else
      layer.bias:zero()
   end
end

-- another last layer
local last = net:get(#net.modules)
assert(torch.type(last) == 'nn.Linear', 'the last layer is no Linear')
net:remove(#net.modules)
net:add(nn.Linear(last.weight:size(2), opt.classes))
net:type(opt.kind)
local criterion = nn.MSECriterion():type(opt.kind)

local x, y = torch.randn(6, 3):type(opt.kind), torch.randn(6, opt.classes):type(opt.kind)
local params, grads = net:getParameters()
local state = {learningRate = 0.2}
for i = 1, 3 do
   local function feval()
      grads:zero()
      local loss = criterion:forward(net:forward(x), y)
      net:backward(x, criterion:backward(net.output, y))
      return loss, grads
   end
   local _, losses = optim.sgd(feval, params, state)
   print(('%d %.5f'):format(i, losses[1]))
end
