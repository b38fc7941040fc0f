require 'nn'
require 'optim'
torch.manualSeed(7)
local net = nn.Sequential():add(nn.Linear(3, 5)):add(nn.Tanh()):add(nn.Linear(5, 2))
local mse = nn.MSECriterion()
local x, y = torch.randn(8, 3), torch.randn(8, 2)
local w, g = net:getParameters()
local function feval()
  g:zero()
  local out = net:forward(x)
  local err = mse:forward(out, y)
  net:backward(x, mse:backward(out, y))
  return err, g
end
local file = os.tmpname()
local state = {learningRate = 0.1, momentum = 0.9}
for epoch = 1, 3 do
  local _, fs = optim.sgd(feval, w, state)
  print(fs[1])
  w, g = nil, nil -- save memory
  torch.save(file, net)
  w, g = net:getParameters()
end
for i = 1, 3 do
  optim.adam(feval, w, {learningRate = 0.01}, {})
  print(w:norm())
end
os.remove(file)
