-- layers that the program gives names, and finds again by them
require 'nn'
require 'optim'
torch.manualSeed(2)
local net = nn.Sequential()
local first = nn.Linear(3, 4)
first.name = 'first'
net:add(first):add(nn.Tanh())
local last = nn.Linear(4, 2)
last.name = 'last'
net:add(last)
for i = 1, #net do
  local layer = net:get(i)
  if layer.name == 'last' then print('the last one is at', i) end
end
local layers, found = {}, nil
local function note(layer)
  local class = torch.typename(layer)
  if layer.name ~= nil then layers[layer.name] = layer end
end
net:apply(note)
net:apply(function(layer) if layer.name == 'last' then found = layer end end)
if torch.isTypeOf(found, 'nn.Module') then print(found.bias:size(1), layers.first.weight:size(1)) end
local weights, gradients = net:getParameters()
local criterion = nn.MSECriterion()
local x, y = torch.randn(5, 3), torch.randn(5, 2)
local function evaluate(w)
  assert(w == weights)
  gradients:zero()
  local loss = criterion:forward(net:forward(x), y)
  net:backward(x, criterion:backward(net.output, y))
  return loss, gradients
end
for i = 1, 3 do
  local _, losses = optim.sgd(evaluate, weights, {learningRate = 0.1})
  print(losses[1])
end
