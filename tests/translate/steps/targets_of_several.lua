-- Two heads and a target for each, one example at a time: a row of numbers and a class.
require 'nn'
torch.manualSeed(8)

local points = torch.randn(10, 4)
local places = torch.randn(10, 2)
local kinds = torch.Tensor(10):random(1, 3)
local heads = nn.ConcatTable():add(nn.Linear(4, 2)):add(nn.Linear(4, 3))
local both = nn.ParallelCriterion():add(nn.AbsCriterion(), 0.5):add(nn.CrossEntropyCriterion())

for i = 1, 10 do
  local wanted = {places[i], kinds[i]}
  local given = heads:forward(points[i])
  local loss = both:forward(given, wanted)
  heads:zeroGradParameters()
  heads:backward(points[i], both:backward(given, wanted))
  heads:updateParameters(0.1)
  print(i, loss)
end
print(both:forward(heads:forward(points[1]), {places[1], 2}))
