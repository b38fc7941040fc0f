-- Containers that a function of the program adds to, between the program's own layers
require 'nn'
torch.manualSeed(4)
local function bottom(net, from, to)
   net:add(nn.SpatialConvolution(from, to, 3, 3, 1, 1, 1, 1))
   net:add(nn.LeakyReLU(0.2))
end
local function block(net, from, to)
   bottom(net, from, to)
   net:add(nn.SpatialBatchNormalization(to))
   return net
end
local encoder = nn.Sequential()
block(encoder, 1, 4)
encoder:add(nn.SpatialMaxPooling(2, 2, 2, 2))
block(encoder, 4, 6)
encoder:add(nn.SpatialAveragePooling(2, 2))
local decoder = nn.Sequential()
decoder:add(nn.SpatialUpSamplingNearest(2))
bottom(decoder, 6, 2)
decoder:add(nn.HardTanh(-0.5, 0.5))
local model = nn.Sequential():add(encoder):add(decoder)
local criterion = nn.MSECriterion()
local x, y = torch.randn(3, 1, 8, 8), torch.randn(3, 2, 6, 6)
for turn = 1, 4 do
   local out = model:forward(x)
   print(turn, criterion:forward(out, y), out:size(2), out:size(3))
   model:zeroGradParameters()
   model:backward(x, criterion:backward(out, y))
   model:updateParameters(0.1)
end
local whole = nn.Sequential()
local function layer(n, m)
   whole:add(nn.Linear(n, m))
   whole:add(nn.Tanh())
   return whole
end
layer(3, 4):add(nn.Dropout(0.3))
layer(4, 2)
print(whole:forward(torch.randn(5, 3)):norm())
