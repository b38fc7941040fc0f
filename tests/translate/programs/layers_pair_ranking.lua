-- A criterion of pairs, whose target is a number.
require 'nn'
torch.manualSeed(3)
local Rank, parent = torch.class('nn.PairRank', 'nn.Criterion')
function Rank:__init(margin)
  parent.__init(self)
  self.margin = margin or 1
  self.gradInput = {torch.Tensor(), torch.Tensor()}
end
function Rank:updateOutput(input, y)
  local d = input[1] - input[2]
  self.diff = d * y
  self.loss = torch.cmax(-self.diff + self.margin, 0)
  self.output = self.loss:mean()
  return self.output
end
function Rank:updateGradInput(input, y)
  local active = self.loss:gt(0):typeAs(input[1])
  local n = input[1]:nElement()
  self.gradInput[1]:resizeAs(input[1]):copy(active):mul(-y / n)
  self.gradInput[2]:resizeAs(input[2]):copy(active):mul(y / n)
  return self.gradInput
end
local enc = nn.Sequential():add(nn.Linear(4, 3)):add(nn.Tanh()):add(nn.Linear(3, 1))
local both = nn.ParallelTable():add(enc):add(enc:clone('weight', 'bias', 'gradWeight', 'gradBias'))
local crit = nn.PairRank(0.5)
local a, b = torch.randn(6, 4), torch.randn(6, 4)
for i = 1, 5 do
  local y = i % 2 == 0 and 1 or -1
  local out = both:forward{a, b}
  local loss = crit:forward(out, y)
  enc:zeroGradParameters()
  both:backward({a, b}, crit:backward(out, y))
  enc:updateParameters(0.1)
  print(i, loss)
end
