-- Graphs whose nodes are given their only source in a table, and whose last node's name the program uses again.
require 'nngraph'
torch.manualSeed(2)

local function head(inputs, outputs)
   local x = nn.Identity()()
   local hidden = nn.Tanh()({nn.Linear(inputs, outputs)({x})})
   return nn.gModule({x}, {hidden})
end

local a, b = nn.Identity()(), nn.Identity()()
local first = head(3, 4)({a})
local distance = nn.Sequential():add(nn.PairwiseDistance(2)):add(nn.Reshape(1, true))
local apart = distance({first, nn.Linear(3, 4)({b})})
local output = nn.Sigmoid()({nn.Linear(1, 1)({apart})})
local model = nn.gModule({a, b}, {output})
local criterion = nn.BCECriterion()

for i = 1, 4 do
   local pair, y = {torch.randn(5, 3), torch.randn(5, 3)}, torch.Tensor(5, 1):random(0, 1)
   model:zeroGradParameters()
   local loss = criterion:forward(model:forward(pair), y)
   model:backward(pair, criterion:backward(model.output, y))
   model:updateParameters(0.5)
   print(loss)
end

local output = model:forward({torch.randn(2, 3), torch.randn(2, 3)})
print(output)
