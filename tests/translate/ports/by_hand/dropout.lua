-- Learns with dropout, and is asked without it.
require 'nn'
torch.manualSeed(2)

local epochs = tonumber(arg[1]) or 5
local model = nn.Sequential()
   :add(nn.Linear(6, 12))
   :add(nn.ReLU())
   :add(nn.Dropout(0.4))
   :add(nn.Linear(12, 1))
local criterion = nn.MSECriterion()
local x, y = torch.randn(20, 6), torch.randn(20, 1)

for epoch = 1, epochs do
   model:training()
   local loss = criterion:forward(model:forward(x), y)
   model:zeroGradParameters()
   model:backward(x, criterion:backward(model.output, y))
   model:updateParameters(0.1)
   model:evaluate()
   print('epoch ' .. epoch .. ': ' .. loss .. ', without dropout ' .. criterion:forward(model:forward(x), y))
end
