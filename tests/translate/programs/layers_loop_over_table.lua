-- As many inputs as there are, with gradients made in a loop.
require 'nn'
torch.manualSeed(4)
local Mix, parent = torch.class('nn.MixTable', 'nn.Module')
function Mix:__init(decay)
  parent.__init(self)
  self.decay = decay or 0.5
  self.gradInput = {}
end
function Mix:updateOutput(input)
  self.output:resizeAs(input[1]):copy(input[1])
  for i = 2, #input do
    self.output:add(self.decay ^ (i - 1), input[i])
  end
  return self.output
end
function Mix:updateGradInput(input, gradOutput)
  for i = 1, #input do
    self.gradInput[i] = self.gradInput[i] or input[1].new()
    self.gradInput[i]:resizeAs(input[i]):copy(gradOutput):mul(self.decay ^ (i - 1))
  end
  for i = #input + 1, #self.gradInput do self.gradInput[i] = nil end
  return self.gradInput
end
local branches = nn.ConcatTable():add(nn.Linear(3, 4)):add(nn.Linear(3, 4)):add(nn.Linear(3, 4))
local net = nn.Sequential():add(branches):add(nn.MixTable(0.7)):add(nn.Tanh()):add(nn.Linear(4, 1))
local mse = nn.MSECriterion()
local x, y = torch.randn(7, 3), torch.randn(7, 1)
for i = 1, 6 do
  local out = net:forward(x)
  local loss = mse:forward(out, y)
  net:zeroGradParameters()
  net:backward(x, mse:backward(out, y))
  net:updateParameters(0.1)
  print(i, loss)
end
