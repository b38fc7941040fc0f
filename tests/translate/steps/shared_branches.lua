-- two branches with the same weights
require 'nn'
torch.manualSeed(1)
local left = nn.Sequential():add(nn.Linear(4, 3)):add(nn.Tanh())
local right = left:clone()
right:share(left, 'weight', 'bias', 'gradWeight', 'gradBias')
local siamese = nn.ParallelTable()
siamese:add(left)
siamese:add(right)
local model = nn.Sequential()
model:add(siamese)
model:add(nn.CSubTable())
model:add(nn.Linear(3, 1))
local criterion = nn.MSECriterion()
local a, b = torch.randn(4, 4), torch.randn(4, 4)
local y = torch.Tensor(4, 1):fill(0.5)
local weights, gradients = model:getParameters()
for step = 1, 6 do
   gradients:zero()
   local d = model:forward{a, b}
   local loss = criterion:forward(d, y)
   model:backward({a, b}, criterion:backward(d, y))
   weights:add(-0.05, gradients)
   print(step, loss)
end
