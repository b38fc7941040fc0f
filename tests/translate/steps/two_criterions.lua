require 'nn'
torch.manualSeed(1)
local net = nn.Sequential():add(nn.Linear(4, 8)):add(nn.Tanh()):add(nn.Linear(8, 3))
local mse, abs = nn.MSECriterion(), nn.AbsCriterion()
local x, y = torch.randn(5, 4), torch.randn(5, 3)
for step = 1, 8 do
   net:zeroGradParameters()
   local out = net:forward(x)
   local l1 = mse:forward(out, y)
   local g1 = mse:backward(out, y)
   local l2 = abs:forward(out, y)
   local g2 = abs:backward(out, y)
   net:backward(x, g1 * 0.3 + g2 * 0.7)
   net:updateParameters(0.1)
   print(step, l1, l2)
end
