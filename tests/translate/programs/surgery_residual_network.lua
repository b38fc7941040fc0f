-- A residual network made by functions, with weights initialized for findModules.
require 'nn'
torch.manualSeed(5)
local Convolution = nn.SpatialConvolution
local SBatchNorm = nn.SpatialBatchNormalization
local ReLU = nn.ReLU
local function shortcut(nIn, nOut, stride)
  if nIn ~= nOut then
    return nn.Sequential():add(Convolution(nIn, nOut, 1, 1, stride, stride)):add(SBatchNorm(nOut))
  else
    return nn.Identity()
  end
end
local function basicblock(nIn, n, stride)
  local s = nn.Sequential()
  s:add(Convolution(nIn, n, 3, 3, stride, stride, 1, 1))
  s:add(SBatchNorm(n))
  s:add(ReLU(true))
  s:add(Convolution(n, n, 3, 3, 1, 1, 1, 1))
  s:add(SBatchNorm(n))
  return nn.Sequential()
     :add(nn.ConcatTable():add(s):add(shortcut(nIn, n, stride)))
     :add(nn.CAddTable(true))
     :add(ReLU(true))
end
local model = nn.Sequential()
model:add(Convolution(3, 4, 3, 3, 1, 1, 1, 1))
model:add(basicblock(4, 4, 1))
model:add(basicblock(4, 8, 2))
model:add(nn.SpatialAveragePooling(4, 4, 1, 1))
model:add(nn.View(8):setNumInputDims(3))
model:add(nn.Linear(8, 10))
local function ConvInit(name)
  for k, v in pairs(model:findModules(name)) do
    local n = v.kW * v.kH * v.nOutputPlane
    v.weight:normal(0, math.sqrt(2 / n))
    v.bias:zero()
  end
end
local function BNInit(name)
  for k, v in pairs(model:findModules(name)) do
    v.weight:fill(1)
    v.bias:zero()
  end
end
ConvInit('nn.SpatialConvolution')
BNInit('nn.SpatialBatchNormalization')
for k, v in pairs(model:findModules('nn.Linear')) do
  v.bias:zero()
end
local x = torch.randn(2, 3, 8, 8)
local out = model:forward(x)
print(out:norm())
