-- fine-tuning: the first layers stay, by either way that programs have
require 'nn'
require 'optim'
torch.manualSeed(1)
local features = nn.Sequential():add(nn.Linear(4, 8)):add(nn.Tanh())
local classifier = nn.Linear(8, 3)
local net = nn.Sequential():add(features):add(classifier)
local mse = nn.MSECriterion()
local x, y = torch.randn(5, 4), torch.randn(5, 3)
local params, gradParams = classifier:getParameters()
local state = {learningRate = 0.1}
local function feval()
   gradParams:zero()
   local h = features:forward(x)
   local out = classifier:forward(h)
   local loss = mse:forward(out, y)
   classifier:backward(h, mse:backward(out, y))
   return loss, gradParams
end
for step = 1, 5 do
   local _, fs = optim.sgd(feval, params, state)
   print(step, fs[1], features:get(1).weight:norm(), classifier.weight:norm())
end
