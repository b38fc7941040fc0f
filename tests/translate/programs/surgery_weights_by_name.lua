-- Weights initialized by what the layers are called, as in GANs.
require 'nn'
torch.manualSeed(4)
local function start(layer)
   local kind = torch.type(layer)
   if kind:find('Convolution') then
      layer:noBias()
      layer.weight:normal(0, 0.03)
   elseif kind:find('BatchNormalization') then
      if layer.bias then layer.bias:zero() end
      if layer.weight then layer.weight:normal(1, 0.03) end
   end
end
local Normal = nn.SpatialBatchNormalization
local Conv = nn.SpatialConvolution
local Deconv = nn.SpatialFullConvolution
local codes, wide, planes, narrow = 5, 4, 1, 4
local maker = nn.Sequential()
maker:add(Deconv(codes, wide * 2, 4, 4))
maker:add(Normal(wide * 2)):add(nn.ReLU(true))
maker:add(Deconv(wide * 2, planes, 4, 4, 2, 2, 1, 1))
maker:add(nn.Tanh())
maker:apply(start)
local judge = nn.Sequential()
judge:add(Conv(planes, narrow, 4, 4, 2, 2, 1, 1))
judge:add(nn.LeakyReLU(0.2, true))
judge:add(Conv(narrow, 1, 4, 4))
judge:add(nn.Sigmoid())
judge:add(nn.View(1):setNumInputDims(3))
judge:apply(start)
local noise = torch.randn(3, codes, 1, 1)
local fake = maker:forward(noise)
local p = judge:forward(fake)
print(fake:norm(), p:sum())
