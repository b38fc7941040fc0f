-- a trunk with two heads, one of which gets no gradient at first
require 'nn'
torch.manualSeed(1)
local net = nn.Sequential():add(nn.Linear(4, 8)):add(nn.Tanh())
net:add(nn.ConcatTable():add(nn.Linear(8, 3)):add(nn.Linear(8, 2)))
local mse = nn.MSECriterion()
local x, y = torch.randn(5, 4), torch.randn(5, 3)
for step = 1, 8 do
   net:zeroGradParameters()
   local out = net:forward(x)
   local loss = mse:forward(out[1], y)
   local g = mse:backward(out[1], y)
   net:backward(x, {g, torch.zeros(5, 2)})
   net:updateParameters(0.1)
   print(step, loss)
end
