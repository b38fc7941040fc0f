-- A classifier of nine weights learns one example a step by optim.sgd, as the first programs of many did.
--
-- Returns a function that trains for some steps and returns the last loss. Globals for a port to start from: model
-- (untrained), inputs, targets.
require 'nn'
require 'optim'

torch.manualSeed(1)

model = nn.Sequential():add(nn.Linear(2, 3)):add(nn.LogSoftMax())
local criterion = nn.ClassNLLCriterion()

inputs = torch.randn(100, 2)
targets = torch.Tensor(100):random(1, 3)

local weights, gradients = model:getParameters()
local config = {learningRate = 1e-2, learningRateDecay = 1e-4, weightDecay = 0, momentum = 0}
local row = 0

local function feval()
   gradients:zero()
   local input, target = inputs[row], targets[row]
   local loss = criterion:forward(model:forward(input), target)
   model:backward(input, criterion:backward(model.output, target))
   return loss, gradients
end

return function(steps)
   local losses
   for _ = 1, steps do
      row = row % 100 + 1
      _, losses = optim.sgd(feval, weights, config)
   end
   return losses[1]
end
