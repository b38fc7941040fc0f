-- A small convolutional network learns batches that a pool of threads prepares: crops of larger images, mirrored and
-- normalized, as loaders of pictures do.
--
-- Argument: the number of images in a batch. Returns a function that trains on some batches and returns the last loss, one that
-- only trains on a batch that is there, and one that only prepares a batch.
require 'nn'
local threads = require 'threads'

local batchSize = ...

torch.manualSeed(1)
local model = nn.Sequential()
   :add(nn.SpatialConvolution(3, 16, 5, 5)):add(nn.ReLU()):add(nn.SpatialMaxPooling(2, 2, 2, 2))
   :add(nn.SpatialConvolution(16, 32, 5, 5)):add(nn.ReLU()):add(nn.SpatialMaxPooling(2, 2, 2, 2))
   :add(nn.View(32 * 5 * 5)):add(nn.Linear(32 * 5 * 5, 10)):add(nn.LogSoftMax())
local criterion = nn.ClassNLLCriterion()

local function step(inputs, targets)
   model:zeroGradParameters()
   local loss = criterion:forward(model:forward(inputs), targets)
   model:backward(inputs, criterion:backward(model.output, targets))
   model:updateParameters(0.01)
   return loss
end

local function define()
   function batch(size)
      local inputs, targets = torch.Tensor(size, 3, 32, 32), torch.Tensor(size)
      for i = 1, size do
         local picture, class = torch.rand(3, 80, 80), torch.random(10)
         for _ = 1, 3 do picture:pow(0.9):mul(1.1):add(-0.01):clamp(0, 1) end     -- contrast and brightness
         local top, left = torch.random(48), torch.random(48)
         local crop = picture:narrow(2, top, 32):narrow(3, left, 32)
         if torch.uniform() < 0.5 then crop = crop:index(3, torch.range(32, 1, -1):long()) end
         inputs[i]:copy(crop)
         for c = 1, 3 do inputs[i][c]:add(-inputs[i][c]:mean()):div(inputs[i][c]:std()) end
         targets[i] = class
      end
      return inputs, targets
   end
end

threads.Threads.serialization('threads.sharedserialize')
local pool = threads.Threads(1, define)

define()

local function train(batches)
   local loss
   for _ = 1, batches do
      pool:addjob(function(size) return batch(size) end, function(...) loss = step(...) end, batchSize)
   end
   pool:synchronize()
   return loss
end

local inputs, targets = batch(batchSize)
return train, function() return step(inputs, targets) end, function() batch(batchSize) end
