-- Values of moves are learnt from one transition a step: the network's value of the move made is drawn towards the
-- reward and the best value that a second network, an older copy of the first, sees in the position after it.
--
-- Returns a function that trains for some steps and returns the last loss. Globals for a port to start from: network
-- (untrained), before, after (positions), moves, rewards.
require 'nn'

torch.manualSeed(1)

local fields, hidden, count = 9, 50, 200
local discount, learningRate, copyEvery = 0.9, 0.01, 100

network = nn.Sequential()
network:add(nn.Linear(3 * fields, hidden)):add(nn.Tanh())
network:add(nn.Linear(hidden, hidden)):add(nn.ReLU())
network:add(nn.Linear(hidden, fields))
local older = network:clone()
local criterion = nn.MSECriterion()

before = torch.rand(count, 3 * fields):gt(0.6):double()
after = torch.rand(count, 3 * fields):gt(0.6):double()
moves, rewards = torch.Tensor(count), torch.Tensor(count)
for i = 1, count do
   moves[i] = torch.random(fields)
   rewards[i] = torch.random(3) - 2
end

local made = 0

local function step()
   if made % copyEvery == 0 then older = network:clone() end
   local i = made % count + 1
   made = made + 1
   local value = rewards[i]
   if value == 0 then value = discount * older:forward(after[i]):max() end
   local position = before[i]
   local values = network:forward(position)
   local wanted = values:clone()
   wanted[moves[i]] = value
   local loss = criterion:forward(values, wanted)
   network:zeroGradParameters()
   network:backward(position, criterion:backward(values, wanted))
   network:updateParameters(learningRate)
   return loss
end

return function(steps)
   local loss
   for _ = 1, steps do loss = step() end
   return loss
end
