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
-- Polyak average used for the test, and back
local avg = w:clone()
local beta = 0.99
local s = {learningRate = 0.1}
for i = 1, 5 do
  optim.sgd(feval, w, s)
  avg:mul(beta):add(1 - beta, w)
end
local kept = w:clone()
w:copy(avg)
print(mse:forward(net:forward(x), y))
w:copy(kept)
print(mse:forward(net:forward(x), y))
-- an ema in place with a lerp
local ema = torch.Tensor(w:size()):copy(w)
for i = 1, 3 do
  optim.sgd(feval, w, s)
  ema:add(0.1, w - ema)
end
print(ema:norm())
