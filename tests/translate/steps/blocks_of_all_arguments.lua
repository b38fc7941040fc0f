-- Blocks that hand all that they are given to a layer.
require 'nn'
torch.manualSeed(3)
local net = nn.Sequential()

local function block(...)
   local sizes = {...}
   net:add(nn.SpatialConvolution(...))
   net:add(nn.SpatialBatchNormalization(sizes[2], 1e-3))
   net:add(nn.Tanh())
   return net
end

local function pool(...)
   net:add(nn.SpatialMaxPooling(...))
end

block(2, 4, 3, 3, 1, 1, 1, 1)
pool(2, 2)
block(4, 3, 1, 1)
pool(2, 2, 1, 1)
net:add(nn.View(-1):setNumInputDims(3))
net:add(nn.Linear(12, 2))
local criterion = nn.MSECriterion()
local x, y = torch.randn(5, 2, 6, 6), torch.randn(5, 2)
for i = 1, 3 do
   local loss = criterion:forward(net:forward(x), y)
   net:zeroGradParameters()
   net:backward(x, criterion:backward(net.output, y))
   net:updateParameters(0.05)
   print(i, loss)
end
