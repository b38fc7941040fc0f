-- A sequence model trained through Sequencers: a table of vectors, recurrent layers, a classifier of every step.
--
-- Globals: kind ('FastLSTM', 'LSTM' or 'Recurrent'), sizes {vocabulary, hidden, layers, steps, batch}. Returns a
-- function that trains for some iterations and returns the last loss. Globals for a port to start from: model, text.
require 'rnn'

local vocabulary, hidden, layers, steps, batch = unpack(sizes)

torch.manualSeed(1)

local function recurrent()
   if kind == 'Recurrent' then
      return nn.Recurrent(hidden, nn.Linear(hidden, hidden), nn.Linear(hidden, hidden), nn.Sigmoid(), steps)
   end
   return nn[kind](hidden, hidden)
end

local step = nn.Sequential():add(nn.LookupTable(vocabulary, hidden))
for _ = 1, layers do step:add(recurrent()) end
step:add(nn.Linear(hidden, vocabulary)):add(nn.LogSoftMax())
model = nn.Sequencer(step)
local criterion = nn.SequencerCriterion(nn.ClassNLLCriterion())

text = torch.Tensor(steps + 1, batch):random(1, vocabulary)

local inputs, targets = {}, {}
for t = 1, steps do
   inputs[t], targets[t] = text[t], text[t + 1]
end

return function(iterations)
   local loss
   for _ = 1, iterations do
      local outputs = model:forward(inputs)
      loss = criterion:forward(outputs, targets)
      model:zeroGradParameters()
      model:backward(inputs, criterion:backward(outputs, targets))
      model:updateParameters(0.1)
   end
   return loss
end
