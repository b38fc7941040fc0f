-- Weights that a program fills itself: of layers that are one module in PyTorch, and of those that are none
require 'nn'
torch.manualSeed(9)

local scale, shift, factor = nn.CMul(3), nn.Add(3), nn.Mul()
local distances, pair, angles = nn.Euclidean(3, 2), nn.Bilinear(3, 2, 2), nn.Cosine(3, 2)
scale.weight:copy(torch.Tensor{2, -1, 0.5})
shift.bias:fill(0.5)
distances.weight:add(0.1)
pair.bias:zero()
angles.weight[1]:fill(0.3)
local x = torch.Tensor{1, -2, 3}
print(scale:forward(x), shift:forward(x), factor:forward(x), distances:forward(x), angles:forward(x))
print(pair:forward{x:view(1, 3), torch.ones(1, 2)}, factor.weight[1])

local words = nn.LookupTable(6, 3)
words.weight:uniform(-1, 1)
print(words.weight:sum(), words:forward(torch.LongTensor{1, 6}))

local net = nn.Sequential():add(nn.LookupTable(6, 3)):add(nn.Sum(1)):add(nn.Linear(3, 2))
net:get(1).weight:fill(0.5)
print(net:forward(torch.LongTensor{1, 6}), net.modules[1].weight:sum(), net:get(3).bias)

local two = nn.ParallelTable():add(nn.LookupTable(6, 3)):add(nn.LookupTable(5, 3))
two:get(2).weight[1]:zero()
print(two:forward{torch.LongTensor{1, 6}, torch.LongTensor{1, 2}}[2])

local norm = nn.BatchNormalization(3)
norm.running_mean:fill(0.2)
norm.running_var:mul(2)
norm:evaluate()
print(norm:forward(torch.ones(2, 3)):size(), norm.running_mean)
