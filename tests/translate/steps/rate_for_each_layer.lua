-- a rate for each layer
require 'nn'
torch.manualSeed(1)
local net = nn.Sequential():add(nn.Linear(4, 8)):add(nn.Tanh()):add(nn.Linear(8, 3))
local mse = nn.MSECriterion()
local x, y = torch.randn(5, 4), torch.randn(5, 3)
for step = 1, 5 do
   net:zeroGradParameters()
   local out = net:forward(x)
   local loss = mse:forward(out, y)
   net:backward(x, mse:backward(out, y))
   net:get(1):updateParameters(0.01)
   net:get(3):updateParameters(0.1)
   net:get(3).weight:add(-0.001, net:get(3).weight)
   print(step, loss, net:get(1).weight:norm(), net:get(3).weight:norm())
end
