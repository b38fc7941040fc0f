-- What nn.BiSequencer is for: the tag of a step depends on the steps before and after it. Two LSTMs, one that
-- reads forwards and one backwards, learn it; one alone must guess what is still to come.
--
--    bidirectional.lua [iterations]
require 'rnn'

torch.manualSeed(1)

iterations = tonumber(arg[1]) or 150
batchSize = 20
length = 6

-- Random bits; the tag of a step is 1 and as many as its two neighbours have ones. Beyond the ends are zeros.
function makeBatch()
   local bits = torch.Tensor(length + 2, batchSize):bernoulli(0.5)
   bits[1]:zero()
   bits[length + 2]:zero()
   local inputs, targets = {}, {}
   for t = 1, length do
      inputs[t] = bits[t + 1]:view(batchSize, 1)
      targets[t] = bits[t] + bits[t + 2] + 1
   end
   return inputs, targets
end

-- A network around a layer that takes a table of steps and gives one, `width` numbers wide.
local function network(layer, width)
   return nn.Sequential()
      :add(layer)
      :add(nn.Sequencer(nn.Linear(width, 3)))
      :add(nn.Sequencer(nn.LogSoftMax()))
end

oneWay = network(nn.Sequencer(nn.FastLSTM(1, 8)), 8)
-- BiSequencer joins the outputs of the two by default, so there are twice as many numbers.
bothWays = network(nn.BiSequencer(nn.FastLSTM(1, 8), nn.FastLSTM(1, 8)), 16)
local criterion = nn.SequencerCriterion(nn.ClassNLLCriterion())

local function train(model, inputs, targets)
   local outputs = model:forward(inputs)
   local loss = criterion:forward(outputs, targets)
   model:zeroGradParameters()
   model:backward(inputs, criterion:backward(outputs, targets))
   model:updateParameters(0.3)
   return loss / length
end

-- Whoever reads forwards does not know the bit that follows, one of two, except at the last step.
print('one way at best: ' .. (length - 1) / length * math.log(2))
for i = 1, iterations do
   local inputs, targets = makeBatch()
   local one = train(oneWay, inputs, targets)
   local both = train(bothWays, inputs, targets)
   if i == 1 or i % 50 == 0 then
      print('iteration ' .. i .. ': one way ' .. one .. ', both ways ' .. both)
   end
end
