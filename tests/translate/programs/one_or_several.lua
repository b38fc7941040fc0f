-- Networks that are given single examples: always, or after they have learned from batches.
require 'nn'
torch.manualSeed(8)
local criterion = nn.ClassNLLCriterion()

local function learn(net, x, y)
   net:zeroGradParameters()
   local loss = criterion:forward(net:forward(x), y)
   net:backward(x, criterion:backward(net.output, y))
   net:updateParameters(0.1)
   print(loss)
end

-- sentences, one at a time
local words = nn.Sequential():add(nn.LookupTable(10, 5)):add(nn.TemporalConvolution(5, 4, 3)):add(nn.ReLU())
words:add(nn.TemporalMaxPooling(2)):add(nn.Reshape(12)):add(nn.Linear(12, 3)):add(nn.LogSoftMax())
for i = 1, 3 do
   local x, y = torch.LongTensor(8):random(1, 10), torch.random(1, 3)
   words:zeroGradParameters()
   print(criterion:forward(words:forward(x), y))
   words:backward(x, criterion:backward(words.output, y))
   words:updateParameters(0.1)
end

-- images, then one of them
local planes = nn.Sequential():add(nn.SpatialConvolution(2, 3, 3, 3)):add(nn.SpatialBatchNormalization(3))
planes:add(nn.ReLU()):add(nn.View(-1):setNumInputDims(3)):add(nn.Linear(48, 2)):add(nn.LogSoftMax())
local images = torch.randn(4, 2, 6, 6)
for i = 1, 3 do learn(planes, images, torch.Tensor(4):random(1, 2)) end
planes:evaluate()
for i = 1, 2 do print(planes:forward(images[i]):size(), planes.output:sum()) end

-- the same of volumes
local volumes = nn.Sequential():add(nn.VolumetricConvolution(1, 2, 2, 2, 2)):add(nn.Reshape(16)):add(nn.Linear(16, 2))
local solids = torch.randn(3, 1, 3, 3, 3)
print(volumes:forward(solids):sum(), volumes:forward(solids[2]):size())
