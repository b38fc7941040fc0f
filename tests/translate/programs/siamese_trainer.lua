-- pairs of examples: a siamese network that a trainer trains, whose shared weights move once
require 'nn'
require 'optim'
torch.manualSeed(11)
local function makeEncoder(nin, nhidden, nout)
  local enc = nn.Sequential()
  enc:add(nn.Linear(nin, nhidden))
  enc:add(nn.ReLU())
  enc:add(nn.Linear(nhidden, nout))
  return enc
end
local encoder = makeEncoder(6, 8, 3)
local siamese = nn.ParallelTable()
siamese:add(encoder)
siamese:add(encoder:clone('weight', 'bias', 'gradWeight', 'gradBias'))
local model = nn.Sequential():add(siamese):add(nn.PairwiseDistance(2))
local criterion = nn.HingeEmbeddingCriterion(1)
local dataset = {}
for i = 1, 30 do
  local a = torch.randn(6)
  local same = math.fmod(i, 2) == 0
  local b = same and (a + torch.randn(6) * 0.1) or torch.randn(6)
  dataset[i] = {{a, b}, same and 1 or -1}
end
function dataset:size() return #self end
local trainer = nn.StochasticGradient(model, criterion)
trainer.learningRate = 0.02
trainer.maxIteration = 3
trainer.shuffleIndices = false
trainer.verbose = false
trainer.hookIteration = function(self, iteration, err) print(iteration, string.format('%.5f', err)) end
trainer:train(dataset)
local correct = 0
for i = 1, #dataset do
  local d = model:forward(dataset[i][1])[1]
  if (d < 0.5) == (dataset[i][2] == 1) then correct = correct + 1 end
end
print(correct)
