-- A criterion of a mean and a log variance in one table.
require 'nn'
torch.manualSeed(2)
local GaussianCriterion, parent = torch.class('nn.GaussianCriterion', 'nn.Criterion')
function GaussianCriterion:updateOutput(input, target)
    local Gelement = torch.mul(input[2],0.5):add(0.5 * math.log(2 * math.pi))
    Gelement:add(torch.add(target,-1,input[1]):pow(2):cdiv(torch.exp(input[2])):mul(0.5))
    self.output = torch.sum(Gelement)
    return self.output
end
function GaussianCriterion:updateGradInput(input, target)
    self.gradInput = {}
    self.gradInput[1] = torch.exp(-input[2]):cmul(torch.add(target,-1,input[1])):mul(-1)
    self.gradInput[2] = torch.exp(-input[2]):cmul(torch.add(target,-1,input[1]):pow(2)):mul(-0.5):add(0.5)
    return self.gradInput
end
local net = nn.Sequential()
net:add(nn.Linear(3, 10))
net:add(nn.Tanh())
net:add(nn.ConcatTable():add(nn.Linear(10, 2)):add(nn.Linear(10, 2)))
local crit = nn.GaussianCriterion()
local x = torch.randn(20, 3)
local y = torch.randn(20, 2)
for i = 1, 20 do
  local out = net:forward(x)
  local loss = crit:forward(out, y)
  net:zeroGradParameters()
  net:backward(x, crit:backward(out, y))
  net:updateParameters(0.001)
  if i % 5 == 0 then print(i, loss) end
end
