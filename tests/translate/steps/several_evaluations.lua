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
-- lbfgs on minibatches and its state kept; with a changed maxIter
local state = {maxIter = 2, learningRate = 0.5}
for i = 1, 3 do
  local _, fs = optim.lbfgs(feval, w, state)
  print(#fs, fs[#fs])
  if i == 2 then state.maxIter = 4 end
end
local n = 0
local c = {maxIter = 3}
local _, fs = optim.cg(function(p) n = n + 1 return feval(p) end, w, c)
print(n, #fs)
