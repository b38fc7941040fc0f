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
print((feval(w)))
for i = 1, 3 do
  local _, fs = optim.sgd(feval, w, {learningRate = 0.1})
  local after = feval(w)
  print(fs[1], after, g:norm())
end
if feval(w) < 1 then print('small') end
