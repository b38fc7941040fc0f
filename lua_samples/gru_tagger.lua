-- A tagger with gated recurrent units (GRU): says of each symbol of a sequence whether it stands inside
-- brackets. Sequences have different lengths, and it is tried on longer ones than it has seen.
--
--    gru_tagger.lua [iterations]
require 'rnn'
require 'optim'

torch.manualSeed(1)

iterations = tonumber(arg[1]) or 150
batchSize = 10

-- symbols: 1 is a letter, 2 opens a bracket, 3 closes it; tags: 1 is outside, 2 inside
-- A sequence is a table of tensors, one for each step, with a number for each row of the batch.
function makeBatch(length)
   local inputs, targets = {}, {}
   local inside = torch.ones(batchSize)           -- the tag that each row has reached
   for t = 1, length do
      local x = torch.ones(batchSize)
      for row = 1, batchSize do
         if torch.uniform() < 0.3 then
            x[row] = inside[row] == 1 and 2 or 3
            inside[row] = 3 - inside[row]
         end
      end
      inputs[t], targets[t] = x, inside:clone()
   end
   return inputs, targets
end

model = nn.Sequential()
   :add(nn.Sequencer(nn.LookupTable(3, 4)))
   :add(nn.Sequencer(nn.GRU(4, 8)))
   :add(nn.Sequencer(nn.Linear(8, 2)))
   :add(nn.Sequencer(nn.LogSoftMax()))
criterion = nn.SequencerCriterion(nn.ClassNLLCriterion())

local weights, gradients = model:getParameters()
local state = {learningRate = 0.03}

for i = 1, iterations do
   local length = 5 + i % 4                       -- a Sequencer takes a table of any length
   local inputs, targets = makeBatch(length)
   local function feval()
      gradients:zero()
      local outputs = model:forward(inputs)
      local loss = criterion:forward(outputs, targets)
      model:backward(inputs, criterion:backward(outputs, targets))
      return loss / length, gradients
   end
   local _, losses = optim.adam(feval, weights, state)
   if i == 1 or i % 30 == 0 then
      print('iteration ' .. i .. ': loss ' .. losses[1])
   end
end

model:evaluate()                                  -- no training from here on
local length, right = 40, 0
local inputs, targets = makeBatch(length)
local outputs = model:forward(inputs)
for t = 1, length do
   local _, tags = outputs[t]:max(2)
   right = right + tags:typeAs(targets[t]):eq(targets[t]:view(batchSize, 1)):sum()
end
print(string.format('%d of %d tags right in sequences of %d', right, length * batchSize, length))
