-- Sums of criterions with weights, of one target and of several.
require 'nn'
torch.manualSeed(2)
local trunk = nn.Sequential():add(nn.Linear(5, 8)):add(nn.ReLU())
local heads = nn.ConcatTable()
heads:add(nn.Sequential():add(nn.Linear(8, 3)):add(nn.LogSoftMax()))
heads:add(nn.Linear(8, 1))
local model = nn.Sequential():add(trunk):add(heads)
local crit = nn.ParallelCriterion()
crit:add(nn.ClassNLLCriterion(), 0.7)
crit:add(nn.MSECriterion(), 0.3)
local multi = nn.MultiCriterion():add(nn.MSECriterion(), 0.5):add(nn.AbsCriterion())
local x = torch.randn(6, 5)
local classes, values = torch.Tensor{1, 2, 3, 3, 2, 1}, torch.randn(6, 1)
for i = 1, 4 do
  local out = model:forward(x)
  local loss = crit:forward(out, {classes, values})
  model:zeroGradParameters()
  model:backward(x, crit:backward(out, {classes, values}))
  model:updateParameters(0.1)
  print(i, loss, multi:forward(out[2], values))
end
