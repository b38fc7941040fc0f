-- Trainers of nn in all their forms, on data sets as StochasticGradient takes them.
require 'nn'
torch.manualSeed(11)

-- pairs in a table with a size
local pairs_of = {}
function pairs_of:size() return 12 end
local truth = torch.randn(3)
for i = 1, pairs_of:size() do
   local x = torch.randn(3)
   pairs_of[i] = {x, torch.Tensor{x:dot(truth)}}
end

-- tensors, and a function for the pairs of them
points = {data = torch.rand(9, 2, 4, 4), label = torch.Tensor(9)}
for i = 1, 9 do
   points.label[i] = i % 3 + 1
   points.data[i]:add(points.label[i] / 4)
end
setmetatable(points, {
   __index = function(t, i)
      return {t.data[i], t.label[i]}
   end
})
function points:size()
   return self.data:size(1)
end
print(points[2][2], points[3][1]:size(1))

-- with everything set, and both hooks
local function regression(data, epochs)
   local net = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 1))
   local seen = 0
   local trainer = nn.StochasticGradient(net, nn.MSECriterion())
   trainer.learningRate = 0.1
   trainer.learningRateDecay = 0.05
   trainer.maxIteration = epochs -- as many as are asked for
   trainer.verbose = false
   -- every pass is said
   trainer.hookIteration = function(self, iteration, err)
      print(string.format('pass %d at %g: %.8f', iteration, trainer.learningRate, err))
   end
   function trainer:hookExample(example)
      seen = seen + example[1]:nElement()
   end
   trainer:train(data)
   print('seen ' .. seen .. ', ' .. trainer.maxIteration .. ' passes')
   return net
end
print(regression(pairs_of, 3):forward(torch.ones(3))[1])

-- as in the tutorial
net = nn.Sequential()
net:add(nn.SpatialConvolution(2, 3, 3, 3)):add(nn.ReLU())
net:add(nn.View(3 * 2 * 2)):add(nn.Linear(3 * 2 * 2, 3)):add(nn.LogSoftMax())
criterion = nn.ClassNLLCriterion()
trainer = nn.StochasticGradient(net, criterion)
trainer.shuffleIndices = false
trainer.maxIteration = 2 -- just two
trainer:train(points)

local correct = 0
for i = 1, points:size() do
   local _, guess = net:forward(points.data[i]):max(1)
   if guess[1] == points[i][2] then correct = correct + 1 end
end
print(correct .. ' of ' .. points:size())

-- another network in the variable, once the first one is trained
net = nn.Sequential():add(nn.Linear(2, 3)):add(nn.Tanh()):add(nn.Linear(3, 1))
print(net:forward(torch.ones(2))[1])
