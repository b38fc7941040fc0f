-- A FastLSTM in a Sequencer, trained on rho steps at a time.
--
--    fastlstm.lua iterations
require 'rnn'
local items = require './items'

torch.manualSeed(1)
local count, rows, hidden, rho = 10000, 10, 64, 5

local model = nn.Sequential()
   :add(nn.Sequencer(nn.LookupTable(count, hidden)))
   :add(nn.Sequencer(nn.FastLSTM(hidden, hidden, rho)))
   :add(nn.Sequencer(nn.Linear(hidden, count)))
   :add(nn.Sequencer(nn.LogSoftMax()))
local criterion = nn.SequencerCriterion(nn.ClassNLLCriterion())
local nextBatch = items(count, rows)

losses = {}
for i = 1, tonumber(arg[1]) do
   local inputs, targets = {}, {}
   for step = 1, rho do
      inputs[step], targets[step] = nextBatch()
   end
   local predictions = model:forward(inputs)
   losses[i] = criterion:forward(predictions, targets)
   model:backward(inputs, criterion:backward(predictions, targets))
   model:updateParameters(0.1)
   model:zeroGradParameters()
end
