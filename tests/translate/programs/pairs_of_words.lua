-- Scores of pairs of words: a table of two lookups that is filled after it is added, and targets in another form.
require 'nn'
torch.manualSeed(8)
local context, word = nn.LookupTable(7, 3), nn.LookupTable(7, 3)
local net = nn.Sequential()
net:add(nn.ParallelTable())
net.modules[1]:add(context)
net.modules[1]:add(word)
net:add(nn.MM(false, true))
net:add(nn.Sigmoid())
local criterion = nn.BCECriterion()
local labels = torch.zeros(4)
labels[1] = 1
local function train(first, others)
   local p = net:forward({others, first})
   local loss = criterion:forward(p, labels)
   net:zeroGradParameters()
   net:backward({others, first}, criterion:backward(p, labels))
   net:updateParameters(0.5)
   return loss
end
local contexts, one = torch.IntTensor(4), torch.IntTensor(1)
for step = 1, 6 do
   one[1] = step
   contexts:random(1, 7)
   print(step, train(one, contexts))
end
