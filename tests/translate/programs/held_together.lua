-- Containers that are there for the weights of what they hold, and are never called themselves.
require 'nn'
torch.manualSeed(4)
local words = nn.LookupTable(7, 3)
local mix = nn.Sequential():add(nn.CAddTable()):add(nn.Tanh())
local left, right = nn.Linear(3, 3), nn.Linear(3, 3)
local top = nn.Sequential():add(nn.Linear(3, 2)):add(nn.LogSoftMax())
local criterion = nn.ClassNLLCriterion()
local all = nn.Parallel():add(words):add(left):add(right):add(mix)
all:add(top)
local weights, gradients = all:getParameters()
print(weights:size(1))

local function step(a, b, class)
   local x, y = words:forward(a):clone(), nil
   local l, r = left:forward(x), nil
   r = right:forward(x)
   local h = mix:forward({l, r})
   local out = top:forward(h)
   local loss = criterion:forward(out, class)
   local g = mix:backward({l, r}, top:backward(h, criterion:backward(out, class)))
   local gx = left:backward(x, g[1]):clone()
   gx:add(right:backward(x, g[2]))
   words:backward(a, gx)
   return loss
end

all:training()
for i = 1, 4 do
   gradients:zero()
   local loss = step(torch.Tensor{1 + i % 3, 2, 5}, nil, torch.Tensor{1, 2, 1 + i % 2})
   weights:add(-0.2, gradients)
   print(('%.8f'):format(loss))
end
