-- weights that lie otherwise in PyTorch, filled with one number
require 'nn'
torch.manualSeed(1)
local conv = nn.TemporalConvolution(3, 4, 2)
conv.weight:fill(0.1)
conv.bias:zero()
local net = nn.Sequential():add(conv):add(nn.Max(1)):add(nn.Linear(4, 2))
local x = torch.randn(5, 3)
local crit = nn.MSECriterion()
for i = 1, 3 do
  local y = net:forward(x)
  print(crit:forward(y, torch.ones(2)))
  net:zeroGradParameters()
  net:backward(x, crit:backward(y, torch.ones(2)))
  net:updateParameters(0.1)
end
