require 'nn'
require 'optim'
torch.manualSeed(7)
-- layers with rates of their own, as in fine-tuning
local base = nn.Sequential():add(nn.Linear(4, 6)):add(nn.Tanh())
local head = nn.Linear(6, 2)
local net = nn.Sequential():add(base):add(head)
local pBase, gBase = base:getParameters()
local pHead, gHead = head:getParameters()
local states = {base = {learningRate = 0.01}, head = {learningRate = 0.1}}
local mse = nn.MSECriterion()
local x, y = torch.randn(9, 4), torch.randn(9, 2)
for i = 1, 5 do
  net:zeroGradParameters()
  local out = net:forward(x)
  local loss = mse:forward(out, y)
  net:backward(x, mse:backward(out, y))
  optim.sgd(function() return loss, gBase end, pBase, states.base)
  optim.sgd(function() return loss, gHead end, pHead, states.head)
  print(i, loss)
end
