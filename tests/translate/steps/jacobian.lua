-- several steps' worth of gradients at one output: repeated backward after one forward
require 'nn'
torch.manualSeed(1)
local net = nn.Sequential():add(nn.Linear(4, 3)):add(nn.Tanh())
local x = torch.randn(5, 4)
local out = net:forward(x)
local jacobian = torch.zeros(3, 4)
for i = 1, 3 do
   local g = torch.zeros(5, 3)
   g:select(2, i):fill(1)
   jacobian[i]:copy(net:updateGradInput(x, g)[1])
end
for i = 1, 3 do for j = 1, 4 do print(jacobian[i][j]) end end
