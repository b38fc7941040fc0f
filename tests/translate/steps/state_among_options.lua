require 'nn'
require 'optim'
torch.manualSeed(7)
local opt = {lr = 0.05, epochs = 3}
opt.optimState = {learningRate = opt.lr, momentum = 0.5}
local net = nn.Sequential():add(nn.Linear(3, 8)):add(nn.Tanh()):add(nn.Linear(8, 2))
local w, dw = net:getParameters()
local mse = nn.MSECriterion()
local X, Y = torch.randn(10, 3), torch.randn(10, 2)
local function feval(p)
  dw:zero()
  local out = net:forward(X)
  local err = mse:forward(out, Y)
  net:backward(X, mse:backward(out, Y))
  return err, dw
end
for e = 1, opt.epochs do
  local _, f = optim.sgd(feval, w, opt.optimState)
  print(e, f[1])
end
