require 'nn'
require 'optim'
torch.manualSeed(7)
local net = nn.Sequential():add(nn.Linear(3, 5)):add(nn.Tanh()):add(nn.Linear(5, 2))
local mse = nn.MSECriterion()
local x, y = torch.randn(8, 3), torch.randn(8, 2)
local w, g = net:getParameters()
local function feval()
  g:zero()
  local out = net:forward(x)
  local err = mse:forward(out, y)
  net:backward(x, mse:backward(out, y))
  return err, g
end
local optim_config = {learningRate = 0.1}
for i = 1, 6 do
  if i % 2 == 0 then
    local old_lr = optim_config.learningRate
    optim_config = {learningRate = old_lr * 0.5}
  end
  local _, loss = optim.adam(feval, w, optim_config)
  print(loss[1])
end
