-- Batch normalizations of batches of one example, looked for among all layers.
require 'nn'
torch.manualSeed(1)

local size = 1
local model = nn.Sequential()
model:add(nn.SpatialConvolution(1, 2, 3, 3))
model:add(nn.SpatialBatchNormalization(2))
model:add(nn.ReLU())

local function init(m)
   local name = torch.type(m)
   if name:find('Convolution') then
      m.weight:normal(0, 0.1)
   elseif name:find('BatchNormalization') then
      m.weight:normal(1, 0.1)
      m.bias:fill(0.5)
   end
end

model:apply(init)
print(model:get(2).weight:sum())
print(model:forward(torch.randn(size, 1, 5, 5)):sum())
