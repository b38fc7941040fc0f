-- A saved model with another last layer, its first layers frozen.
require 'nn'
torch.manualSeed(5)
local net = nn.Sequential():add(nn.Linear(4, 8)):add(nn.ReLU()):add(nn.Dropout(0.5)):add(nn.Linear(8, 5)):add(nn.LogSoftMax())
local path = os.tmpname()
torch.save(path, net)
local model = torch.load(path)
os.remove(path)
model:remove(#model.modules)
model:remove(#model.modules)
model:add(nn.Linear(8, 2))
model:add(nn.LogSoftMax())
for i = 1, 2 do
  model:get(i).accGradParameters = function() end
end
model:evaluate()
local x = torch.randn(5, 4)
local y = torch.Tensor{1, 2, 1, 2, 2}
local crit = nn.ClassNLLCriterion()
for i = 1, 4 do
  local out = model:forward(x)
  local loss = crit:forward(out, y)
  model:zeroGradParameters()
  model:backward(x, crit:backward(out, y))
  model:updateParameters(0.5)
  print(i, loss)
end
print(#model.modules, model:size())
