-- A layer that changes its input and the gradient it is given.
require 'nn'
torch.manualSeed(3)
local InPlace, parent = torch.class('nn.InPlaceScale', 'nn.Module')
function InPlace:__init(k) parent.__init(self) self.k = k end
function InPlace:updateOutput(input)
  self.output = input
  self.output:mul(self.k)
  return self.output
end
function InPlace:updateGradInput(input, gradOutput)
  self.gradInput = gradOutput
  self.gradInput:mul(self.k)
  return self.gradInput
end
local net = nn.Sequential():add(nn.Linear(4, 3)):add(nn.InPlaceScale(2)):add(nn.Tanh()):add(nn.Linear(3, 1))
local mse = nn.MSECriterion()
local x, y = torch.randn(6, 4), torch.randn(6, 1)
for i = 1, 5 do
  local out = net:forward(x)
  local loss = mse:forward(out, y)
  net:zeroGradParameters()
  net:backward(x, mse:backward(out, y))
  net:updateParameters(0.3)
  print(i, loss)
end
local l = nn.InPlaceScale(3)
local z = torch.ones(3)
l:forward(z)
print(z:sum())
