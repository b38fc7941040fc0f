-- A long short-term memory (LSTM) in nn.Sequencer. It learns to say the next item of a fixed random sequence.
--
--    fastlstm.lua [iterations [items]]
--
-- Prints the mean loss of a step, which starts near log(items) = 4.6 (every item equally likely) and falls
-- towards 0 (the next item is known). Compare sequencer_recurrent.lua, the same with a plain recurrent
-- network.
require 'rnn'

torch.manualSeed(1)

batchSize = 10
rho = 5                                    -- the steps of one call
hiddenSize = 64
nIndex = tonumber(arg[2]) or 100           -- the items of the sequence; 10000 makes it a long training
lr = 0.1
iterations = tonumber(arg[1]) or 400

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

-- Model
model = nn.Sequential()
model:add(nn.Sequencer(nn.LookupTable(nIndex, hiddenSize)))
model:add(nn.Sequencer(nn.FastLSTM(hiddenSize, hiddenSize, rho)))   -- computes its gates together
model:add(nn.Sequencer(nn.Linear(hiddenSize, nIndex)))
model:add(nn.Sequencer(nn.LogSoftMax()))
criterion = nn.SequencerCriterion(nn.ClassNLLCriterion())

-- dummy dataset (task predict the next item)
dataset = torch.randperm(nIndex)
-- this dataset represents a random permutation of a sequence between 1 and nIndex

-- define the index of the batch elements
offsets = {}
for i = 1, batchSize do
   table.insert(offsets, math.ceil(math.random() * batchSize))
end
offsets = torch.LongTensor(offsets)

for i = 1, iterations do
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
