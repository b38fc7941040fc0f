-- Weights that are drawn anew, of single layers and of whole models, with a standard deviation and without.
require 'nn'
torch.manualSeed(5)
local words = nn.LookupTable(6, 4)
words:reset(0.25)
local net = nn.Sequential():add(words):add(nn.Sum(2)):add(nn.Linear(4, 5)):add(nn.Tanh()):add(nn.Linear(5, 2))
print(net:forward(torch.LongTensor{{1, 2}, {3, 4}}))
net:reset(0.05)
print(net:forward(torch.LongTensor{{1, 2}, {3, 4}}))
local images = nn.Sequential():add(nn.SpatialConvolution(1, 2, 3, 3)):add(nn.SpatialBatchNormalization(2))
images:add(nn.View(-1):setNumInputDims(3))
images:reset()
print(images:forward(torch.ones(2, 1, 4, 4):cumsum(3)):norm())
local one = nn.Linear(3, 3)
for i = 1, 2 do
   one:reset(0.1 * i)
   print(one.weight:norm(), one.bias:norm())
end
