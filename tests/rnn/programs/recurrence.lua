-- Learns which number follows in 1, 2, ..., 10, 1, 2, ... with a simple recurrent network over whole sequences.

require 'rnn'

local BATCH, STEPS, HIDDEN, COUNT, RATE = 8, 5, 7, 10, 0.1

local both = nn.ParallelTable():add(nn.LookupTable(COUNT, HIDDEN)):add(nn.Linear(HIDDEN, HIDDEN))
local step = nn.Sequential():add(both):add(nn.CAddTable()):add(nn.Sigmoid())
local net = nn.Sequential()
net:add(nn.Recurrence(step, HIDDEN, 0)):add(nn.Linear(HIDDEN, COUNT)):add(nn.LogSoftMax())
net = nn.Sequencer(net)
local criterion = nn.SequencerCriterion(nn.ClassNLLCriterion())

local LENGTH = 1000
local places = {}
for i = 1, BATCH do places[i] = math.ceil(math.random() * LENGTH) end

local function numbers()
   local found = torch.LongTensor(BATCH)
   for i = 1, BATCH do found[i] = (places[i] - 1) % COUNT + 1 end
   return found
end

for _ = 1, 50 do
   local inputs, targets = {}, {}
   for t = 1, STEPS do
      inputs[t] = numbers()
      for i = 1, BATCH do places[i] = places[i] % LENGTH + 1 end
      targets[t] = numbers()
   end
   net:zeroGradParameters()
   local outputs = net:forward(inputs)
   criterion:forward(outputs, targets)
   net:backward(inputs, criterion:backward(outputs, targets))
   net:updateParameters(RATE)
end
