-- a trainer that takes its examples in order draws an order nevertheless, before the one that the program draws
require 'nn'
torch.manualSeed(5)
local net, criterion = nn.Sequential():add(nn.Linear(2, 1)), nn.MSECriterion()
local data = {}
for i = 1, 6 do data[i] = {torch.randn(2), torch.randn(1)} end
function data:size() return #self end
local trainer = nn.StochasticGradient(net, criterion)
trainer.learningRate = 0.05
trainer.maxIteration = 2
trainer.shuffleIndices = false
trainer:train(data)
local order = torch.randperm(6)
for i = 1, 3 do
  local example = data[order[i]]
  local loss = criterion:forward(net:forward(example[1]), example[2])
  net:zeroGradParameters()
  net:backward(example[1], criterion:backward(net.output, example[2]))
  net:updateParameters(0.1)
  print(order[i], loss)
end
