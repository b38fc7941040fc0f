-- An autoencoder: eight patterns, each with another one of eight inputs on, must pass through three units,
-- and the network finds a code for them by itself. Trained with optim.adam.
--
--    adam_autoencoder.lua [iterations]
require 'nn'
require 'optim'

torch.manualSeed(1)

iterations = tonumber(arg[1]) or 500

local encoder = nn.Sequential():add(nn.Linear(8, 3)):add(nn.Sigmoid())
local decoder = nn.Sequential():add(nn.Linear(3, 8)):add(nn.Sigmoid())
model = nn.Sequential():add(encoder):add(decoder)
criterion = nn.BCECriterion()               -- binary cross-entropy, the mean over all outputs

patterns = torch.eye(8)                     -- the input, and the output to be reached
local weights, gradients = model:getParameters()
local state = {learningRate = 0.1}

local function feval()
   gradients:zero()
   local output = model:forward(patterns)
   local loss = criterion:forward(output, patterns)
   model:backward(patterns, criterion:backward(output, patterns))
   return loss, gradients
end

for i = 1, iterations do
   local _, losses = optim.adam(feval, weights, state)
   if i == 1 or i % 100 == 0 then
      print('iteration ' .. i .. ': loss ' .. losses[1])
   end
end

-- The code of each pattern, and which output is the largest for it.
local codes = encoder:forward(patterns)
local _, largest = decoder:forward(codes):max(2)
for i = 1, 8 do
   local code = string.format('%.2f %.2f %.2f', codes[i][1], codes[i][2], codes[i][3])
   print(string.format('pattern %d: code %s, read as %d', i, code, largest[i][1]))
end
