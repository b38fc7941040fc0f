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
-- backtracking line search
local rate = 1
for i = 1, 6 do
  local f0 = feval(w)
  local d = g:clone():mul(-1)
  local slope = -g:dot(g)
  local w0 = w:clone()
  local t = rate
  while true do
    w:copy(w0):add(t, d)
    local f = mse:forward(net:forward(x), y)
    if f <= f0 + 1e-4 * t * slope or t < 1e-8 then break end
    t = t / 2
  end
  print(i, f0, t)
end
