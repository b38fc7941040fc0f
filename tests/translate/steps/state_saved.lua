require 'nn'
require 'optim'
torch.manualSeed(7)
local net = nn.Sequential():add(nn.Linear(3, 5)):add(nn.Tanh()):add(nn.Linear(5, 2))
local mse = nn.MSECriterion()
local x, y = torch.randn(8, 3), torch.randn(8, 2)
local w, g = net:getParameters()
local state = {learningRate = 0.1, momentum = 0.9, learningRateDecay = 0.01}
local function feval()
  g:zero()
  local out = net:forward(x)
  local err = mse:forward(out, y)
  net:backward(x, mse:backward(out, y))
  return err, g
end
local best, file = math.huge, os.tmpname()
for epoch = 1, 4 do
  local _, fs = optim.sgd(feval, w, state)
  if fs[1] < best then
    best = fs[1]
    torch.save(file, {model = net, optimState = state, epoch = epoch})
  end
  local checkpoint = {}
  checkpoint.model = net
  checkpoint.state = state
  checkpoint.epoch = epoch
  torch.save(file, checkpoint)
  torch.save(file, state)
  print(epoch, fs[1], best)
end
os.remove(file)
