-- A bare nn.Recurrent in the interface of 2015: backward takes notes, backwardThroughTime does the work every
-- rho steps.
--
--    recurrent_2015.lua iterations [forget]
require 'rnn'
local items = require './items'

torch.manualSeed(1)
local count, rows, hidden, rho = 10000, 10, 64, 5

local model = nn.Sequential()
   :add(nn.Recurrent(hidden, nn.LookupTable(count, hidden), nn.Linear(hidden, hidden), nn.Sigmoid(), rho))
   :add(nn.Linear(hidden, count))
   :add(nn.LogSoftMax())
local criterion = nn.ClassNLLCriterion()
local nextBatch = items(count, rows)

losses = {}
for i = 1, tonumber(arg[1]) do
   local x, y = nextBatch()
   local prediction = model:forward(x)
   losses[i] = criterion:forward(prediction, y)
   model:backward(x, criterion:backward(prediction, y))
   if i % rho == 0 then
      model:backwardThroughTime()
      model:updateParameters(0.1)
      model:zeroGradParameters()
      if arg[2] == 'forget' then model:forget() end
   end
end
