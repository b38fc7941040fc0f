-- The program of the post: a FastLSTM learns to say the next item of a random sequence of 10000.
--
-- Returns a function that trains for some iterations and returns the last loss. Globals for a port to start
-- from: model (untrained), dataset and offsets (where in the sequence each row of the batch starts).
require 'rnn'

torch.manualSeed(1)

local nIndex = 10000
local hiddenSize = 64
local rho = 5
local batchSize = 10
local learningRate = 0.1

model = nn.Sequential()
model:add(nn.Sequencer(nn.LookupTable(nIndex, hiddenSize)))
model:add(nn.Sequencer(nn.FastLSTM(hiddenSize, hiddenSize, rho)))
model:add(nn.Sequencer(nn.Linear(hiddenSize, nIndex)))
model:add(nn.Sequencer(nn.LogSoftMax()))
local criterion = nn.SequencerCriterion(nn.ClassNLLCriterion())

dataset = torch.randperm(nIndex)

local starts = {}
for row = 1, batchSize do
   table.insert(starts, math.ceil(math.random() * batchSize))
end
offsets = torch.LongTensor(starts)

local function advance()
   offsets:add(1)
   for row = 1, batchSize do
      if offsets[row] > nIndex then offsets[row] = 1 end
   end
end

local function iterate()
   local inputs, targets = {}, {}
   for step = 1, rho do
      table.insert(inputs, dataset:index(1, offsets))
      advance()
      table.insert(targets, dataset:index(1, offsets))
   end
   local prediction = model:forward(inputs)
   local loss = criterion:forward(prediction, targets)
   model:backward(inputs, criterion:backward(prediction, targets))
   model:updateParameters(learningRate)
   model:zeroGradParameters()
   return loss
end

return function(iterations)
   local loss
   for _ = 1, iterations do loss = iterate() end
   return loss
end
