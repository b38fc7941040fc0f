-- A function that runs the backward pass itself and gives the loss, which the one for optim hands on
require 'nn'
require 'optim'
torch.manualSeed(2)
local model = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 1))
local criterion = nn.MSECriterion()
local weights, gradients = model:getParameters()
local x, y = torch.randn(6, 3), torch.randn(6, 1)

local function lossOf(inputs, targets)
   local output = model:forward(inputs)
   local loss = criterion:forward(output, targets)
   model:backward(inputs, criterion:backward(output, targets))
   return loss
end

local total = 0
for step = 1, 4 do
   local function evaluate()
      gradients:zero()
      local loss = lossOf(x, y)
      total = total + loss
      return loss, gradients
   end
   local _, losses = optim.sgd(evaluate, weights, {learningRate = 0.1})
   print(string.format('%d %.8f', step, losses[1]))
end
print(total / 4)
