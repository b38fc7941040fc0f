require 'nn'
require 'optim'
torch.manualSeed(7)
local model = nn.Sequential()
model:add(nn.Linear(4, 6))
model:add(nn.Tanh())
model:add(nn.Linear(6, 3))
model:add(nn.LogSoftMax())
local criterion = nn.ClassNLLCriterion()
local inputs = torch.randn(24, 4)
local targets = torch.Tensor(24)
for i = 1, 24 do targets[i] = (i % 3) + 1 end
local params, gradParams = model:getParameters()
local function feval(x)
  if x ~= params then params:copy(x) end
  gradParams:zero()
  local outputs = model:forward(inputs)
  local loss = criterion:forward(outputs, targets)
  model:backward(inputs, criterion:backward(outputs, targets))
  return loss, gradParams
end
local diff, dC, dC_est = optim.checkgrad(feval, params, 1e-5)
print(diff < 1e-6)
local eps = 1e-5
feval(params)
local g = gradParams:clone()
for i = 1, 5 do
  local old = params[i]
  params[i] = old + eps
  local up = feval(params)
  params[i] = old - eps
  local down = feval(params)
  params[i] = old
  local num = (up - down) / (2 * eps)
  print(i, math.abs(num - g[i]) < 1e-6)
end
