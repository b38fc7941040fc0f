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
for i = 1, 3 do
  optim.sgd(feval, w, {learningRate = 0.1})
  local f, df = feval(w)
  w:add(-0.1, df)
  print(f, df:norm(), w:norm())
end
