-- A model whose settings have the names that a page would give what goes through it.
require 'nn'

torch.manualSeed(5)

local function build(x, y, out)
   return nn.Sequential():add(nn.Power(x)):add(nn.AddConstant(y)):add(nn.Linear(3, out))
end

local x = 2
local model = build(x, 1, 2)
local side = nn.Sequential():add(nn.MulConstant(x)):add(nn.Linear(3, 2))
local criterion = nn.MSECriterion()
local inputs, targets = torch.randn(4, 3), torch.randn(4, 2)
for _ = 1, 3 do
   model:zeroGradParameters()
   local output = model:forward(inputs)
   local loss = criterion:forward(output, targets)
   model:backward(inputs, criterion:backward(output, targets))
   model:updateParameters(0.05)
   print(loss)
end
print(side:forward(inputs):sum())
