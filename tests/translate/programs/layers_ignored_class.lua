-- A criterion that goes through its rows and leaves some out.
require 'nn'
torch.manualSeed(3)
local Crit, parent = torch.class('nn.IgnoreNLL', 'nn.Criterion')
function Crit:__init(ignore)
  parent.__init(self)
  self.ignore = ignore
end
function Crit:updateOutput(input, target)
  local total, n = 0, 0
  for i = 1, target:size(1) do
    if target[i] ~= self.ignore then
      total = total - input[i][target[i]]
      n = n + 1
    end
  end
  self.n = n
  self.output = total / n
  return self.output
end
function Crit:updateGradInput(input, target)
  self.gradInput:resizeAs(input):zero()
  for i = 1, target:size(1) do
    if target[i] ~= self.ignore then
      self.gradInput[i][target[i]] = -1 / self.n
    end
  end
  return self.gradInput
end
local net = nn.Sequential():add(nn.Linear(4, 3)):add(nn.LogSoftMax())
local crit = nn.IgnoreNLL(2)
local x, y = torch.randn(6, 4), torch.Tensor{1, 2, 3, 3, 2, 1}
for i = 1, 5 do
  local out = net:forward(x)
  local loss = crit:forward(out, y)
  net:zeroGradParameters()
  net:backward(x, crit:backward(out, y))
  net:updateParameters(0.3)
  print(i, loss)
end
