require 'nn'
require 'optim'
torch.manualSeed(7)
local net = nn.Sequential():add(nn.Linear(3, 5)):add(nn.Tanh()):add(nn.Linear(5, 2))
local mse = nn.MSECriterion()
local x, y = torch.randn(8, 3), torch.randn(8, 2)
local w, g = net:getParameters()
local function feval(p)
  if p ~= w then w:copy(p) end
  g:zero()
  local out = net:forward(x)
  local err = mse:forward(out, y)
  net:backward(x, mse:backward(out, y))
  return err, g
end
-- Adam by hand on the flat vectors
local m, v, t = g:clone():zero(), g:clone():zero(), 0
local b1, b2, eps, lr = 0.9, 0.999, 1e-8, 0.01
for i = 1, 5 do
  local err = feval(w)
  t = t + 1
  m:mul(b1):add(1 - b1, g)
  v:mul(b2):addcmul(1 - b2, g, g)
  local denom = torch.sqrt(v):add(eps)
  w:addcdiv(-lr * math.sqrt(1 - b2^t) / (1 - b1^t), m, denom)
  print(err, w:norm())
end
