-- two branches with one set of weights, and the distance of what they give
require 'nn'
torch.manualSeed(1)
local left = nn.Sequential():add(nn.Linear(4, 3)):add(nn.Tanh())
local right = left:clone('weight', 'bias', 'gradWeight', 'gradBias')
local both = nn.ParallelTable():add(left):add(right)
local model = nn.Sequential():add(both):add(nn.PairwiseDistance(2))
local criterion = nn.MSECriterion()
local a, b = torch.randn(4, 4), torch.randn(4, 4)
local y = torch.Tensor{1, 0, 1, 0}
local weights, gradients = model:getParameters()
for step = 1, 6 do
   gradients:zero()
   local d = model:forward{a, b}
   local loss = criterion:forward(d, y)
   model:backward({a, b}, criterion:backward(d, y))
   weights:add(-0.05, gradients)
   print(step, loss)
end
