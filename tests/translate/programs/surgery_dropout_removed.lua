-- Dropout replaced by nothing, weights drawn by layer, clones that share.
require 'nn'
torch.manualSeed(5)
local function build(n)
  local features = nn.Sequential()
  for i = 1, n do
    features:add(nn.Linear(4, 4))
    features:add(nn.Tanh())
    if i < n then features:add(nn.Dropout(0.2)) end
  end
  local classifier = nn.Sequential()
  classifier:add(nn.Linear(4, 3)):add(nn.LogSoftMax())
  local model = nn.Sequential():add(features):add(classifier)
  return model, features, classifier
end
local model, features = build(2)
-- no dropout any more
model:replace(function(m)
  if torch.typename(m) == 'nn.Dropout' then return nn.Identity() end
  return m
end)
-- stdv
local stdv = 0.1
for i, l in ipairs(features.modules) do
  if torch.type(l) == 'nn.Linear' then
    l.weight:uniform(-stdv, stdv)
    l.bias:uniform(-stdv, stdv)
  end
end
local clones = {}
for t = 1, 3 do
  clones[t] = model:clone('weight', 'bias', 'gradWeight', 'gradBias')
end
local x = torch.randn(2, 4)
for t = 1, 3 do print(t, clones[t]:forward(x):norm()) end
print(model:get(1):get(1).weight:sum())
print(features:size(), #model:get(2).modules)
