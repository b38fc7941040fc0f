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
-- swa: an average each second epoch, restored at the end; learning rate by a table of epochs
local rates = {[1] = 0.1, [3] = 0.05, [5] = 0.01}
local s = {learningRate = 0.1, learningRateDecay = 1e-3}
local swa, n = nil, 0
for epoch = 1, 6 do
  if rates[epoch] then s.learningRate = rates[epoch] end
  local _, fs = optim.sgd(feval, w, s)
  if epoch % 2 == 0 then
    if not swa then swa = w:clone() else swa:mul(n):add(w):div(n + 1) end
    n = n + 1
  end
  print(epoch, fs[1], s.learningRate)
end
w:copy(swa)
print(feval(w) > 0, w:norm())
