-- Learns to say the next item of a fixed random sequence, with an LSTM over short stretches of it.
--
--    fastlstm.lua [iterations]
--
-- Prints the mean loss of a step, which starts near log(items) = 4.6 (every item equally likely) and falls
-- towards 0 (the next item is known).
require 'rnn'

torch.manualSeed(1)

local items = 100       -- the sequence is a permutation of 1 .. items, and starts over at its end
local hiddenSize = 64
local rho = 5           -- steps of one training example
local batchSize = 10
local learningRate = 0.1
local iterations = tonumber(arg[1]) or 500

local model = nn.Sequential()
model:add(nn.Sequencer(nn.LookupTable(items, hiddenSize)))
model:add(nn.Sequencer(nn.FastLSTM(hiddenSize, hiddenSize, rho)))
model:add(nn.Sequencer(nn.Linear(hiddenSize, items)))
model:add(nn.Sequencer(nn.LogSoftMax()))
local criterion = nn.SequencerCriterion(nn.ClassNLLCriterion())

local sequence = torch.randperm(items)

-- where in the sequence each row of the batch stands
local offsets = torch.LongTensor(batchSize)
for row = 1, batchSize do
   offsets[row] = torch.random(1, items)
end

local function advance()
   for row = 1, batchSize do
      offsets[row] = offsets[row] % items + 1
   end
end

for iteration = 1, iterations do
   -- a batch for each step: the items at the offsets, and the items that follow them
   local inputs, targets = {}, {}
   for step = 1, rho do
      inputs[step] = sequence:index(1, offsets)
      advance()
      targets[step] = sequence:index(1, offsets)
   end

   local prediction = model:forward(inputs)
   local loss = criterion:forward(prediction, targets) / rho
   model:zeroGradParameters()
   model:backward(inputs, criterion:backward(prediction, targets))
   model:updateParameters(learningRate)

   if iteration == 1 or iteration % 50 == 0 then
      print(string.format('iteration %4d   loss %.4f', iteration, loss))
   end
end
