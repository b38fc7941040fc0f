-- A recurrent network by hand: one call of the model for each time step, and backpropagation through time
-- (BPTT) every few steps. It learns to say the next item of a fixed random sequence.
--
--    recurrent.lua [iterations [items]]
--
-- This is the interface that rnn had in 2015, when the backward of a bare nn.Recurrent only took notes.
-- sequencer_recurrent.lua has the same network without that bookkeeping.
require 'rnn'

torch.manualSeed(1)

batchSize = 10
rho = 5                                    -- the most steps that BPTT goes back
hiddenSize = 64
nIndex = tonumber(arg[2]) or 100           -- the items of the sequence; 10000 makes it a long training
updateInterval = rho                       -- the steps from one update of the weights to the next
lr = 0.1
iterations = tonumber(arg[1]) or 1000      -- one iteration is one time step

-- Model
model = nn.Sequential()
model:add(nn.Recurrent(
   hiddenSize,                             -- start: the size of the output
   nn.LookupTable(nIndex, hiddenSize),     -- input: what is done to x[t], here a row of a table for each item
   nn.Linear(hiddenSize, hiddenSize),      -- feedback: what is done to h[t-1]
   nn.Sigmoid(),                           -- transfer: what is done to the sum of the two
   rho
))
model:add(nn.Linear(hiddenSize, nIndex))
model:add(nn.LogSoftMax())
criterion = nn.ClassNLLCriterion()

function gradientUpgrade(model, x, y, criterion, learningRate, i)
   local prediction = model:forward(x)
   local err = criterion:forward(prediction, y)
   local gradOutputs = criterion:backward(prediction, y)
   -- the Recurrent layer is memorizing its gradOutputs
   model:backward(x, gradOutputs)

   if i == 1 or i % 100 == 0 then
      print('error for iteration ' .. i .. ' is ' .. err)
   end
   if i % updateInterval == 0 then
      -- backpropagates through time (BPTT):
      -- 1. backward through feedback and input layers,
      -- 2. updates parameters
      model:backwardThroughTime()
      model:updateParameters(learningRate)
      model:zeroGradParameters()
   end
end

-- dummy dataset (task: predict the next item), a random permutation of the numbers from 1 to nIndex
dataset = torch.randperm(nIndex)

-- where in the dataset each row of the batch stands
offsets = {}
for i = 1, batchSize do
   table.insert(offsets, math.ceil(math.random() * batchSize))
end
offsets = torch.LongTensor(offsets)

for i = 1, iterations do
   -- a batch of inputs
   local inputs = dataset:index(1, offsets)
   -- shift of one batch indexes
   offsets:add(1)
   for j = 1, batchSize do
      if offsets[j] > nIndex then
         offsets[j] = 1
      end
   end
   -- a batch of targets
   local targets = dataset:index(1, offsets)

   gradientUpgrade(model, inputs, targets, criterion, lr, i)
end
