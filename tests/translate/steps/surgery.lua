-- a network is taken apart and put together anew
require 'nn'
torch.manualSeed(1)
local net = nn.Sequential():add(nn.Linear(4, 8)):add(nn.Tanh()):add(nn.Linear(8, 3)):add(nn.LogSoftMax())
net:remove(4)
net:remove(#net.modules)
net:add(nn.Linear(8, 2))
net:insert(nn.Dropout(0), 3)
net:get(1).bias:zero()
local mse = nn.MSECriterion()
local x, y = torch.randn(5, 4), torch.randn(5, 2)
for step = 1, 5 do
   net:zeroGradParameters()
   local out = net:forward(x)
   local loss = mse:forward(out, y)
   net:backward(x, mse:backward(out, y))
   net:updateParameters(0.1)
   print(step, loss, net:get(1).bias:norm())
end
