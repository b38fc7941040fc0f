-- a table of inputs and a table of outputs, gradients of both by hand
require 'nn'
torch.manualSeed(1)
local net = nn.ParallelTable():add(nn.Linear(4, 3)):add(nn.Sequential():add(nn.Linear(2, 3)):add(nn.Tanh()))
local a, b = torch.randn(5, 4), torch.randn(5, 2)
for step = 1, 4 do
   net:zeroGradParameters()
   local out = net:forward{a, b}
   local g = {out[1] - out[2], out[2] - out[1]}
   local d = net:backward({a, b}, g)
   net:updateParameters(0.1)
   a:add(-0.1, d[1])
   print(step, (out[1] - out[2]):norm(), d[1]:norm(), d[2]:norm())
end
