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
local state = {learningRate = 0.5}
for i = 1, 8 do
  local _, fs = optim.sgd(feval, params, state)
  for j = 1, model:size() do
    local m = model:get(j)
    if m.weight then
      local norms = m.weight:norm(2, 2)
      for k = 1, m.weight:size(1) do
        if norms[k][1] > 0.8 then m.weight[k]:mul(0.8 / norms[k][1]) end
      end
    end
  end
  print(i, fs[1], params:norm())
end
