require 'nn'
require 'optim'
torch.manualSeed(7)
local net = nn.Sequential():add(nn.Linear(3, 5)):add(nn.Tanh()):add(nn.Linear(5, 2))
local mse = nn.MSECriterion()
local x, y = torch.randn(8, 3), torch.randn(8, 2)
local w, g = net:getParameters()
local function feval(p)
  g:zero()
  local out = net:forward(x)
  local err = mse:forward(out, y)
  net:backward(x, mse:backward(out, y))
  return err, g
end
-- cooling: the state is reset when the rate falls
local lr = 0.1
local state = {learningRate = lr, momentum = 0.9}
local last = math.huge
for i = 1, 8 do
  local _, fs = optim.sgd(feval, w, state)
  if fs[1] > last * 0.95 then
    lr = lr / 2
    state = {learningRate = lr, momentum = 0.9}
  end
  last = fs[1]
  print(fs[1], lr)
end
