-- copies are kept
require 'nn'
torch.manualSeed(1)
local net = nn.Sequential():add(nn.Linear(4, 8)):add(nn.Tanh())
local outs = {}
for i = 1, 3 do outs[i] = net:forward(torch.randn(2, 4)):clone() end
for i = 1, 3 do print(outs[i]:norm()) end
local fa = net:forward(torch.randn(2, 4)):clone()
local fb = net:forward(torch.randn(2, 4))
print((fa - fb):norm())
