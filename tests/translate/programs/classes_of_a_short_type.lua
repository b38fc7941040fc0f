-- Classes for a criterion, and words for a table of vectors, of a whole type that is not the longest.
require 'nn'
torch.manualSeed(3)
local net = nn.Sequential():add(nn.LookupTable(6, 4)):add(nn.Sum(2)):add(nn.Linear(4, 3))
local criterion = nn.CrossEntropyCriterion()
local batches = {}
for b = 1, 2 do
   batches[b] = {words = torch.IntTensor(5, 2):random(1, 6), target = torch.IntTensor(5):random(1, 3)}
end
for epoch = 1, 2 do
   for _, batch in ipairs(batches) do
      net:zeroGradParameters()
      local output = net:forward(batch.words)
      print(criterion:forward(output, batch.target))
      net:backward(batch.words, criterion:backward(output, batch.target))
      net:updateParameters(0.1)
   end
end
local single = torch.IntTensor{2}
print(nn.ClassNLLCriterion():forward(nn.LogSoftMax():forward(torch.ones(1, 3)), single))
