-- A recurrent network in nn.Sequencer: one call of the model for a whole stretch of the sequence, and no word
-- about time in the training. It learns to say the next item of a fixed random sequence.
--
--    sequencer_recurrent.lua [iterations [items]]
--
-- Compare recurrent.lua, which does by hand what a Sequencer does.
require 'rnn'

torch.manualSeed(1)

batchSize = 10
rho = 5                                    -- the steps of one call
hiddenSize = 64
nIndex = tonumber(arg[2]) or 100           -- the items of the sequence; 10000 makes it a long training
lr = 0.1
iterations = tonumber(arg[1]) or 400

-- Model: each layer is decorated, and takes and gives a table of tensors, one for each step
model = nn.Sequential()
model:add(nn.Sequencer(nn.Recurrent(
   hiddenSize, nn.LookupTable(nIndex, hiddenSize),
   nn.Linear(hiddenSize, hiddenSize), nn.Sigmoid(),
   rho
)))
model:add(nn.Sequencer(nn.Linear(hiddenSize, nIndex)))
model:add(nn.Sequencer(nn.LogSoftMax()))
criterion = nn.SequencerCriterion(nn.ClassNLLCriterion())   -- the sum over the steps

function gradientUpgrade(model, x, y, criterion, learningRate, i)
   local prediction = model:forward(x)
   local err = criterion:forward(prediction, y)
   if i == 1 or i % 100 == 0 then
      print('error for iteration ' .. i .. ' is ' .. err/rho)
   end
   local gradOutputs = criterion:backward(prediction, y)
   model:backward(x, gradOutputs)
   model:updateParameters(learningRate)
   model:zeroGradParameters()
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
   -- tables of rho tensors, each of batchSize items
   local inputs, targets = {}, {}
   for step = 1, rho do
      -- get a batch of inputs
      table.insert(inputs, dataset:index(1, offsets))
      -- shift of one batch indexes
      offsets:add(1)
      for j = 1, batchSize do
         if offsets[j] > nIndex then
            offsets[j] = 1
         end
      end
      -- a batch of targets
      table.insert(targets, dataset:index(1, offsets))
   end
   gradientUpgrade(model, inputs, targets, criterion, lr, i)
end
