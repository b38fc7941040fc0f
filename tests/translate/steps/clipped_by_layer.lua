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
local state = {learningRate = 0.1}
local maxNorm = 0.5
local function feval(x)
  gradParams:zero()
  local outputs = model:forward(inputs)
  local loss = criterion:forward(outputs, targets)
  model:backward(inputs, criterion:backward(outputs, targets))
  local _, grads = model:parameters()
  for _, g in ipairs(grads) do
    local n = g:norm()
    if n > maxNorm then g:mul(maxNorm / n) end
  end
  return loss, gradParams
end
for i = 1, 8 do
  local _, fs = optim.sgd(feval, params, state)
  print(i, fs[1], params:norm())
end
