require 'nn'
torch.manualSeed(1)
local crit = nn.MSECriterion()
crit.sizeAverage = false
local bce = nn.BCECriterion()
bce.sizeAverage = false
local nll = nn.ClassNLLCriterion()
nll.sizeAverage = false
local p, y = torch.rand(3, 2), torch.rand(3, 2)
print(crit:forward(p, y), bce:forward(p, y), nll:forward(torch.log(p), torch.Tensor{1, 2, 1}), 1)
