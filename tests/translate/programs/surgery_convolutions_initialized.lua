-- Convolutions initialized, counted and frozen by apply.
require 'nn'
torch.manualSeed(5)
local model = nn.Sequential()
model:add(nn.SpatialConvolution(1, 4, 5, 5)):add(nn.ReLU()):add(nn.SpatialMaxPooling(2, 2, 2, 2))
model:add(nn.View(4 * 4 * 4)):add(nn.Linear(64, 10)):add(nn.LogSoftMax())
-- MSR init
local function MSRinit(net)
  local function init(name)
    for k, v in pairs(net:findModules(name)) do
      local n = v.kW * v.kH * v.nOutputPlane
      v.weight:normal(0, math.sqrt(2 / n))
      v.bias:zero()
    end
  end
  init 'nn.SpatialConvolution'
end
MSRinit(model)
model:apply(function(m)
  if m.weight then
    m.weight:mul(0.5)
    m.bias:fill(0.1)
  end
end)
local count = 0
model:apply(function(m) if torch.typename(m) == 'nn.Linear' or torch.typename(m) == 'nn.SpatialConvolution' then count = count + m.weight:nElement() end end)
print(count)
for i, m in ipairs(model.modules) do
  if m.weight then print(i, m.weight:norm()) end
end
model:apply(function(m)
  if torch.type(m):find('Convolution') then m.accGradParameters = function() end end
end)
local x, y = torch.randn(3, 1, 12, 12), torch.Tensor{1, 5, 10}
local crit = nn.ClassNLLCriterion()
for i = 1, 3 do
  local out = model:forward(x)
  local l = crit:forward(out, y) print(l)
  model:zeroGradParameters()
  model:backward(x, crit:backward(out, y))
  model:updateParameters(0.1)
end
