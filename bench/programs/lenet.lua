-- A small convolutional network learns one batch of noise: 128 images of 28x28, ten classes.
--
-- Returns a function that trains for some steps and returns the last loss. Globals for a port to start from: model
-- (untrained), inputs and targets.
require 'nn'

local batchSize = ...
local learningRate = 0.05

torch.manualSeed(1)

model = nn.Sequential()
model:add(nn.SpatialConvolution(1, 32, 5, 5))
model:add(nn.Tanh())
model:add(nn.SpatialMaxPooling(2, 2, 2, 2))
model:add(nn.SpatialConvolution(32, 64, 5, 5))
model:add(nn.Tanh())
model:add(nn.SpatialMaxPooling(2, 2, 2, 2))
model:add(nn.Reshape(64 * 4 * 4))
model:add(nn.Linear(64 * 4 * 4, 200))
model:add(nn.Tanh())
model:add(nn.Linear(200, 10))
model:add(nn.LogSoftMax())
local criterion = nn.ClassNLLCriterion()

inputs = torch.randn(batchSize, 1, 28, 28)
targets = torch.Tensor(batchSize)
for i = 1, batchSize do targets[i] = torch.random(10) end

local function step()
   local prediction = model:forward(inputs)
   local loss = criterion:forward(prediction, targets)
   model:zeroGradParameters()
   model:backward(inputs, criterion:backward(prediction, targets))
   model:updateParameters(learningRate)
   return loss
end

return function(steps)
   local loss
   for _ = 1, steps do loss = step() end
   return loss
end
