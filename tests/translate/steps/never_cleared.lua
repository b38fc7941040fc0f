-- gradients are never cleared
require 'nn'
torch.manualSeed(1)
local net = nn.Sequential():add(nn.Linear(4, 8)):add(nn.Tanh()):add(nn.Linear(8, 3))
local mse = nn.MSECriterion()
local x, y = torch.randn(6, 4), torch.randn(6, 3)
net:zeroGradParameters()
for step = 1, 8 do
   local out = net:forward(x)
   local loss = mse:forward(out, y)
   net:backward(x, mse:backward(out, y))
   net:updateParameters(0.05)
   print(step, loss, net:get(1).gradWeight:norm())
end
