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
local config = {learningRate = 0.1, momentum = 0.9}
local sgdState
for epoch = 1, 3 do
  sgdState = sgdState or {learningRate = config.learningRate, momentum = config.momentum, learningRateDecay = 5e-7}
  for t = 1, 8, 4 do
    local bx, by = x:narrow(1, t, 4), y:narrow(1, t, 4)
    local ev = function(p)
      if p ~= w then w:copy(p) end
      g:zero()
      local f = 0
      for i = 1, 4 do
        local out = net:forward(bx[i])
        local err = mse:forward(out, by[i])
        f = f + err
        local df = mse:backward(out, by[i])
        net:backward(bx[i], df)
      end
      g:div(4)
      f = f / 4
      return f, g
    end
    local _, fs = optim.sgd(ev, w, sgdState)
    print(epoch, t, fs[1])
  end
end
