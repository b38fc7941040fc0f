-- The first layers of a network stay as they are while the others learn with momentum.
require 'nn'
require 'optim'
local c = require 'trepl.colorize'
torch.manualSeed(4)
local net = nn.Sequential()
net:add(nn.Linear(5, 6)):add(nn.Tanh()):add(nn.Linear(6, 4)):add(nn.Tanh()):add(nn.Linear(4, 2)):add(nn.LogSoftMax())
local first = net:get(1).weight:clone()
for i = 1, 3 do
   local layer = net:get(i)
   if torch.type(layer) == 'nn.Linear' then
      layer.accGradParameters = function() end
      layer.updateParameters = function() end
   end
end
local weights, gradients = net:getParameters()
local criterion = nn.ClassNLLCriterion()
local x, y = torch.randn(8, 5), torch.Tensor {1, 2, 1, 2, 1, 2, 1, 2}
local state = {learningRate = 0.1, momentum = 0.9, weightDecay = 0}
for step = 1, 5 do
   local _, loss = optim.sgd(function()
      gradients:zero()
      local output = net:forward(x)
      local value = criterion:forward(output, y)
      net:backward(x, criterion:backward(output, y))
      return value, gradients
   end, weights, state)
   print(c.blue '==>' .. ' step ' .. step .. c.Red(string.format(' %.8f', loss[1])))
end
print(sys.COLORS.green .. 'moved by ' .. net:get(1).weight:dist(first) .. sys.COLORS.none)
