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
local methods = {sgd = optim.sgd, adam = optim.adam, adagrad = optim.adagrad}
local which = 'adagrad'
local method = methods[which]
local state = {learningRate = 0.05}
for i = 1, 5 do
  local _, fs = method(feval, params, state)
  print(i, fs[1])
end
