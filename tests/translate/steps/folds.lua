require 'nn'
require 'optim'
torch.manualSeed(7)
local mse = nn.MSECriterion()
local x, y = torch.randn(8, 3), torch.randn(8, 2)
-- folds
for fold = 1, 2 do
  local net = nn.Linear(3, 2)
  local w, g = net:getParameters()
  local state = {learningRate = 0.1, momentum = 0.9}
  local function feval()
    g:zero()
    local out = net:forward(x)
    local err = mse:forward(out, y)
    net:backward(x, mse:backward(out, y))
    return err, g
  end
  for i = 1, 3 do local _, fs = optim.sgd(feval, w, state) print(fs[1]) end
end
-- one state for all folds
local state = {learningRate = 0.1}
for fold = 1, 2 do
  local net = nn.Linear(3, 2)
  local w, g = net:getParameters()
  local function feval()
    g:zero()
    local out = net:forward(x)
    local err = mse:forward(out, y)
    net:backward(x, mse:backward(out, y))
    return err, g
  end
  for i = 1, 3 do local _, fs = optim.sgd(feval, w, state) print(fs[1]) end
end
