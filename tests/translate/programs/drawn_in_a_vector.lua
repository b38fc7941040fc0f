-- Weights that are drawn in one vector, beside a normalization, whose averages lie elsewhere; and gradients of a table,
-- one part of which is not looked at.
require 'nn'
torch.manualSeed(4)
local model = nn.Sequential()
model:add(nn.ParallelTable():add(nn.Linear(3, 4)):add(nn.Linear(2, 4)):add(nn.Linear(2, 4)))
model:add(nn.NarrowTable(1, 2)):add(nn.CAddTable()):add(nn.BatchNormalization(4)):add(nn.Linear(4, 2))
local criterion = nn.MSECriterion()
local weights, gradients = model:getParameters()
weights:uniform(-0.3, 0.3)

for i = 1, 3 do
   local x, y = {torch.randn(4, 3), torch.randn(4, 2), torch.randn(4, 2)}, torch.randn(4, 2)
   gradients:zero()
   local loss = criterion:forward(model:forward(x), y)
   model:backward(x, criterion:backward(model.output, y))
   gradients:add(torch.sign(weights):mul(0.01))
   weights:add(-0.1, gradients)
   print(loss, weights:norm())
end

local x = {torch.randn(4, 3), torch.randn(4, 2), torch.randn(4, 2)}
local output = model:forward(x)
local parts = model:updateGradInput(x, torch.ones(4, 2))
for i = 1, 3 do print(i, parts[i]:norm()) end
