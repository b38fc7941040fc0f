-- zeroGradParameters after the update, and only every second turn; what is left of the turn before counts
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
   if step % 2 == 0 then
      net:updateParameters(0.1)
      net:zeroGradParameters()
   end
   print(step, loss)
end
