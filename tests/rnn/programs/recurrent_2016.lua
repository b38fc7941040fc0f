-- The network of recurrent_2015.lua in the interface of 2016: rho steps forward, the same steps backward in
-- reverse.
--
--    recurrent_2016.lua iterations
require 'rnn'
local items = require './items'

torch.manualSeed(1)
local count, rows, hidden, rho = 10000, 10, 64, 5

local model = nn.Recursor(nn.Sequential()
   :add(nn.Recurrent(hidden, nn.LookupTable(count, hidden), nn.Linear(hidden, hidden), nn.Sigmoid(), rho))
   :add(nn.Linear(hidden, count))
   :add(nn.LogSoftMax()), rho)
local criterion = nn.ClassNLLCriterion()
local nextBatch = items(count, rows)

losses = {}
local inputs, gradients = {}, {}
for i = 1, tonumber(arg[1]) do
   local x, y = nextBatch()
   local prediction = model:forward(x)
   losses[i] = criterion:forward(prediction, y)
   table.insert(inputs, x)
   table.insert(gradients, criterion:backward(prediction, y):clone())
   if i % rho == 0 then
      for step = rho, 1, -1 do
         model:backward(inputs[step], gradients[step])
      end
      model:updateParameters(0.1)
      model:zeroGradParameters()
      model:forget()
      inputs, gradients = {}, {}
   end
end
