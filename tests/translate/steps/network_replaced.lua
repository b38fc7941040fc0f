require 'nn'
torch.manualSeed(7)
local x = torch.randn(8, 3)
local net = nn.Linear(3, 2)
local w = net:getParameters()
local before = net
net = nn.Linear(3, 2)
w:mul(2)
print(before:forward(x):sum(), net:forward(x):sum(), w:norm())
